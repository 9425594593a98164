import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.components._models import model
from npgpt.models.gpt2 import gpt


def gpt_cached(draw):
    config, ids, params, _, numbers = model(draw)
    cuts = draw("cuts", ["one by one", "at once", "half and half"])
    padded = draw("padded", [False, True])
    B, T = ids.shape
    pads = numbers.below(T, B) if padded else np.zeros(B, int)
    real = np.arange(T) >= pads[:, None]
    visible = np.tri(T, dtype=bool) & real[:, None, None, :] if padded else None
    options = {"ids": ids, "config": config, "visible": visible, "cuts": cuts,
               "real": real.astype(float)}
    return FunctionCase(
        component="gpt_cached", params=params, options=options,
        call=call_gpt_cached, expected=uncached)


def steps_of(case):
    T = case.options["ids"].shape[1]
    size = {"one by one": 1, "at once": T, "half and half": -(-T // 2)}[case.options["cuts"]]
    return [(start, min(start + size, T)) for start in range(0, T, size)]


def call_gpt_cached(find, case):
    """The ids in pieces, each reading on from the ones before. What padding
    is followed by means nothing: set to 0."""
    ids, config, visible = (case.options[name] for name in ("ids", "config", "visible"))
    cache = find("empty_cache")(config, ids.shape[0], case.params["tokens"]["weight"])
    pieces = {}
    for start, end in steps_of(case):
        part = None if visible is None else visible[:, :, start:end, :end]
        logits, cache = find("gpt_cached")(case.params, ids[:, start:end], cache, config, part)
        pieces[f"from_{start}"] = logits * case.options["real"][:, start:end, None]
    return {"logits": pieces, "read": float(cache[2])}


def uncached(case):
    """Each sequence alone, without its padding, by `gpt`."""
    ids, config, real = (case.options[name] for name in ("ids", "config", "real"))
    logits = np.zeros((*ids.shape, config.vocab_size))
    for b in range(len(ids)):
        seen = real[b] > 0
        logits[b, seen] = gpt(case.params, ids[b:b + 1, seen], config)[0][0]
    return {"read": float(ids.shape[1]), **{f"logits.from_{start}": logits[:, start:end].copy()
                                            for start, end in steps_of(case)}}
