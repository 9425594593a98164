"""Position embedding: one learned row for each position."""

import torch


def position_embedding(ids, weight, positions=None, start=0,
                       trainable=True):
    """ids (B, T), weight (N, C) -> y (B, T, C).

    positions (B, T): each token's; None: the next T from `start` on,
    the same for each sequence."""
    B, T = ids.shape
    # (1) look up the rows of the positions
    if positions is None:
        rows = weight[start:start + T]                # (T, C)
        y = rows.expand(B, *rows.shape)               # (B, T, C)
    else:
        y = weight[positions]                         # (B, T, C)
    return y, (weight, positions, start, trainable)


def position_embedding_backward(d_y, saved):
    """d_y (B, T, C) -> {"weight": (N, C)}."""
    weight, positions, start, trainable = saved
    if not trainable:
        return {}
    B, T, C = d_y.shape
    d_weight = d_y.new_zeros(weight.shape)            # (N, C)
    # (1) look up the rows of the positions: equal ones add up
    if positions is None:
        d_weight[start:start + T] = d_y.sum(dim=0)    # (T, C)
    else:
        d_weight.index_put_((positions,), d_y, accumulate=True)
    return {"weight": d_weight}


def position_embedding_reference(ids, weight, positions=None, start=0,
                                 trainable=True):
    """PyTorch's own operator, given the positions as ids."""
    B, T = ids.shape
    if positions is None:
        positions = torch.arange(
            start, start + T, device=weight.device).expand(B, T)
    return torch.nn.functional.embedding(positions, weight)
