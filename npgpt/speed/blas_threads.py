"""How many threads the products of one token are worth."""

from npgpt.speed.threads import one_blas_thread


def blas_threads(config):
    """-> 1 for a small model (one that names no channels is taken to be
    small): its products are done before a second thread has woken up;
    None, all of them, for a large one, which waits for its weights to
    come from memory."""
    return 1 if getattr(config, "channels", 0) < 256 else None


def each_limited(steps, threads):
    """Yields what a generator yields. threads 1: while one of its steps
    is computed, and only then, a product runs on its caller's thread
    alone; None: nothing changes."""
    if threads is None:
        yield from steps
        return
    end = object()
    while True:
        with one_blas_thread():
            step = next(steps, end)
        if step is end:
            return
        yield step
