"""Dropout: silence some features at random, strengthen the others."""


def dropout(x, keep=None):
    """x (...), keep (...) of 0 or 1/(1-p), or None -> y (...)
    (Srivastava et al., 2014)."""
    # (1) silence or strengthen
    y = x if keep is None else x * keep               # (...)
    return y, (keep,)


def dropout_backward(d_y, saved):
    """d_y (...) -> d_x (...)."""
    (keep,) = saved
    # (1) silence or strengthen
    d_x = d_y if keep is None else d_y * keep         # (...)
    return d_x


def dropout_reference(x, keep=None):
    """A product: PyTorch's own operator draws a mask of its own."""
    return x if keep is None else x.mul(keep)
