import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.families.gpt2 import Config


def extend_cache(draw):
    B, H, D = draw("B", range(1, 3)), draw("H", range(1, 3)), draw("D", range(1, 4))
    T, start = draw("T", range(1, 4)), draw("start", [0, 1, 3, None])
    spare = draw("spare", range(3))
    numbers = draw.numbers()
    config = Config(5, (start or 0) + T + spare, 2, H, H * D)
    options = {"k": numbers.normal(B, H, T, D), "v": numbers.normal(B, H, T, D),
               "before": numbers.normal(2, B, H, start or 0, D), "start": start,
               "config": config}
    return FunctionCase(
        component="extend_cache", functions=("extend_cache", "empty_cache"), options=options,
        scale=lambda case: {}, call=call_cache, expected=cache_by_definition, views=True)


def call_cache(find, case):
    k, v, start = (case.options[name] for name in ("k", "v", "start"))
    if start is None:
        keys, values = find("extend_cache")(None, k, v)
        return {"keys": keys, "values": values}
    keys, values, read = find("empty_cache")(case.options["config"], k.shape[0], k)
    keys[1][:, :, :start] = case.options["before"][0]
    values[1][:, :, :start] = case.options["before"][1]
    all_keys, all_values = find("extend_cache")((keys[1], values[1], start), k, v)
    return {"keys": all_keys, "values": all_values, "read": float(read),
            "stored_keys": keys, "stored_values": values}


def cache_by_definition(case):
    k, v, start = (case.options[name] for name in ("k", "v", "start"))
    if start is None:
        return {"keys": k.copy(), "values": v.copy()}
    results = {"read": 0.0}
    N = case.options["config"].context_length
    for name, before, new in zip(("keys", "values"), case.options["before"], (k, v)):
        whole = np.concatenate([before, new], axis=2)
        B, H, S, D = whole.shape
        stored = np.zeros((2, B, H, N, D))
        stored[1, :, :, :S] = whole
        results |= {name: whole, f"stored_{name}": stored}
    return results
