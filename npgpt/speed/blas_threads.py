"""How many threads the products of one token are worth."""


def blas_threads(config):
    """-> 1 for a small model: its products are done before a second
    thread has woken up; None, all of them, for a large one, which waits
    for its weights to come from memory."""
    return 1 if config.channels < 256 else None
