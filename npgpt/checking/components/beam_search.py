import numpy as np

from npgpt.checking.case import FunctionCase, arguments
from npgpt.checking.components._models import drawn
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import entered
from npgpt.families import encoder_decoder as family
from npgpt.families.encoder_decoder import Config
from npgpt.models import encoder_decoder

ALL = 81        # with V = 3 and T = 4 there are no more: the search is exhaustive


def beam_search(draw):
    T, S, width = draw("T", [3, 4, 2, 1]), draw("S", range(1, 5)), draw("width", [2, 1, 3, ALL])
    V = 3 if width == ALL else draw("V", [3, 4, 5])
    layers, spare = draw("layers", [2, 1]), draw("spare", range(2))
    penalty, numbers = draw("length_penalty", [0.0, 1.0, 0.6]), draw.numbers()
    config = Config(V, max(T, S) + spare, layers, 2, 4)
    options = {"config": config, "source": numbers.below(V, S), "start": 0, "end": V - 1,
               "width": width, "max_new_tokens": T}
    options |= {"length_penalty": penalty} if penalty else {}
    return FunctionCase(
        component="beam_search", params=drawn(numbers, family.weights(config)), options=options,
        call=call_beams, expected=beams_without_cache, discrete=True,
        least_scale={"scores": 1.0},    # log Σe of a likely token: Σe is near 1, not 0
        edges=(as_long_as_the_context, the_likeliest_token_each_time))


def call_beams(find, case):
    return as_arrays(find("beam_search")(
        find("models.encoder_decoder"), **arguments(case)), case)


def as_arrays(found, case):
    """As many rows as could have been found, as many columns as tokens."""
    width, T = case.options["width"], case.options["max_new_tokens"]
    results = {"ids": np.full((width, T), -1.0), "scores": np.zeros(width)}
    for row, (ids, score) in enumerate(found):
        results["ids"][row, :len(ids)] = ids
        results["scores"][row] = score
    return results


def next_log_probs(case, ids):
    """(V,), of the token after those of a target, by one pass over all of it."""
    config, start = case.options["config"], case.options["start"]
    inputs = {"source": case.options["source"][None], "target": np.array([[start, *ids]])}
    logits = encoder_decoder.forward(case.params, inputs, config)[0][0, -1]
    powers = np.exp(logits - logits.max())
    return np.log(powers / powers.sum())


def beams_without_cache(case):
    """All targets there are, if the beam is wide enough; else a beam that reads each
    beginning from its first token."""
    T, end, width = (case.options[name] for name in ("max_new_tokens", "end", "width"))
    power = case.options.get("length_penalty", 0.0)
    beams, finished = {(): 0.0}, []
    for _ in range(T):
        longer = {(*ids, token): total + log_prob for ids, total in beams.items()
                  for token, log_prob in enumerate(next_log_probs(case, ids))}
        if width < ALL:
            best = sorted(longer, key=lambda ids: -longer[ids])[:width]
            longer = {ids: longer[ids] for ids in best}
        finished += [(list(ids), total / len(ids) ** power)
                     for ids, total in longer.items() if ids[-1] == end]
        beams = {ids: total for ids, total in longer.items() if ids[-1] != end}
        finished.sort(key=lambda each: -each[1])
        hope = max(beams.values(), default=-np.inf) / T ** power
        if width < ALL and len(finished) >= width and hope <= finished[width - 1][1]:
            break
    every = finished + [(list(ids), total / T ** power) for ids, total in beams.items()]
    return as_arrays(sorted(every, key=lambda each: -each[1])[:width], case)


def some(package):
    numbers, config = Numbers(3), Config(6, 5, 1, 2, 4)
    params = entered(package, drawn(numbers, family.weights(config)))
    return (package.find("models.encoder_decoder"), params, config, [1, 2, 3], 0)


def as_long_as_the_context(package):
    """Where nothing ends a target, it has as many tokens as fit."""
    (ids, score), *_ = package.find("beam_search")(*some(package), end=-1)
    yield "how many tokens", len(ids), 5
    yield "whether the score is below 0", score < 0, True


def the_likeliest_token_each_time(package):
    """Width 1 is greedy: each token is the likeliest after those before it."""
    model, params, config, source, start = some(package)
    (ids, _), *_ = package.find("beam_search")(
        model, params, config, source, start, end=5, width=1)
    inputs = entered(package, {
        "source": np.array([source]), "target": np.array([[start, *ids[:-1]]])})
    logits, _ = model.forward(params, inputs, config)
    yield "ids", ids, package.leave(logits)[0].argmax(axis=-1)
