"""Run an attempt, in this process or as one of its own, and say what is wrong with it."""

import importlib
import io
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from parity_tests.fuzz.attempts import EARLIER, KINDS

LIMIT = 10          # seconds
# lines of progress, which may stand before an error
PROGRESS = re.compile(r"(cleaning|finding duplicates|training the tokenizer|encoding|writing"
                      r"|step \d+/\d+)\b.*")
# a training whose numbers run away ends with status 1: nothing was wrong with the line
DIVERGED = re.compile(r"error: the (loss|validation loss|gradient's norm|weight \S+) is"
                      r" (nan|-?inf|not finite) (at|after) step ")
MEMORY = 4 << 30    # bytes more than there are: no machine is to be filled


class Hang(BaseException):
    """The command has not ended in time. No `except Exception` catches it."""


@contextmanager
def limits():
    """Neither time nor memory without end."""
    def stop(number, frame):
        raise Hang

    before, memory = signal.signal(signal.SIGALRM, stop), resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, memory[1]))
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, memory)


def make_canary(room):
    """What stands in the way of an output, and must be as it was afterwards."""
    canary = room / "canary"
    shutil.copytree(EARLIER / "numpy_dropout", canary / "run",
                    ignore=shutil.ignore_patterns("best"))
    shutil.copytree(EARLIER / "prepared_texts", canary / "prepared")
    shutil.copy(EARLIER / "numpy" / "tokenizer.json", canary)
    (canary / "letter.txt").write_text("dear", encoding="utf-8")


def contents(room):
    """{name: bytes} of all files below."""
    return {path.relative_to(room).as_posix(): path.read_bytes()
            for path in room.rglob("*") if path.is_file() and not path.is_symlink()}


def try_one(kind, seed, parent, as_process=False):
    """-> "right", "refused", or what is wrong: a traceback, more than a line, a hang, …"""
    room = Path(parent) / f"{kind}-{seed}"
    room.mkdir()
    make_canary(room)
    attempt = KINDS[kind](random.Random(f"{kind}/{seed}"), room)
    before = contents(room)
    load()
    limit, began = LIMIT * (3 if as_process else 1), time.monotonic()   # Python loads, too
    try:
        status, out, err = (run_process if as_process else run_here)(attempt, room)
        problem = complaint(attempt, room, before, status, out, err)
    except (Hang, subprocess.TimeoutExpired):
        status, problem = None, f"has not ended after {limit} seconds"
    except BaseException:
        status, problem = None, traceback.format_exc()
    if not problem and time.monotonic() - began > limit:
        problem = f"took {time.monotonic() - began:.0f} seconds"
    if problem:
        return (f"{kind}, seed {seed}{', as a process' if as_process else ''}: {attempt.program}"
                f" {[word[:200] for word in attempt.line]}: {problem[-3000:]}")
    shutil.rmtree(room)
    return "right" if status == 0 else "refused"


def load():
    """What the commands load when they first need it, which is no part of their time."""
    for name in ("npgpt.cli.main", "torchgpt.cli.main", "torchgpt.generation", "torchgpt.modules",
                 "npgpt.runs.train", "npgpt.text.prepare.report", "npgpt.generation"):
        importlib.import_module(name)


def complaint(attempt, room, before, status, out, err):
    """-> what is wrong, or None."""
    after = contents(room)
    written = {0: "run/", 1: "run/log.jsonl"}.get(status) if attempt.writes else None
    spoiled = [name for name, data in before.items() if after.get(name) != data
               and not (written and name.startswith(written))]
    if spoiled:
        return f"has written to {spoiled}, status {status}: {err}"
    if status == 0:
        try:
            attempt.right(room, attempt.line, out)
        except Exception:
            return f"the result is not right: {out[-500:]}\n{traceback.format_exc()}"
        return None
    left = [name for name in after if name not in before and Path(name).name.startswith(".")]
    if left:
        return f"has left {left} behind"
    lines = [line for line in err.splitlines() if not PROGRESS.fullmatch(line)]
    if status == 1 and attempt.line[0] == "train" and len(lines) == 1 and DIVERGED.match(lines[0]):
        return None
    if status == 1 and "--check" in attempt.line and not lines:     # what it found is in `out`
        return None
    printed = out and (attempt.line[0] != "sample" or "--json" in attempt.line)     # no stream
    if status != 2 or len(lines) != 1 or not lines[0].startswith("error: ") or printed:
        return f"ends with status {status}, stdout {out[-300:]!r}, stderr {err[-2000:]}"
    return None


def run_here(attempt, room):
    """-> status, stdout, stderr of the command in this process."""
    from npgpt.cli.main import main as npgpt
    from torchgpt.cli.main import main as torchgpt

    main = {"npgpt": npgpt, "torchgpt": torchgpt}[attempt.program]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    stdin, here = sys.stdin, os.getcwd()
    sys.stdin = io.TextIOWrapper(io.BytesIO(attempt.stdin), "utf-8")
    os.chdir(room)
    try:
        with redirect_stdout(out), redirect_stderr(err), limits():
            status = main(list(attempt.line))
    finally:
        os.chdir(here)
        sys.stdin = stdin
    return status, *(text_of(each) for each in (out, err))


def text_of(stream):
    stream.flush()
    return stream.buffer.getvalue().decode("utf-8", "replace")


def run_process(attempt, room):
    """-> the same of the command as a process of its own."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", attempt.program, *attempt.line], cwd=room, input=attempt.stdin,
        capture_output=True, timeout=3 * LIMIT,
        env={**os.environ, "PYTHONPATH": root})
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode(
        "utf-8", "replace")
