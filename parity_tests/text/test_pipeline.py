"""npgpt prepare as a whole: every drop has a reason, nothing leaks, a kill changes no byte."""

import gzip
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest

from npgpt.cli.main import main
from npgpt.errors import InputError
from npgpt.text import dedup, load_corpus, pipeline, report, sources
from npgpt.text.filter import Limits
from npgpt.text.pipeline import prepare
from npgpt.text.prepared import Settings, is_prepared, open_prepared
from npgpt.text.stories import stories


def shingles(text):
    words = text.lower().split()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def near(text, changes):
    """A copy with some words changed, far apart."""
    words = text.split(" ")
    for i in range(changes):
        words[10 + i * 30] = "otherwise"
    return " ".join(words)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A folder of everything that goes wrong; and how many documents to drop for each reason."""
    folder = tmp_path_factory.mktemp("mixed")
    make_mixed(folder, 2_000_000)
    return folder


def make_mixed(folder, size):
    texts = list(stories(40, seed=9))
    for i, text in enumerate(texts[:20]):
        (folder / f"a{i:02}.txt").write_text(text)
    # exact duplicates, one of them with other line ends and blanks at its lines' ends
    (folder / "b-same.txt").write_text(texts[0])
    (folder / "b-crlf.txt").write_bytes(texts[1].replace("\n", "  \r\n").encode())
    # near duplicates: about 0.9 of the groups of five words are the same
    for i in range(5):
        (folder / f"c-near{i}.md").write_text(near(texts[2 + i], 3))
    page = "<html><head><title>A page</title><script>var x = 1;</script></head><body>"
    body = "".join(f"<p>{line}</p>" for line in texts[20].split("\n"))
    (folder / "d.html").write_text(f"{page}{body}</body></html>")
    (folder / "e-mail.txt").write_text(
        texts[21] + "\nWrite to ann@example.org or bob@example.com, call +49 30 12345678."
    )
    (folder / "f-empty.txt").write_bytes(b"")
    (folder / "f-blank.txt").write_bytes(b" \n\t\n")
    (folder / "g-broken.txt").write_bytes(texts[22].encode() + b"\xff\xfe")
    (folder / "h-binary.dat").write_bytes(b"\x89PNG\0\0\0")
    (folder / "i-short.txt").write_text("Too short.")
    (folder / "j-signs.txt").write_text("#!/@ $%^& *()_ +{}| " * 20)
    (folder / "k-again.txt").write_text("All work and no play makes a dull boy.\n" * 50)
    (folder / "l-loop.txt").symlink_to("l-loop.txt")
    os.mkfifo(folder / "m-pipe")
    lines = [json.dumps({"text": text}) for text in texts[23:30]]
    lines += ['{"text": 5}', "{broken", '{"words": "none"}', json.dumps({"text": texts[0]})]
    (folder / "n.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (folder / "o-broken.txt.gz").write_bytes(gzip.compress(texts[30].encode())[:-12])
    below = folder / "below"
    below.mkdir()
    (below / "p.txt").write_text(texts[31])
    (below / ".hidden").write_text(texts[32])
    with (folder / "z-large.txt").open("w") as file:
        written = 0
        for text in stories(size // 1500, seed=10):
            written += file.write(text + "\n\n")
            if written > size:
                break
    return folder


DROPPED = {
    "exact duplicate": 3,
    "near duplicate": 5,
    "empty file": 1,
    "no text": 1,
    "not UTF-8": 1,
    "binary file": 1,
    "too short": 1,
    "too many symbols": 1,
    "repeats itself": 1,
    "unreadable: Too many levels of symbolic links": 1,
    "not a regular file": 1,
    'no field "text"': 2,
    "not JSON": 1,
    "broken gzip file": 1,
}


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def check_prepared(folder, dropped):
    """Counts add up, files are what the manifest says, sides are apart, ids are the text."""
    prepared = open_prepared(folder)
    manifest = prepared.manifest
    documents = manifest["documents"]
    assert documents["dropped"] == dropped
    assert documents["seen"] == documents["kept"] + sum(dropped.values())
    told = json.loads((folder / "report.json").read_text())["examples"]
    assert {reason: len(examples) for reason, examples in told.items()} == {
        reason: min(3, count) for reason, count in dropped.items()
    }
    for name, about in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (about["bytes"], about["sha256"])
    assert set(contents(folder)) == {*manifest["files"], "manifest.json"}
    sides = {}
    for name, ids in (("train", prepared.train), ("validation", prepared.validation)):
        lines = (folder / f"{name}.jsonl").read_text().splitlines()
        sides[name] = [json.loads(line) for line in lines]
        about = manifest[name]
        texts = [document["text"] for document in sides[name]]
        joined = "".join(text + "\n\n" for text in texts)
        assert prepared.tokenizer.decode(ids.tolist()) == joined
        assert about["documents"] == len(texts)
        assert about["tokens"] == len(ids)
        assert about["bytes"] == len(joined.encode())
        assert about["bytes_per_token"] == pytest.approx(about["bytes"] / len(ids), abs=1e-5)
        assert about["chunks"] == sum(len(document["chunks"]) for document in sides[name])
    assert len(sides["train"]) + len(sides["validation"]) == documents["kept"]
    ids = [document["id"] for side in sides.values() for document in side]
    assert len(set(ids)) == len(ids)
    assert not {d["text"] for d in sides["train"]} & {d["text"] for d in sides["validation"]}
    return sides


def test_every_drop_has_a_reason_and_the_sum_adds_up(mixed, tmp_path):
    manifest = prepare(Settings(str(mixed)), tmp_path / "out")
    sides = check_prepared(tmp_path / "out", DROPPED)
    assert manifest["masked"] == {"email": 2, "phone": 1}
    documents = {d["source"]: d["text"] for side in sides.values() for d in side}
    assert "<EMAIL>" in documents["e-mail.txt"] and "ann@" not in documents["e-mail.txt"]
    assert documents["d.html"].startswith("A page\n\n")
    assert "<p>" not in documents["d.html"] and "var x" not in documents["d.html"]
    assert "below/p.txt" in documents and "below/.hidden" not in documents
    share = manifest["validation"]["documents"] / manifest["documents"]["kept"]
    assert 0.05 < share < 0.15
    text = (tmp_path / "out" / "report.md").read_text()
    assert all(f"dropped: {reason} | {count}" in text for reason, count in DROPPED.items())
    assert (tmp_path / "out" / "lengths.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "out" / "vocabulary.png").read_bytes()[:4] == b"\x89PNG"


def test_no_validation_document_nearly_equals_a_training_document(mixed, tmp_path):
    """All pairs, by the groups of words themselves."""
    prepare(Settings(str(mixed), validation=0.3), tmp_path / "out")
    sides = check_prepared(tmp_path / "out", DROPPED)
    small = {
        name: [shingles(d["text"]) for d in side if d["source"] != "z-large.txt"]
        for name, side in sides.items()
    }
    assert len(small["validation"]) > 5
    for held in small["validation"]:
        for seen in small["train"]:
            assert len(held & seen) / len(held | seen) < 0.8


def test_the_number_of_processes_changes_no_byte(mixed, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PIECE", 150_000)  # some portions for each process
    settings = Settings(str(mixed), tokenizer="bpe:400")
    prepare(settings, tmp_path / "one", workers=1)
    prepare(settings, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


class Killed(BaseException):
    pass


@pytest.fixture
def small_portions(monkeypatch):
    """Small portions, and no pictures, which take long to draw."""
    monkeypatch.setattr(sources, "PIECE", 20_000)
    monkeypatch.setattr(pipeline, "STORIES", 8)
    monkeypatch.setattr(report, "_draw", lambda folder, figures: None)


def test_stopped_before_any_write_it_goes_on_to_the_same_bytes(
    tmp_path, small_portions, monkeypatch
):
    """Every file is renamed into place: stop before each rename in turn, and go on."""
    settings = Settings("stories:60kB", tokenizer="words")
    prepare(settings, tmp_path / "whole")
    renames = 0
    rename = os.replace

    def stopping(source, target):
        nonlocal renames
        renames += 1
        if renames == last:
            raise Killed
        rename(source, target)

    monkeypatch.setattr(os, "replace", stopping)
    last = 0
    prepare(settings, tmp_path / "counted")
    total = renames
    assert total > 30
    for moment in [*range(1, total - 1, 4), total - 1, total]:
        out = tmp_path / str(moment)
        renames, last = 0, moment
        with pytest.raises(Killed):
            prepare(settings, out)
        with pytest.raises(InputError, match="not ready"):
            open_prepared(out)
        last = 0
        prepare(settings, out)
        assert contents(out) == contents(tmp_path / "whole"), moment


@pytest.mark.parametrize(("step", "count"), [("_decide", 2), ("_finish", 8)])
def test_half_written_portions_are_made_again(tmp_path, small_portions, monkeypatch, step, count):
    """Damage each file of an unfinished run in turn, and go on."""
    settings = Settings("stories:40kB")
    prepare(settings, tmp_path / "whole")

    def stop(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, step, stop)
        with pytest.raises(Killed):
            prepare(settings, tmp_path / "stopped")
    names = sorted(p.relative_to(tmp_path) for p in (tmp_path / "stopped").rglob("*.*"))
    files = [path for path in names if path.name.startswith(("000001", "verdicts"))]
    assert len(files) == count
    for number, path in enumerate(files):
        shutil.copytree(tmp_path / "stopped", tmp_path / "out")
        damaged = tmp_path / "out" / path.relative_to("stopped")
        if number % 3 == 2:
            damaged.unlink()
        else:
            damaged.write_bytes(damaged.read_bytes()[: -20 if number % 3 else 0])
        prepare(settings, tmp_path / "out")
        assert contents(tmp_path / "out") == contents(tmp_path / "whole"), path
        shutil.rmtree(tmp_path / "out")


COMMAND = "import sys; from npgpt.cli.main import main; sys.exit(main(sys.argv[1:]))"


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "prepare", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def kill_and_go_on(settings, out, kills, longest, draw):
    """SIGKILL once a portion is cleaned, then at random moments; how many runs
    were under way when it came."""
    killed = 0
    for number in range(kills):
        process = start(settings.source, "--out", out, "--workers", "2")
        if number:
            time.sleep(draw.uniform(0.3, longest))
        else:
            while process.poll() is None and not list(out.glob(".work/cleaned/*.npz")):
                time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        killed += process.returncode == -signal.SIGKILL
        # Python's own, of a worker that never heard what it is to do
        unborn = b"pickle.load(from_parent)" in errors
        assert unborn or b"Traceback" not in errors
    return killed


@pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")
def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path):
    settings = Settings("stories:2MB")
    prepare(settings, tmp_path / "whole")
    out = tmp_path / "out"
    assert kill_and_go_on(settings, out, 3, 2.0, random.Random(0))
    process = start(settings.source, "--out", out, "--workers", "1")
    assert process.wait() == 0, process.stderr.read()
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_says_how_to_go_on(tmp_path, workers):
    process = start("stories:50MB", "--out", tmp_path / "out", "--workers", workers)
    while not list(tmp_path.glob("out/.work/cleaned/*.npz")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == b"stopped; the same command goes on from here"


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
from npgpt.text.workers import Pool
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
from npgpt.text.workers import Pool
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


@pytest.mark.acceptance
def test_a_large_mixed_folder_in_little_memory_killed_and_run_again(tmp_path):
    """50 MB: as above, at size; the peak of all processes together below 600 MB."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    make_mixed(folder, 50_000_000)
    settings = Settings(str(folder))
    began = time.perf_counter()
    process = start(folder, "--out", tmp_path / "whole", "--workers", "2")
    peak = 0
    while process.poll() is None:
        peak = max(peak, family_memory(process.pid))
        time.sleep(0.05)
    assert process.returncode == 0, process.stderr.read()
    took = time.perf_counter() - began
    print(f"peak {peak / 1e3:.0f} MB, {took:.1f} s")
    assert 50_000 < peak < 600_000, f"{peak} kB"
    check_prepared(tmp_path / "whole", DROPPED)
    out = tmp_path / "out"
    assert kill_and_go_on(settings, out, 10, took / 2, random.Random(5)) >= 3
    prepare(settings, out, workers=1)
    assert contents(out) == contents(tmp_path / "whole")


