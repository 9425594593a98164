"""The data pipeline drawn: what becomes of a heap of documents; and MinHash against the truth."""

import json
import tempfile
from pathlib import Path

import numpy as np
from npgpt.random_stream import uniforms
from npgpt.text.corpora.stories import stories
from npgpt.text.prepare.dedup import shingles, signature, word_hashes
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.settings import Settings
from svg import Svg, chart

DONE = {}


def heap():
    """Fifty stories, and what a heap of files holds besides."""
    good = list(stories(52, 3))
    return [*good[:50], good[3], good[7], good[12] + " The end.", good[15].replace("the", "The"),
            "too short", "nothing here", "= * = * " * 40, "buy now! " * 100,
            good[50] + " Write to ann@example.com or call +44 20 7946 0958.",
            f"<html><body><nav>menu</nav><p>{good[51]}</p></body></html>"]


def prepared():
    if not DONE:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "heap.jsonl"
            source.write_text("\n".join(json.dumps({"text": text}) for text in heap()))
            DONE.update(prepare(Settings(str(source)), Path(folder) / "out"))
    return DONE


def picture(width):
    manifest = prepared()
    counts = manifest["documents"]
    phone = width < 500
    left = 0 if phone else 150
    unit = (width - left - 2) / counts["seen"]
    rows = [("read", counts["seen"], "documents")]
    rest = counts["seen"]
    for reason in ("too short", "too many symbols", "repeats itself", "exact duplicate",
                   "near duplicate"):
        lost = counts["dropped"].get(reason, 0)
        rest -= lost
        rows.append((reason, rest, f"−{lost}"))
    gap = 48 if phone else 38
    image = Svg(width, (len(rows) + 1) * gap + 10)
    for i, (name, left_over, note) in enumerate(rows):
        y = i * gap + (18 if phone else 4)
        image.text(0, y + (-4 if phone else 18), name, "lab")
        image.rect(left, y, left_over * unit - 2, 24, "cellbox np", 3, "--share:.6")
        image.text(left + 8, y + 17, left_over, "num")
        image.text(left + left_over * unit - 10, y + 17, note, "nt", "end")
    y = len(rows) * gap + (18 if phone else 4)
    image.text(0, y + (-4 if phone else 18), "split", "lab")
    train = manifest["train"]["documents"]
    validation = manifest["validation"]["documents"]
    image.rect(left, y, train * unit - 2, 24, "cellbox np", 3, "--share:1")
    image.rect(left + train * unit, y, validation * unit - 2, 24, "cellbox pt", 3, "--share:1")
    image.text(left + 8, y + 17, f"{train} train, {validation} validation", "num")
    return image


def plot(width):
    words = " ".join(stories(6, 5)).split()
    first = shingles(word_hashes(" ".join(words)))[0]
    true, estimate = [], []
    for n in range(40):
        change = uniforms((len(words),), 1, n, "plot") < (n / 39) ** 2 * 0.4
        other = [f"other{i}" if gone else word
                 for i, (word, gone) in enumerate(zip(words, change))]
        second = shingles(word_hashes(" ".join(other)))[0]
        both = len(np.intersect1d(first, second))
        true.append(both / (len(first) + len(second) - both))
        estimate.append(float((signature(first) == signature(second)).mean()))
    order = np.argsort(true)
    true, estimate = np.array(true)[order], np.array(estimate)[order]
    return chart(width, {"by 64 numbers": (true, estimate, "pt"), "exact": (true, true, "dim")},
                 "share of word groups that two texts have in common", "share estimated",
                 y_range=(0, 1))
