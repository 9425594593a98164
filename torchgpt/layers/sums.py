"""Sums and means over one axis, by PyTorch's own reductions."""


def row_sum(x):
    """x (..., C) -> (..., 1), the sum of each row."""
    return x.sum(dim=-1, keepdim=True)


def row_mean(x):
    """x (..., C) -> (..., 1), the mean of each row."""
    return x.mean(dim=-1, keepdim=True)


def column_sum(x):
    """x (..., C) -> (C,), the sum over all axes but the last."""
    rows = x.reshape(-1, x.shape[-1])                 # (R, C)
    return rows.sum(dim=0)
