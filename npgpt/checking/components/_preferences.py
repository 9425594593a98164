"""What the cases of the losses on answers share: a small model, answers in groups."""

from npgpt.checking.case import arguments, named_grads, with_values
from npgpt.checking.components._models import model
from npgpt.checking.components.cross_entropy import IGNORE


def answers(draw, G):
    """-> config, params, inputs and targets (B, G, T) with -100 for what is no answer,
    numbers. The logits are below 1 in size: of a token that is nearly certain, what is left
    of 1 - p is rounding."""
    config, ids, params, _, numbers = model(draw)
    params["norm"] = {name: 0.2 * array for name, array in params["norm"].items()}
    B, T = ids.shape
    inputs = numbers.below(config.vocab_size, B, G, T)
    targets = numbers.below(config.vocab_size, B, G, T)
    targets[numbers.uniform(B, G, T) < 0.3] = IGNORE
    return config, params, inputs, targets, numbers


def call_loss(find, case):
    loss, grads = find(case.component)(find("models.gpt2"), **arguments(case))
    return {"y": loss, **named_grads(case, grads)}


def log_probs_of(find, case):
    """The first lines of a loss, layer by layer."""
    options = case.options
    inputs, targets = options["inputs"], options["targets"]
    rows, right = (array.reshape(-1, array.shape[-1]) for array in (inputs, targets))
    logits, _ = find("gpt2.forward")(case.params, rows, options["config"])
    log_probs, _ = find("target_log_probs")(logits, right)
    return log_probs.reshape(inputs.shape)


def groups_add_up(*names):
    """The gradients of two parts, divided by the whole batch's count, add up."""
    def add_up(case, compute):
        options = case.options
        count = options["count"] or len(options["inputs"])
        batch = {name: options[name] for name in ("inputs", "targets", *names)
                 if options[name] is not None}

        def part(rows):
            return compute(with_values(
                case, count=count, **{name: array[rows] for name, array in batch.items()}))

        whole, first, rest = compute(case), part(slice(0, 1)), part(slice(1, None))
        for name in whole:
            yield name, first[name] + rest[name], whole[name]

    return add_up
