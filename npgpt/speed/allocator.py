"""Keep big arrays' memory between steps, instead of giving it back."""

import ctypes

MIB = 1024 * 1024
M_TOP_PAD = -2  # bytes to keep at the top of the heap when freeing
M_MMAP_THRESHOLD = -3  # arrays from this size up get pages of their own


def tune_allocator() -> bool:
    """Let the C library keep the memory of arrays that are freed.

    A training step frees and asks for the same arrays again and again. By
    default glibc hands the large ones back to the system, and each of their
    pages costs a fault when it is next touched. Does nothing, and returns
    False, where the C library has no mallopt (macOS, Windows, musl)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return all([mallopt(M_TOP_PAD, 64 * MIB), mallopt(M_MMAP_THRESHOLD, 32 * MIB)])