def family_memory(pid):
    """kB that a process and its children hold."""
    total = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/status") as file:
                status = dict(line.split(":", 1) for line in file)
        except OSError:
            continue
        if pid in (int(name), int(status["PPid"])):
            total += int(status.get("VmRSS", "0 kB").split()[0])
    return total


@pytest.mark.acceptance
def test_a_hundred_megabytes_are_the_same_bytes_whatever_the_workers(tmp_path):
    sizes = {}
    for workers in (2, 1):
        began = time.perf_counter()
        process = start("stories:100MB", "--out", tmp_path / str(workers), "--workers", workers)
        assert process.wait() == 0, process.stderr.read()
        sizes[workers] = 100 / (time.perf_counter() - began)
    print(f"{sizes} MB/s")
    names = contents(tmp_path / "1").keys()
    assert names == contents(tmp_path / "2").keys()
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_directory_that_cannot_be_read_is_named(tmp_path, small_portions, monkeypatch):
    folder = tmp_path / "texts"
    for name in ("open", "secret"):
        (folder / name).mkdir(parents=True)
        for i, text in enumerate(stories(5)):
            (folder / name / f"{i}.txt").write_text(text)
    if os.name == "posix":
        (folder / "open" / os.fsdecode(b"name\xff.txt")).write_text(next(stories(1, seed=2)))
    scan = os.scandir

    def refusing(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    manifest = prepare(Settings(str(folder)), tmp_path / "out")
    assert manifest["documents"]["dropped"] == {"unreadable: Permission denied": 1}
    assert manifest["documents"]["kept"] >= 5
    assert "secret, from 0" in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="locks files as only POSIX does")
