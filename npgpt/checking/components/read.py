from types import SimpleNamespace

from npgpt import models
from npgpt.checking.case import FunctionCase
from npgpt.checking.components import _models, encoder_decoder, llama, recurrent


def read(draw):
    """A model with a cache: its `forward`, and what stands around it."""
    family = draw("model", ["gpt2", "llama", "recurrent", "encoder_decoder"])
    source = None
    if family == "gpt2":
        config, ids, params, _, numbers = _models.model(draw)
    elif family == "encoder_decoder":
        B, T, S, config, params, given, numbers = encoder_decoder.model(draw)
        ids, source = given["inputs"]["target"], given["inputs"]["source"]
    else:
        its = {"llama": llama, "recurrent": recurrent}[family]
        _, _, config, params, given, numbers = its.model(draw)
        ids = given["ids"]
    cuts = draw("cuts", ["one by one", "at once", "half and half"])
    padded, cached = draw("padded", [False, True]), draw("cached", [True, False])
    B, T = ids.shape
    pads = [int(pad) for pad in numbers.below(T, B)] if padded else [0] * B
    options = {"model": family, "ids": ids, "config": config, "pads": pads, "cuts": cuts,
               "padded": padded, "cached": cached, "source": source,
               "rows": [int(row) for row in numbers.below(B, B)]}
    return FunctionCase(
        component="read", functions=("read", "empty_cache", "rows_of_cache"), params=params,
        options=options, call=call_read, expected=uncached, edges=(a_model_without_a_cache,))


def ends_of(case):
    T = case.options["ids"].shape[1]
    size = {"one by one": 1, "at once": T, "half and half": -(-T // 2)}[case.options["cuts"]]
    return [*range(size, T, size), T]


def call_read(find, case):
    """The ids in pieces, of an encoder–decoder those of the target, each reading
    on from the ones before; before the last piece the rows are put into another
    order. Without a cache each piece is read with all that was before it."""
    model, (ids, config, pads, rows, source) = find(f"models.{case.options['model']}"), (
        case.options[name] for name in ("ids", "config", "pads", "rows", "source"))
    like, results, start = case.params["tokens"]["weight"], {}, 0
    cache = None
    if case.options["cached"]:
        cache = find("empty_cache")(model, config, len(ids), case.params)
    for end in ends_of(case):
        if end == ids.shape[1]:
            cache = find("rows_of_cache")(cache, rows)
            ids, pads = ids[rows], [pads[row] for row in rows]
            source = None if source is None else source[rows]
        mask = positions = None
        if case.options["padded"]:
            if getattr(model, "TAKES_MASK", True):
                mask = find("padding_mask")(pads, end, like)
            positions = find("padded_positions")(pads, end - start, end, like)
        unread = ids[:, start:end].tolist()
        if source is not None:          # it is read once, with the first piece
            mask, positions = ({} if part is None else {"target": part}
                               for part in (mask, positions))
            unread = {"target": unread}
            if start == 0:
                unread["source"] = source.tolist()
        logits, cache = find("read")(
            model, case.params, config, unread, cache, mask, positions)
        start = 0 if cache is None else end
        for row, pad in enumerate(pads):            # what follows padding alone means nothing
            if pad < end:
                results[f"to_{end}.row_{row}"] = logits[row]
    return {"logits": results, "read": 0.0 if cache is None else float(cache["start"])}


def uncached(case):
    """Each sequence alone, without its padding."""
    ids, config, pads, rows = (case.options[name] for name in ("ids", "config", "pads", "rows"))
    forward = getattr(models, case.options["model"]).forward
    source = case.options["source"]
    results = {"read": float(ids.shape[1]) if case.options["cached"] else 0.0}
    for end in ends_of(case):
        order = rows if end == ids.shape[1] else range(len(ids))
        for row, place in enumerate(order):
            pad = pads[place]
            if pad < end:
                alone = ids[place:place + 1, pad:end]
                if source is not None:
                    alone = {"source": source[place:place + 1], "target": alone}
                logits, _ = forward(case.params, alone, config)
                results[f"logits.to_{end}.row_{row}"] = logits[0, -1].copy()
    return results


def a_model_without_a_cache(package):
    model = SimpleNamespace(cache_shapes=lambda config, batch: None)
    yield "whether there is none", package.find("empty_cache")(model, None, 2, None) is None, True
