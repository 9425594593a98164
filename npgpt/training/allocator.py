"""Keep big arrays' memory between steps, instead of giving it back."""

import ctypes

M_TOP_PAD = -2


def tune_allocator(pad=64 * 1024 * 1024):
    """Tell the C library to keep `pad` bytes at the top of its heap.

    A training step frees and asks for the same arrays again and again;
    by default glibc returns their pages to the system each time, and each
    return costs a page fault a page later: a third of a small model's
    step. Does nothing, and returns False, where the C library has no
    mallopt (macOS, Windows, musl)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(M_TOP_PAD, pad))
