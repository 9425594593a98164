"""Several processes that work on portions, and leave when their parent does."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any


class Pool:
    """Runs portions in processes and gives back the results in order, a few ahead at most."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def each(self, function: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
        if self.workers == 1:
            yield from map(function, jobs)
            return
        jobs, waiting = iter(jobs), deque[Any]()
        if self._pool is None:
            first = [job for _, job in zip(range(2), jobs)]
            if len(first) < 2:  # not worth a process
                yield from map(function, first)
                return
            self._pool = ProcessPoolExecutor(
                self.workers, multiprocessing.get_context("spawn"), leave_with_parent
            )
            waiting.extend(submit(self._pool, function, job) for job in first)
        for job in jobs:
            waiting.append(submit(self._pool, function, job))
            if len(waiting) > 2 * self.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def close(self) -> None:
        """End the workers when their portions are done; a Ctrl-C meanwhile kills them."""
        if not self._pool:
            return
        try:
            self._pool.shutdown(cancel_futures=True)
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()  # or else Python waits for it as it ends
            self._pool.shutdown()  # or else its thread closes what Python writes to as it ends
            raise


def submit(pool: ProcessPoolExecutor, function: Callable[[Any], Any], job: Any) -> Future[Any]:
    """Hand out a job; a worker that this starts hears no Ctrl-C while it imports.

    A blocked signal stays blocked in the worker, and reaches this process afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return pool.submit(function, job)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        return pool.submit(function, job)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_with_parent() -> None:
    """End a worker whose parent was killed; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
