import numpy as np

from npgpt.checking.case import FunctionCase


def extend_cache(draw):
    B, H, D = draw("B", range(1, 3)), draw("H", range(1, 3)), draw("D", range(1, 4))
    T, start = draw("T", range(1, 4)), draw("start", [0, 1, 3, None])
    spare = draw("spare", range(3))
    numbers = draw.numbers()
    storage = numbers.normal(2, B, H, (start or 0) + T + spare, D)
    options = {"k": numbers.normal(B, H, T, D), "v": numbers.normal(B, H, T, D),
               "storage": storage, "start": start}
    return FunctionCase(
        component="extend_cache", options=options, scale=lambda case: {}, call=call_cache,
        expected=cache_by_definition, views=True)


def call_cache(find, case):
    k, v, start, storage = (case.options[name] for name in ("k", "v", "start", "storage"))
    if start is None:
        keys, values = find("extend_cache")(None, k, v)
        return {"keys": keys, "values": values}
    past = {"keys": storage[0] * 1, "values": storage[1] * 1, "start": start}
    keys, values = find("extend_cache")(past, k, v)
    return {"keys": keys, "values": values, "stored_keys": past["keys"],
            "stored_values": past["values"], "start": float(past["start"])}


def cache_by_definition(case):
    k, v, start = (case.options[name] for name in ("k", "v", "start"))
    if start is None:
        return {"keys": k.copy(), "values": v.copy()}
    results = {"start": float(start)}
    for name, stored, new in zip(("keys", "values"), case.options["storage"], (k, v)):
        end = start + new.shape[2]
        whole = np.concatenate([stored[:, :, :start], new, stored[:, :, end:]], axis=2)
        results |= {name: whole[:, :, :end].copy(), f"stored_{name}": whole}
    return results
