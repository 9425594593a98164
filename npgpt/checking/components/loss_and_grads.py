import numpy as np

from npgpt.checking.case import PairCase, arguments, named_grads, with_values
from npgpt.checking.components._attention import no_step_where_all_is_hidden
from npgpt.checking.components._models import model, model_params
from npgpt.checking.components.cross_entropy import IGNORE
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import call
from npgpt.families.gpt2 import Config
from npgpt.tree import tree_leaves, tree_map


def loss_and_grads(draw):
    config, ids, params, options, numbers = model(draw)
    ignored, count = draw("ignored", [False, True]), draw("count", [None, 5])
    targets = numbers.below(config.vocab_size, *ids.shape)
    if ignored:
        targets[numbers.uniform(*ids.shape) < 0.4] = IGNORE
    return PairCase(
        component="loss_and_grads", functions=("loss_and_grads",), params=params, nested=True,
        options={"inputs": ids, "targets": targets, "config": config, "count": count, **options},
        d_y=np.float64(1.0), laws=(micro_batches_add_up,), edges=(nothing_to_learn_from,),
        call=call_loss, forward=forward_of_loss,
        least_scale={"y": 1.0},     # log Σe of a right guess: Σe is near 1, not 0
        no_complex_step=no_step_where_all_is_hidden(
            options["mask"], True, *ids.shape[1:] * 2))


def call_loss(find, case):
    loss, grads = find("loss_and_grads")(find("models.gpt2"), **arguments(case))
    return {"y": loss, **named_grads(case, grads)}


def forward_of_loss(find, case):
    return np.asarray(find("loss_and_grads")(find("models.gpt2"), **arguments(case))[0])


def micro_batches_add_up(case, compute):
    """The gradients of two micro-batches, divided by the whole batch's
    count, add up to the whole batch's."""
    options = case.options
    targets = options["targets"]
    if len(targets) < 2:
        return
    count = options["count"] or max(int((targets != IGNORE).sum()), 1)
    batch = {name: options[name] for name in (
        "inputs", "targets", "mask", "positions", "dropout_masks") if options[name] is not None}

    def part(rows):
        return compute(with_values(case, count=count, **tree_map(lambda a: a[rows], batch)))

    whole, first, rest = compute(case), part(slice(0, 1)), part(slice(1, None))
    for name in whole:
        yield name, first[name] + rest[name], whole[name]


def nothing_to_learn_from(package):
    config = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)
    params, ids = model_params(Numbers(1), config), np.array([[0, 1, 2]])
    loss, grads = call(package, "loss_and_grads", package.find("models.gpt2"), params,
                       inputs=ids, targets=np.full_like(ids, IGNORE), config=config)
    yield "y", loss, 0.0
    for name, grad in tree_leaves(grads):
        yield f"d_{name}", grad, np.zeros_like(grad)
