"""KV cache: the keys and values of the tokens read so far."""


def extend_cache(past, k, v):
    """k, v (B, H, T, D) of the new tokens -> those of all S tokens.

    past: (keys, values, start), storage (B, H, N, D) of which `start`
    places are filled; the new ones are written into it, in place.
    None: no past."""
    if past is None:
        return k, v
    keys, values, start = past
    S = start + k.shape[2]
    keys[:, :, start:S] = k                           # (B, H, T, D)
    values[:, :, start:S] = v                         # (B, H, T, D)
    return keys[:, :, :S], values[:, :, :S]


def empty_cache(config, batch, like):
    """-> (keys, values, 0): storage (layers, B, H, N, D), no place
    filled, of the dtype of `like` and made where it lives."""
    shape = (config.layers, batch, config.heads,
             config.context_length, config.head_size)
    return like.new_zeros(shape), like.new_zeros(shape), 0
