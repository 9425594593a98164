"""Whatever a command is handed, it gives a right result, or one line and status 2.

No traceback, nothing that runs on, nothing written over. 500 inputs and 20 processes are
tried every time, 10,000 and 300 with --profile acceptance, which writes fuzz.json. A failure
names the kind and the seed: `try_one(kind, seed, directory)` tries it again."""

import functools
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import typer.main
from matplotlib.figure import Figure

from parity_tests import report
from parity_tests.fuzz import attempts, mutations
from parity_tests.fuzz.running import PROGRESS, complaint, contents, try_one
from parity_tests.suite import FUZZED

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX limits time and memory")

# how many of each kind, in this process and as processes; part 0 is for every change
HERE = {
    "command_line": 2000, "json_file_of_a_run": 1600, "weights_or_training_state": 1600,
    "index_of_shards": 800, "files_of_a_run_in_disorder": 400, "log": 600, "documents": 400,
    "prepared_text": 800, "tokenizer_file": 1400, "text_file": 400}
PROCESSES = {
    "command_line": 75, "json_file_of_a_run": 30, "weights_or_training_state": 30,
    "index_of_shards": 15, "files_of_a_run_in_disorder": 15, "log": 15, "documents": 30,
    "prepared_text": 30, "tokenizer_file": 45, "text_file": 15}
PARTS, PROCESS_PARTS = 20, 15
OTHER_SEEDS = 100_000       # of the processes


def parts(count):
    return [pytest.param(part, marks=[pytest.mark.acceptance] if part else [])
            for part in range(count)]


@pytest.fixture
def quick(monkeypatch):
    """What would take most of the time, and reads no input: pictures, and the parser of the
    command line, which is built anew for each."""
    def savefig(self, file, **options):
        (file.write if hasattr(file, "write") else Path(file).write_bytes)(b"\x89PNG")

    monkeypatch.setattr(Figure, "savefig", savefig)
    monkeypatch.setattr("npgpt.runs.train.draw_run", lambda path: None)
    monkeypatch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))


@pytest.mark.parametrize("part", parts(PARTS))
@pytest.mark.parametrize("kind", attempts.KINDS)
def test_in_this_process(kind, part, tmp_path, quick):
    count = HERE[kind] // PARTS
    check(kind, "in process", [try_one(kind, seed, tmp_path)
                               for seed in range(part * count, (part + 1) * count)])


@pytest.mark.parametrize("part", parts(PROCESS_PARTS))
def test_as_processes(part, tmp_path):
    wanted = [(kind, OTHER_SEEDS + seed) for kind in attempts.KINDS
              for seed in range(PROCESSES[kind]) if seed % PROCESS_PARTS == part]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        outcomes = list(pool.map(lambda each: try_one(*each, tmp_path, as_process=True), wanted))
    for kind in attempts.KINDS:
        check(kind, "as processes", [
            outcome for (of, _), outcome in zip(wanted, outcomes) if of == kind])


def check(kind, where, outcomes):
    """No outcome is a complaint; the others are counted for the record."""
    wrong = [outcome for outcome in outcomes if outcome not in ("right", "refused")]
    assert not wrong, f"{len(wrong)} of {len(outcomes)}:\n\n" + "\n\n".join(wrong[:5])
    counts = FUZZED.setdefault(where, {}).setdefault(kind, {"right": 0, "refused": 0})
    for outcome in outcomes:
        counts[outcome] += 1


def test_there_are_enough():
    assert set(HERE) == set(PROCESSES) == set(attempts.KINDS)
    assert sum(HERE.values()) == report.FUZZED_HERE == 10_000
    assert sum(PROCESSES.values()) == report.FUZZED_PROCESSES == 300
    assert all(count % PARTS == 0 for count in HERE.values())
    assert all(count % PROCESS_PARTS == 0 for count in PROCESSES.values())


