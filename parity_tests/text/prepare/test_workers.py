"""The worker processes: when they start, and how they end."""

import os
import signal
import subprocess
import sys

import pytest


def run_alone(script):
    """A script in a session of its own, which it may interrupt whole; (status, errors)."""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, start_new_session=True)
    try:
        _, errors = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, errors.decode()


STOPPED_TWICE = """
import signal, sys, time
from contextlib import closing
from npgpt.text.prepare.workers import Pool
signal.signal(signal.SIGALRM, signal.default_int_handler)
try:
    with closing(Pool(2)) as pool:
        for _ in pool.each(time.sleep, [0, 60, 60]):
            signal.setitimer(signal.ITIMER_REAL, 0.1)  # the second
            raise KeyboardInterrupt
except KeyboardInterrupt:
    sys.exit(130)
"""

# at its end Python writes to a pipe that the pool's thread may be closing
SLOW = """
import time
from concurrent.futures import process
def wakeup(self):
    if not self._closed:
        time.sleep(0.3)
        self._writer.send_bytes(b"")
process._ThreadWakeup.wakeup = wakeup
"""

STOPPED_EARLY = """
import os, signal
from contextlib import closing
from npgpt.text.prepare.workers import Pool
signal.signal(signal.SIGINT, lambda *_: heard.append(True))
heard = []
def jobs():
    yield from (1, 2)
    os.killpg(0, signal.SIGINT)  # the workers have just been started
    yield 3
with closing(Pool(2)) as pool:
    assert list(pool.each(float, jobs())) == [1, 2, 3] and heard
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")
def test_a_second_ctrl_c_waits_for_no_worker():
    assert run_alone(STOPPED_TWICE) == (130, "")
    assert run_alone(SLOW + STOPPED_TWICE) == (130, "")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")
def test_a_worker_that_is_just_starting_hears_no_ctrl_c():
    assert run_alone(STOPPED_EARLY) == (0, "")
