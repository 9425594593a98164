"""KV cache: the keys and values of the tokens read so far."""


def extend_cache(past, k, v):
    """k, v (B, H, T, D) of the new tokens -> those of all S tokens.

    past: {"keys", "values"}, storage (B, H, N, D) of which the first
    "start" positions are filled; the new ones are written into it, in
    place. None: no past."""
    if past is None:
        return k, v
    keys, values, start = past["keys"], past["values"], past["start"]
    S = start + k.shape[2]
    keys[:, :, start:S] = k                           # (B, H, T, D)
    values[:, :, start:S] = v                         # (B, H, T, D)
    return keys[:, :, :S], values[:, :, :S]
