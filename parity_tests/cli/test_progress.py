"""The progress bar and the growing table, on a terminal and where there is none."""

import io
import re

import pytest

from npgpt.cli.prepare import Stages
from npgpt.cli.progress import TrainingProgress, clock, while_heard
from npgpt.cli.tables import GrowingTable


class Terminal(io.StringIO):
    def isatty(self):
        return True


both = pytest.mark.parametrize("output", [io.StringIO, Terminal], ids=["file", "terminal"])


def as_stderr(monkeypatch, kind):
    """For the test itself: pytest sets its own after the fixtures."""
    output = kind()
    monkeypatch.setattr("sys.stderr", output)
    monkeypatch.setenv("COLUMNS", "100")
    return output


def told(output):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", output.getvalue())


def record(step, **more):
    return {"step": step, "train_loss": 3.25, "tokens_per_second": 1234.5, **more}


@both
def test_training_shows_its_steps(monkeypatch, output):
    stderr = as_stderr(monkeypatch, output)
    with TrainingProgress(0, 120) as progress:
        progress({"step": 0, "validation_loss": 4.5})
        for step in range(1, 121):
            progress(record(step, **({"validation_loss": 2.125} if step == 70 else {})))
    text = told(stderr)
    assert "step 120/120" in text or not stderr.isatty()
    assert "loss 3.250  1,234 tokens/s" in text and "validation 2.125" in text
    if not stderr.isatty():
        lines = text.splitlines()
        assert [line.split()[1] for line in lines] == ["0/120", "50/120", "70/120", "100/120"]
        assert lines[0] == "step 0/120  validation 4.500"
        assert re.fullmatch(r"step 70/120  loss 3.250  1,234 tokens/s  validation 2.125"
                            r"  \d+:\d\d left", lines[2])
        assert "\x1b" not in stderr.getvalue()


def test_a_resumed_run_counts_the_time_of_its_own_steps(monkeypatch):
    output, now = io.StringIO(), [100.0]
    monkeypatch.setattr("sys.stderr", output)
    monkeypatch.setattr("npgpt.cli.progress.time.perf_counter", lambda: now[0])
    with TrainingProgress(40, 100) as progress:
        now[0] += 20.0
        progress(record(50))  # ten steps in 20 s: fifty more in 100 s
    assert output.getvalue().endswith("1:40 left\n")


def test_slow_steps_are_told_each_minute(monkeypatch):
    """And the time left is that of the steps, not of the validation before the first."""
    output, now = io.StringIO(), [0.0]
    monkeypatch.setattr("sys.stderr", output)
    monkeypatch.setattr("npgpt.cli.progress.time.perf_counter", lambda: now[0])
    with TrainingProgress(0, 40) as progress:
        now[0] = 55.0
        progress({"step": 0, "validation_loss": 4.5})
        for step in range(1, 9):
            now[0] += 20.0
            progress(record(step))
    lines = output.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["0/40", "3/40", "6/40"]
    assert lines[1].endswith("12:20 left")  # 37 steps of 20 s


@both
def test_preparing_shows_its_stages(monkeypatch, output):
    stderr = as_stderr(monkeypatch, output)
    now = [0.0]
    monkeypatch.setattr("npgpt.cli.progress.time.perf_counter", lambda: now[0])
    with Stages() as stages:
        for second in range(12):
            now[0] = second + 1.0
            stages("reading", 3 * second, 0)
        stages("encoding", 1, 8)
        now[0] += 6
        stages("encoding", 4, 8)
    text = told(stderr)
    assert "encoding 4/8" in text
    if not stderr.isatty():
        assert text.splitlines() == [
            "reading", "reading 15 MB  3.0 MB/s", "reading 30 MB  3.0 MB/s",
            "encoding 1/8  0:00 left", "encoding 4/8  0:06 left"]


@both
def test_a_table_grows_by_the_rows_that_are_due(monkeypatch, output):
    stderr = as_stderr(monkeypatch, output)
    with GrowingTable(("step", "[loss]")) as table:
        for i in range(20):
            table.add((f"{i}", f"{i / 2:.1f}"), due=i % 10 == 0)
    text = told(stderr)
    assert "[loss]" in text  # no markup
    if stderr.isatty():
        assert "9.5" in text.splitlines()[-2]  # the newest, due or not
    else:
        assert [line.split() for line in text.splitlines()] == [
            ["step", "[loss]"], ["0", "0.0"], ["10", "5.0"]]


def test_nobody_reads_any_more(monkeypatch):
    told = []

    def report(line):
        told.append(line)
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", io.StringIO())
    report = while_heard(report)
    for i in range(3):
        report({"step": i})
    assert told == [{"step": 0}]


def test_a_time_in_minutes():
    found = [clock(seconds) for seconds in (0, 59.4, 59.6, 3725)]
    assert found == ["0:00", "0:59", "1:00", "62:05"]