def test_a_directory_has_one_writer(tmp_path, small_portions, monkeypatch):
    """A second one is refused and changes nothing; the first one's end sets it free."""
    out = tmp_path / "out"
    settings = Settings("stories:40kB")
    decide = pipeline._decide

    def meanwhile(*arguments):
        with pytest.raises(InputError, match="out is being prepared by another process; wait"):
            prepare(replace(settings, mask=False), out)
        decide(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_decide", meanwhile)
        with pytest.raises(Killed):
            prepare(settings, out)
    prepare(settings, out)
    prepare(settings, tmp_path / "alone")
    assert contents(out) == contents(tmp_path / "alone")


def test_what_another_process_finishes_meanwhile_is_not_made_again(
    tmp_path, small_portions, monkeypatch
):
    """It is ready between the first look and the lock."""
    out = tmp_path / "out"
    work = pipeline.Work

    def late(*arguments):
        monkeypatch.setattr(pipeline, "Work", work)
        prepare(Settings("stories:40kB"), out)
        return work(*arguments)

    monkeypatch.setattr(pipeline, "Work", late)
    with pytest.raises(InputError, match="was prepared from other text"):
        prepare(Settings("stories:40kB", mask=False), out)
    assert open_prepared(out).manifest["settings"]["mask"]


# guards


def test_a_leak_fails_the_build(tmp_path, monkeypatch, small_portions):
    """Break the split, then the search for near duplicates: both are caught, nothing is written."""
    text = next(stories(1))
    lines = [text, text.upper(), *stories(12, seed=1), near(next(stories(1, seed=1)), 2)]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in lines))
    settings = Settings(str(file), near=0)
    assert prepare(settings, tmp_path / "fine")["documents"]["kept"] == 15

    def first_only(keys, kept, settings):
        return np.arange(len(keys)) == 0

    def last_only(keys, kept, settings):
        return np.arange(len(keys)) == len(keys) - 1

    def none(signatures, alive, threshold):
        return np.full(len(alive), -1)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_held_out", first_only)
        with pytest.raises(InputError, match="1 documents stand in both"):
            prepare(settings, tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_held_out", last_only)
        patch.setattr(dedup, "near_duplicates", none)
        with pytest.raises(InputError, match="1 documents stand in both"):
            prepare(replace(settings, near=0.8), tmp_path / "near")
    for name in ("out", "near"):
        assert not (tmp_path / name / "manifest.json").exists()


def test_what_was_prepared_is_not_overwritten(tmp_path, small_portions):
    settings = Settings("stories:30kB")
    out = tmp_path / "out"
    manifest = prepare(settings, out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert prepare(settings, out) == manifest
    for other in (
        Settings("stories:31kB"),
        Settings("stories:30kB", seed=1),
        Settings("stories:30kB", tokenizer="words"),
    ):
        with pytest.raises(InputError, match="was prepared from other text"):
            prepare(other, out)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="has other files in it"):
        prepare(settings, tmp_path / "mine")
    with pytest.raises(InputError, match="is a file"):
        prepare(settings, tmp_path / "mine" / "letter.txt")
    with pytest.raises(InputError, match="which is to be read"):
        prepare(Settings(str(tmp_path)), tmp_path / "new")


def test_other_settings_after_an_unfinished_run_start_anew(tmp_path, small_portions):
    with pytest.raises(InputError, match="out of reach"):
        prepare(Settings("stories:30kB", tokenizer="bpe:9000"), tmp_path / "out")
    prepare(Settings("stories:30kB", tokenizer="bpe:300"), tmp_path / "out")
    prepare(Settings("stories:30kB", tokenizer="bpe:300"), tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.parametrize(
    "change",
    [
        {"limits": Limits(shortest=1550)},
        {"mask": False},
        {"form": "NFKC"},
        {"seed": 1},
        {"near": 0},
    ],
)
def test_cleaned_portions_of_other_settings_are_not_taken(
    tmp_path, small_portions, monkeypatch, change
):
    texts = [f"{text} ² a@example.org" for text in stories(20)]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    settings = Settings(str(file))

    def stop(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_decide", stop)
        with pytest.raises(Killed):
            prepare(settings, tmp_path / "out")
    prepare(replace(settings, **change), tmp_path / "out")
    prepare(replace(settings, **change), tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.skipif(os.name != "posix", reason="names a file as only POSIX can")
def test_names_that_are_not_utf_8_are_shown_as_far_as_they_are(tmp_path, small_portions):
    name = str(tmp_path / os.fsdecode(b"caf\xe9.txt"))
    try:
        (tmp_path / name).write_text("\n\n".join(stories(20)))
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    out = tmp_path / "out"
    manifest = prepare(Settings(name, licence=os.fsdecode(b"\xff")), out)
    assert manifest == open_prepared(out).manifest
    assert manifest["origin"].endswith("caf?.txt") and manifest["licence"] == "?"
    assert "caf?.txt" in (out / "report.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="makes a link, which not every system lets one")
def test_a_link_to_itself_is_one_line(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(InputError, match="1 × unreadable: Too many levels of symbolic links"):
        prepare(Settings(str(loop)), tmp_path / "out")
    with pytest.raises(InputError, match=r"cannot write in .*loop: "):
        prepare(Settings("stories:4kB"), loop)


def test_a_prepared_directory_is_no_source(tmp_path, small_portions):
    ready = tmp_path / "ready"
    prepare(Settings("stories:40kB"), ready)
    for out in (tmp_path / "out", ready):
        with pytest.raises(InputError, match="ready is prepared already; give its source, which"):
            prepare(Settings(str(ready)), out)
    notes = tmp_path / "notes"  # a manifest alone is a document
    notes.mkdir()
    (notes / "manifest.json").write_text("\n\n".join(stories(20)))
    assert prepare(Settings(str(notes)), tmp_path / "out")["documents"]["kept"]
    assert not is_prepared(notes) and load_corpus(notes).documents


@pytest.mark.parametrize("lost", [
    "train.tokens", "validation.tokens", "tokenizer.json", "manifest.json"])
def test_a_prepared_directory_that_lost_a_file_is_not_read_as_text(tmp_path, small_portions, lost):
    out = tmp_path / "out"
    prepare(Settings("stories:40kB"), out)
    if lost == "manifest.json":
        (out / lost).write_bytes((out / lost).read_bytes()[:5])
    else:
        (out / lost).unlink()
    with pytest.raises(InputError, match=lost.replace(".", "[.]")):
        load_corpus(out)


@pytest.mark.parametrize("share", [1e-9, 0.1, 0.999999])
def test_few_documents_are_on_both_sides(tmp_path, small_portions, share):
    manifest = prepare(Settings("stories:4kB", validation=share), tmp_path / "out")
    assert manifest["train"]["documents"] + manifest["validation"]["documents"] == 3
    assert manifest["train"]["documents"] and manifest["validation"]["documents"]


def test_progress_is_told_in_bytes(tmp_path):
    texts = ["ж" * 600_000, *[f"The {word} text is long enough, and the {word} one at that."
                              for word in ("first", "second")]]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    told = []
    prepare(Settings(str(file)), tmp_path / "out", progress=lambda *line: told.append(line))
    assert [done for stage, done, _ in told if stage == "cleaning"][-1] == 1


def test_a_changed_or_missing_file_is_refused(tmp_path, small_portions):
    out = tmp_path / "out"
    prepare(Settings("stories:30kB"), out)
    for name in ("manifest.json", "tokenizer.json", "train.tokens", "validation.tokens"):
        data = (out / name).read_bytes()
        for wrong in (None, data[:-5], data[:-9] + b"123456789", b""):
            (out / name).unlink()
            if wrong is not None:
                (out / name).write_bytes(wrong)
            with pytest.raises(InputError) as caught:
                open_prepared(out)
            assert "\n" not in str(caught.value) and str(out) in str(caught.value)
            (out / name).write_bytes(data)
    whole = json.loads((out / "manifest.json").read_text())
    for lost in ("licence", "origin", "files", "validation"):
        fields = {name: value for name, value in whole.items() if name != lost}
        (out / "manifest.json").write_text(json.dumps(fields))
        with pytest.raises(InputError, match=r"manifest\.json is damaged"):
            open_prepared(out)
    (out / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        open_prepared(out)
    (out / "manifest.json").write_text(json.dumps(whole))
    assert open_prepared(out).validation_bytes == whole["validation"]["bytes"]
    with pytest.raises(InputError, match="not a prepared directory"):
        open_prepared(tmp_path / "none")


@pytest.mark.skipif(os.name != "posix", reason="limits a file's size as only POSIX can")
def test_a_write_that_fails_is_one_line_and_the_run_goes_on_later(tmp_path):
    limits = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # noqa: E731
    arguments = ["prepare", "stories:500kB", "--out", str(tmp_path / "out"), "--workers", "1"]
    failed = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        preexec_fn=limits,
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 2
    errors = [line for line in failed.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "File too large" in errors[0] and "run it again" in errors[0]
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert main(arguments) == 0


def test_the_command_prints_counts_and_json(tmp_path, capsys, small_portions):
    out = tmp_path / "out"
    arguments = ["prepare", "stories:40kB", "--out", str(out), "--workers", "1"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "26 documents read, 26 kept" in printed
    assert f"npgpt train --corpus {out}" in printed
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == open_prepared(out).manifest


@pytest.mark.parametrize("name", ["python-docs", "stories", "stories:x", "enwik8", "-out"])
def test_a_directory_called_like_a_corpus_or_an_option_is_told_as_a_path(
    name, tmp_path, capsys, small_portions, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "stories:4kB", f"--out={name}", "--workers", "1"]) == 0
    assert f"npgpt train --corpus ./{name}\n" in capsys.readouterr().out
    assert load_corpus(f"./{name}").documents


def test_every_option_arrives(monkeypatch, tmp_path):
    taken = []

    def stopped(settings, out, workers, tell):
        taken.extend((settings, out, workers))
        raise KeyboardInterrupt

    monkeypatch.setattr("npgpt.cli.prepare.run", stopped)
    limits = Limits(shortest=1, longest=2, symbols=0.1, repetition=0.2, script="han")
    given = Settings(
        "here", "words", "NFKC", limits, near=0.9, mask=False, validation=0.3, chunk=5, overlap=2,
        seed=3, licence="mine", sha256="ab")
    line = ["--tokenizer", "words", "--form", "nfkc", "--shortest", "1", "--longest", "2",
            "--symbols", "0.1", "--repetition", "0.2", "--script", "han", "--near", "0.9",
            "--no-mask", "--validation", "0.3", "--chunk", "5", "--overlap", "2", "--seed", "3",
            "--licence", "mine", "--sha256", "ab", "--workers", "7"]
    assert main(["prepare", "here", "--out", str(tmp_path), *line]) == 130
    assert taken == [given, tmp_path, 7]
    default = asdict(Settings(""))
    assert all(value != default[name] for name, value in asdict(given).items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.txt"], "no corpus and no file"),
        (["stories", "--form", "NFD"], "NFC or NFKC"),
        (["stories", "--near", "0.2"], "from 0.7 to 1"),
        (["stories", "--tokenizer", "bpe:256"], "at least 257"),
        (["stories", "--tokenizer", "nowhere.json"], "nowhere.json"),
        (["stories", "--script", "runes"], "not a script"),
        (["stories", "--validation", "1"], "less than 1"),
        (["stories", "--overlap", "800"], "at most half"),
        (["stories", "--seed", "-1"], "0 or more"),
        (["https://example.org/a.txt"], "needs its checksum"),
        (["stories", "--sha256", "ab"], "no URL"),
        (["stories", "--tokenizer", "bpe:²"], "at least 257"),
        (["stories", "--tokenizer", "bpe:٣٣٣"], "at least 257"),
        (["stories", "--tokenizer", f"bpe:{'9' * 5000}"], "at most 9 digits"),
        (["stories", "--workers", "0"], "0 workers: at least 1"),
        (["stories:1kB", "--shortest", "9000"], "nothing is left of stories:1kB: 1 × too short"),
        (["stories:1kB"], "one document only"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, capsys, arguments, message):
    assert main(["prepare", "--out", str(tmp_path / "out"), "--workers", "1", *arguments]) == 2
    errors = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0]
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_the_help_fits_a_screen(capsys):
    assert main(["prepare", "--help"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) <= 40 and max(map(len, printed)) <= 80
    assert any("npgpt prepare notes/" in line for line in printed)


def test_a_prepared_directory_is_a_corpus_split_as_it_was(tmp_path, small_portions):
    out = tmp_path / "out"
    manifest = prepare(Settings("stories:40kB", licence="mine"), out)
    corpus = load_corpus(out)
    assert len(corpus.train) == manifest["train"]["documents"]
    assert len(corpus.validation) == manifest["validation"]["documents"]
    assert sorted(corpus.documents) == sorted(stories(26))
    assert corpus.licence == manifest["licence"] == "mine"
    lines = (out / "train.jsonl").read_text()
    (out / "train.jsonl").write_text(lines.replace("the", "The", 1))
    with pytest.raises(InputError, match=r"train\.jsonl has changed"):
        load_corpus(out)
    ids = open_prepared(out).tokenizer.encode(corpus.train_text)
    assert ids == open_prepared(out).train.tolist()[:-2]


def test_limits_and_a_given_tokenizer_are_used(tmp_path, small_portions):
    first = prepare(Settings("stories:40kB", tokenizer="words"), tmp_path / "first")
    limits = Limits(shortest=1550)
    given = str(tmp_path / "first" / "tokenizer.json")
    second = prepare(Settings("stories:40kB", tokenizer=given, limits=limits), tmp_path / "second")
    assert second["tokenizer"] == first["tokenizer"]
    assert second["documents"]["dropped"]["too short"] > 0
    same = [(tmp_path / name / "tokenizer.json").read_bytes() for name in ("first", "second")]
    assert same[0] == same[1]


def test_the_vocabulary_curve_counts_distinct_words(tmp_path, small_portions):
    texts = [" ".join(f"w{i % 25}x{j % 90}" for j in range(120)) for i in range(120)]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    prepare(Settings(str(file)), tmp_path / "out")
    curve = json.loads((tmp_path / "out" / "report.json").read_text())["vocabulary"]
    assert curve[-1][0] == 120 * 120
    assert len(curve) > 10  # some portions, of five places each
    assert curve[-1][1] == pytest.approx(25 * 90, rel=0.01)
    for words, distinct in curve:
        whole, rest = divmod(words, 120)
        expected = min(25 * 90, whole * 90 + min(rest, 90))
        assert distinct == pytest.approx(expected, rel=0.01, abs=1)
