import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import entered, left
from npgpt.tree import tree_leaves, tree_map


def adamw_step(draw):
    steps, I, O = draw("steps", range(1, 5)), draw("I", range(1, 5)), draw("O", range(1, 5))
    settings = {}
    for name, other in (("betas", (0.8, 0.99)), ("eps", 1e-2), ("weight_decay", 0.0)):
        if draw(name, ["default", other]) != "default":
            settings[name] = other
    size = draw("size", [1.0, 1e-6])
    numbers = draw.numbers()

    def tree(std):
        return {"linear": {"weight": numbers.normal(I, O, std=std),
                           "bias": numbers.normal(O, std=std)},
                "blocks": [{"weight": numbers.normal(I, std=std)}]}

    options = {"weights": tree(1.0), "grads": [tree(size) for _ in range(steps)],
               "lr": 0.1, "settings": settings}
    return FunctionCase(
        component="adamw_step", functions=("adamw_init", "adamw_step"), options=options,
        scale=adamw_scale, call=call_adamw, expected=adamw_by_definition,
        edges=(the_first_step_is_the_rate, an_empty_array, decay_is_for_matrices))


def call_adamw(find, case):
    params = tree_map(lambda weight: weight * 1, case.options["weights"])
    state = find("adamw_init")(params)
    for grads in case.options["grads"]:
        find("adamw_step")(params, grads, state, case.options["lr"], **case.options["settings"])
    return {"params": params, "m": state["m"], "v": state["v"], "step": float(state["step"])}


def adamw_by_definition(case):
    """Algorithm 2 of Loshchilov and Hutter, tensor by tensor, the means as
    weighted sums over all gradients so far."""
    beta_1, beta_2 = case.options["settings"].get("betas", (0.9, 0.95))
    eps = case.options["settings"].get("eps", 1e-8)
    decay = case.options["settings"].get("weight_decay", 0.1)
    lr, rows = case.options["lr"], [dict(tree_leaves(g)) for g in case.options["grads"]]
    results = {"step": float(len(rows))}
    for name, weight in tree_leaves(case.options["weights"]):
        for t in range(1, len(rows) + 1):
            ages = np.arange(t)[::-1].reshape(-1, *[1] * weight.ndim)
            so_far = np.stack([row[name] for row in rows[:t]])
            m = ((1 - beta_1) * beta_1 ** ages * so_far).sum(axis=0)
            v = ((1 - beta_2) * beta_2 ** ages * so_far ** 2).sum(axis=0)
            towards = m / (1 - beta_1 ** t) / (np.sqrt(v / (1 - beta_2 ** t)) + eps)
            weight = weight - lr * towards - lr * decay * weight * (weight.ndim >= 2)
        results |= {f"params.{name}": weight, f"m.{name}": m, f"v.{name}": v}
    return results


def adamw_scale(case):
    """Each step adds terms of the weight's size and of lr · 10: the means'
    quotient is below 10 for these rates. 1 − β cancels: u / (1 − β)."""
    settings = case.options["settings"]
    beta_1, beta_2 = settings.get("betas", (0.9, 0.95))
    lost = 1 / (1 - max(beta_1, beta_2))
    sizes = {"step": 0.0}
    for name, weight in tree_leaves(case.options["weights"]):
        grads = [np.abs(dict(tree_leaves(g))[name]).max() for g in case.options["grads"]]
        steps = len(grads)
        sizes[f"params.{name}"] = steps * (np.abs(weight).max() + 10 * case.options["lr"] * lost)
        sizes[f"m.{name}"] = steps * max(grads) * lost
        sizes[f"v.{name}"] = steps * max(grads) ** 2 * lost
    return sizes


def stepped(package, params, grads, **settings):
    """-> the params after one step."""
    params, grads = entered(package, params), entered(package, grads)
    package.find("adamw_step")(params, grads, package.find("adamw_init")(params), 0.1, **settings)
    return left(package, params)


def the_first_step_is_the_rate(package):
    """Whatever the gradients' size: both means are corrected, and m/√v is
    the gradient's sign."""
    for size in 1e-3, 1.0, 1e3:
        grads = {"bias": size * np.array([1.0, -1.0, 2.0])}
        after = stepped(package, {"bias": np.zeros(3)}, grads, eps=0.0)
        yield f"bias after gradients of {size}", after["bias"], [-0.1, 0.1, -0.1], 1e-13


def an_empty_array(package):
    """It has nothing to learn."""
    arrays = {"a": np.ones(3), "b": np.zeros(0)}
    for order in "ab", "ba":
        tree = {name: arrays[name] for name in order}
        after = stepped(package, tree, tree)
        yield "the shape of the empty one", after["b"].shape, (0,)
        yield "the other", after["a"], [0.9] * 3, 1e-8


def decay_is_for_matrices(package):
    params = {"weight": np.ones((2, 2)), "bias": np.ones(2)}
    zeros = {"weight": np.zeros((2, 2)), "bias": np.zeros(2)}
    after = stepped(package, params, zeros, weight_decay=0.5)
    yield "weight", after["weight"], np.full((2, 2), 0.95), 1e-15
    yield "bias", after["bias"], [1, 1]
