import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._models import block_weights, drawn
from npgpt.checking.components.lora import lora_scale
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import call, left
from npgpt.families import gpt2, llama
from npgpt.tree import nest, tree_leaves, tree_map

NAMES = {"gpt2": (gpt2, ["attention.qkv", "feed_forward.down"]),
         "llama": (llama, ["attention.q", "attention.v", "feed_forward.up"])}


def lora_weights(draw):
    """A block's weights, some of them adapted; y is what they do to a
    gradient: the sum of its product with each weight."""
    family, names = NAMES[draw("family", list(NAMES))]
    C, rank, alpha = draw("C", [2, 4]), draw("rank", [1, 2]), draw("alpha", [16, 0.5, 6.0])
    count, numbers = draw("layers", range(1, len(names) + 1)), draw.numbers()
    params = {"blocks": [drawn(numbers, block_weights(C, family))]}
    every = {path.removesuffix(".weight"): weight.shape
             for path, weight in tree_leaves(block_weights(C, family))}
    shapes = {f"blocks.0.{name}": every[name] for name in names[:count]}
    adapters = {path: {"A": numbers.weight(I, rank), "B": numbers.normal(rank, O)}
                for path, (I, O) in shapes.items()}
    upstream = tree_map(lambda array: numbers.normal(*array.shape), params)
    return PairCase(
        component="lora_weights", params=adapters, nested=True,
        options={"weights": params, "upstream": upstream, "alpha": alpha},
        d_y=numbers.normal(), scale=scale_of_all, call=call_lora_weights, forward=forward_of_all,
        laws=(other_layers_stay,), edges=(not_copied, any_order_of_keys))


def call_lora_weights(find, case):
    """d_params holds frozen layers as {}, upside down, as a model's backward gives it."""
    params, saved = find("lora_weights")(
        case.options["weights"], case.params, case.options["alpha"])
    d_params = {path: array * case.d_y for path, array in tree_leaves(case.options["upstream"])}
    d_params = nest(reversed([(path, array) for path, array in d_params.items()
                              if path.rpartition(".")[0] in case.params]))
    grads = find("lora_weights_backward")(d_params, saved)
    return {"y": product(params, case.options["upstream"]),
            **{f"d_{path}": grad for path, grad in tree_leaves(grads)}}


def forward_of_all(find, case):
    params, _ = find("lora_weights")(case.options["weights"], case.params, case.options["alpha"])
    return product(params, case.options["upstream"])


def product(params, upstream):
    """The sum of all products, a number of the arrays' own kind."""
    arrays = dict(tree_leaves(params))
    return sum((arrays[path] * array).sum() for path, array in tree_leaves(upstream))


def scale_of_all(case):
    found, total = {}, 0.0
    d_y, alpha = abs(float(case.d_y)), case.options["alpha"]
    weights = dict(tree_leaves(case.options["weights"]))
    for path, array in tree_leaves(case.options["upstream"]):
        layer, weight = path.rpartition(".")[0], weights[path]
        size = np.abs(weight)
        if path.endswith(".weight") and layer in case.params:
            one = PairCase(component="lora", params=case.params[layer], d_y=array * d_y,
                           options={"weight": weight, "alpha": alpha})
            parts = lora_scale(one)
            size = parts.pop("y")
            found |= {f"d_{layer}.{name.removeprefix('d_')}": part
                      for name, part in parts.items()}
        total += float((size * np.abs(array)).sum())
    return {"y": np.float64(total), **found}


def other_layers_stay(case, compute):
    """With B = 0 the product is that of the weights as they are."""
    at_first = {path: {**each, "B": 0 * each["B"]} for path, each in case.params.items()}
    begun = with_values(case)
    begun = type(begun)(**{**vars(begun), "params": at_first})
    plain = product(case.options["weights"], case.options["upstream"])
    yield "y", compute(begun)["y"], plain


def small():
    numbers = Numbers(3)
    params = {"a": {"weight": numbers.normal(2, 3), "bias": numbers.normal(3)},
              "b": {"weight": numbers.normal(3, 2)}}
    return params, {"b": {"A": numbers.normal(3, 1), "B": numbers.normal(1, 2)}}


def entered(package, tree):
    return tree_map(lambda array: package.enter(array, "float64"), tree)


def not_copied(package):
    """What no adapter names is the same array, not a copy of a large model."""
    params, adapters = (entered(package, each) for each in small())
    found, _ = package.find("lora_weights")(params, adapters, 4)
    yield "whether a is the same", found["a"]["weight"] is params["a"]["weight"], True
    yield "whether b is another", found["b"]["weight"] is params["b"]["weight"], False


def any_order_of_keys(package):
    """Gradients are found by their names."""
    params, adapters = small()
    adapters["a"] = {"A": np.ones((2, 1)), "B": np.ones((1, 3))}
    _, saved = package.find("lora_weights")(
        entered(package, params), entered(package, adapters), 4)
    d_params = {"b": {"weight": np.ones((3, 2))}, "a": {"weight": np.ones((2, 3))}}
    one = call(package, "lora_weights_backward", d_params, saved)
    two = left(package, package.find("lora_weights_backward")(
        dict(reversed(entered(package, d_params).items())), saved))
    for path, grad in tree_leaves(one):
        yield f"d_{path}", dict(tree_leaves(two))[path], grad
