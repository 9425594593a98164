"""How fast memory is read."""

import os
import time
from concurrent.futures import ThreadPoolExecutor


def read_bandwidth() -> float:
    """GB/s at which all cores together read 256 MiB; the best of five."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    workers = os.cpu_count() or 1
    parts = np.array_split(np.ones(2**26, np.float32), workers)
    best = float("inf")
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(lambda part: np.dot(part, part), parts))
            best = min(best, time.perf_counter() - start)
    return 2**28 / 1e9 / best
