"""Dropout: set some features to 0 at random, scale up the others."""


def dropout(x, dropout_mask=None):
    """x (...), dropout_mask (...) of 0 or 1/(1-p), or None -> y (...)
    (Srivastava et al., 2014)."""
    # (1) set to 0, or scale up
    y = x if dropout_mask is None else x * dropout_mask       # (...)
    return y, (dropout_mask,)


def dropout_backward(d_y, saved):
    """d_y (...) -> d_x (...)."""
    (dropout_mask,) = saved
    # (1) set to 0, or scale up
    d_x = d_y if dropout_mask is None else d_y * dropout_mask  # (...)
    return d_x