def test_the_same_seed_makes_the_same_attempt(tmp_path):
    for kind, make in attempts.KINDS.items():
        made = []
        for name in "ab":
            room = tmp_path / f"{kind}-{name}"
            room.mkdir()
            attempt = make(random.Random(7), room)
            files = {file: data.replace(str(room).encode(), b"")
                     for file, data in contents(room).items()}
            made.append((attempt.line, attempt.program, attempt.stdin, files))
        assert made[0] == made[1], kind


class TestWhatIsFound:
    """The judge itself: each kind of failure is one."""

    @pytest.fixture
    def room(self, tmp_path):
        (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "log.jsonl").write_text("{}", encoding="utf-8")
        return tmp_path

    def judged(self, room, status=2, out="", err="error: it is wrong\n", change=None, writes=False,
               line=("sample",), right=lambda *given: None):
        before = contents(room)
        if change:
            (room / change).write_text("other", encoding="utf-8")
        attempt = attempts.Attempt(list(line), right, writes=writes)
        return complaint(attempt, room, before, status, out, err)

    def test_one_line_and_status_2(self, room):
        assert self.judged(room) is None
        assert self.judged(room, err="cleaning\nstep 1/2  loss\nerror: no\n") is None
        for given in ({"status": 1}, {"status": None}, {"out": "x", "line": ["inspect"]},
                      {"out": "x", "line": ["sample", "--json"]}, {"err": ""},
                      {"err": "error: a\nerror: b\n"}, {"err": "Traceback\nerror: b\n"},
                      {"err": "it is wrong\n"}):
            assert "ends with status" in self.judged(room, **given)

    def test_what_a_stream_and_a_check_have_printed(self, room):
        assert self.judged(room, out="The ") is None
        assert self.judged(room, 1, '{"right": false}', "", line=["train", "--check"]) is None

    def test_a_loss_that_diverges_is_told_with_status_1(self, room):
        said = "error: the loss is nan at step 21: start anew\n"
        assert self.judged(room, 1, err=said, line=["train"]) is None
        assert "ends with status" in self.judged(room, 1, err=said)
        assert "ends with status" in self.judged(room, 1, err="error: x\n", line=["train"])

    def test_what_is_written_over(self, room):
        assert "letter.txt" in self.judged(room, change="letter.txt")
        (room / "letter.txt").write_text("dear", encoding="utf-8")
        assert "letter.txt" in self.judged(room, 0, change="letter.txt", writes=True)
        assert "log.jsonl" in self.judged(room, 2, change="run/log.jsonl", writes=True)
        (room / "run" / "log.jsonl").write_text("{}", encoding="utf-8")
        assert self.judged(room, 0, change="run/log.jsonl", writes=True) is None
        (room / "run" / "log.jsonl").write_text("{}", encoding="utf-8")
        assert "log.jsonl" in self.judged(room, 0, change="run/log.jsonl")
        assert ".left" in self.judged(room, change=".left")

    def test_a_result_that_is_wrong(self, room):
        def wrong(*given):
            raise AssertionError("three is two")

        assert "three is two" in self.judged(room, 0, right=wrong)

    def test_what_does_not_end_or_stops(self, tmp_path, monkeypatch):
        from parity_tests.fuzz import running

        monkeypatch.setattr(running, "LIMIT", 0.3)
        for name, act, words in (("slow", lambda argv: endless(), "has not ended"),
                                 ("broken", lambda argv: 1 // 0, "ZeroDivisionError")):
            monkeypatch.setattr("npgpt.cli.main.main", act)
            monkeypatch.setattr("torchgpt.cli.main.main", act)
            (tmp_path / name).mkdir()
            assert words in try_one("log", 1, tmp_path / name)


def endless():
    while True:
        pass


def test_progress_is_known():
    assert PROGRESS.fullmatch("finding duplicates 3/4, 0:01 left")
    assert not PROGRESS.fullmatch("cleaningTraceback (most recent call last):")


@pytest.mark.parametrize("change", [mutations.raw, mutations.text])
def test_most_changes_are_changes(change):
    data = b"the cat sat\non the mat\n" * 5
    made = [change(random.Random(seed), data) for seed in range(100)]
    assert sum(each != data for each in made) > 80 and len(set(made)) > 10
