"""A folder of everything that goes wrong, and what must hold of what is prepared from it."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from npgpt.text.corpora.stories import stories
from npgpt.text.prepare.prepared import open_prepared


def shingles(text):
    words = text.lower().split()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def near(text, changes):
    """A copy with some words changed, far apart."""
    words = text.split(" ")
    for i in range(changes):
        words[10 + i * 30] = "otherwise"
    return " ".join(words)


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


class Killed(BaseException):
    pass


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
