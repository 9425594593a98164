"""The data pipeline drawn: a loss that copies make look good; what becomes of a heap of
documents; one page on its way; and MinHash against the truth."""

import json
import math
import random
import tempfile
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

import numpy as np
from npgpt.random_stream import uniforms
from npgpt.text import BytePairTokenizer, load_corpus
from npgpt.text.corpora.stories import stories
from npgpt.text.prepare.clean import clean
from npgpt.text.prepare.dedup import _permutations, shingles, signature, word_hashes
from npgpt.text.prepare.filter import symbol_ratio
from npgpt.text.prepare.personal import mask_personal
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.settings import Settings
from npgpt.text.prepare.split import split_key
from npgpt.text.prepare.strip import strip_html
from svg import Svg, chart

DONE = {}
ORDERS = range(7)              # tokens of context that the counting model looks at
LITTLE = 0.1                   # how much a shorter context counts, beside what was counted
PAGE = ("<html><body><nav>Home | Cats | Log in</nav>\r\n"
        "<p>Our cafe\u0301 has a\u00a0small grey cat. \u200bShe sleeps on the warm mat,   \r\n"
        "and she likes every guest who brings a fish.</p>\r\n"
        "<p>Ask Ann: ann@example.com, +44 20 7946 0958.</p></body></html>")
ONE = "our small grey cat sleeps on the mat"
TWO = "our small grey cat sleeps on the sofa"


def worked():
    stages = [PAGE, strip_html(PAGE)]
    stages.append(clean(stages[-1]))
    stages.append(mask_personal(stages[-1])[0])
    measured = []
    for text in stages:
        groups, repeats = shingles(word_hashes(text))
        measured.append([len(text), len(word_hashes(text)), len(groups), repeats,
                         symbol_ratio(text)])
    clean_loss, leaked, training = losses()
    groups, ranks = ranking()
    counts = prepared()
    side = split_key(stages[-1]) / 2**64
    first, second = (signature(shingles(word_hashes(text))[0]) for text in (ONE, TWO))
    spam = "buy now! " * 60
    return {"data_pipeline": {"names": {
        "stages": ["as read", "after strip", "after clean", "after mask"],
        "columns": ["length", "words", "groups", "symbols"],
        "measured": [[*map(str, row[:3]), f"{row[4]:.2f}"] for row in measured], "side": side,
        "symbols": measured[-1][-1], "repeated": measured[-1][-2],
        "clean": clean_loss, "leaked": leaked, "training": training,
        "best": int(np.argmin(clean_loss)), "chosen": int(np.argmin(leaked)),
        "ranks": ranks, "groups": groups, "draws": ["in", *map(str, range(1, 7))],
        "same": int((first == second)[:6].sum()), "share": float((first == second).mean()),
        "spam": shingles(word_hashes(spam))[1], "wall": symbol_ratio("= * = * " * 40),
        "seen_": counts["documents"]["seen"], "kept": counts["train"]["documents"],
        "held": counts["validation"]["documents"]}}}


def ranking():
    """For the five groups of words of two sentences and six permutations: which rank each
    group has, and the least of each sentence, as the page's table has it."""
    sentences = [text.split() for text in (ONE, TWO)]
    groups = [[" ".join(words[i:i + 5]) for i in range(len(words) - 4)] for words in sentences]
    names = list(dict.fromkeys(groups[0] + groups[1]))
    hashes = np.array([shingles(word_hashes(name))[0][0] for name in names])
    a, b = (part[:6] for part in _permutations())
    ranks = (a * hashes + b).argsort(axis=1).argsort(axis=1).T + 1          # (groups, 6)
    least = [[ranks[[names.index(name) for name in those], p].min() for p in range(6)]
             for those in groups]
    where = ["first" if name not in groups[1] else "second" if name not in groups[0] else "both"
             for name in names]
    rows = [[place, *map(str, row)] for place, row in zip(where, ranks)]
    rows += [["", *map(str, least[0])], ["", *map(str, least[1])],
             ["", *("yes" if x == y else "no" for x, y in zip(*least))]]
    short = [f"{name.split()[0]} … {name.split()[-1]}" for name in names]
    return [*short, "least of first", "least of second", "equal?"], rows


@lru_cache(maxsize=1)
def losses():
    """Nats a token of a model that counts, with 0 to 6 tokens of context: on documents held
    out, on the same with a fifth of copies among them, and on its own training text."""
    text = load_corpus("python-docs").train_text
    documents = [part for part in text.split("\n\n") if len(part) > 200]
    random.Random(0).shuffle(documents)
    tokenizer = BytePairTokenizer.train(text[:200_000], 800)
    ids = [tokenizer.encode(part) for part in documents[:700]]
    train, held_out, copies = ids[:600], ids[600:], ids[:600:30]
    tables = [defaultdict(Counter) for _ in ORDERS]
    for row in train:
        for n in ORDERS:
            for k in range(n, len(row)):
                tables[n][tuple(row[k - n:k])][row[k]] += 1
    totals = [{key: counts.total() for key, counts in table.items()} for table in tables]

    def loss(rows):
        sums, count = np.zeros(len(tables)), 0
        for row in rows:
            for k, token in enumerate(row):
                prob = 1 / tokenizer.vocab_size
                for n in ORDERS:
                    if n <= k:
                        key = tuple(row[k - n:k])
                        total = totals[n].get(key, 0)
                        found = tables[n][key][token] if total else 0
                        prob = (found + LITTLE * prob) / (total + LITTLE)
                    sums[n] -= math.log(prob)
            count += len(row)
        return list(sums / count)

    return loss(held_out), loss(held_out[:80] + copies), loss(train[:100])


def problem(width):
    clean_loss, leaked, training = losses()
    phone = width < 500
    orders = list(ORDERS)
    return chart(width, {"held out": (orders, clean_loss, "att"),
                         "a fifth copies" if phone else "a fifth of it copies":
                         (orders, leaked, "ink"),
                         "training" if phone else "training text": (orders, training, "dim")},
                 "tokens of context", "nats a token", y_range=(0, 6))


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
        image.rect(left, y, left_over * unit - 2, 24, "cellbox att", 3, "--share:.5")
        image.text(left + 8, y + 17, left_over, "num")
        image.text(left + left_over * unit - 10, y + 17, note, "nt", "end")
    y = len(rows) * gap + (18 if phone else 4)
    image.text(0, y + (-4 if phone else 18), "split", "lab")
    train = manifest["train"]["documents"]
    validation = manifest["validation"]["documents"]
    image.rect(left, y, train * unit - 2, 24, "cellbox att", 3, "--share:1")
    image.rect(left + train * unit, y, validation * unit - 2, 24, "cellbox grey", 3, "--share:1")
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
    return chart(width, {"by 64 numbers": (true, estimate, "att"), "exact": (true, true, "dim")},
                 "share of word groups that two texts have in common", "share estimated",
                 y_range=(0, 1))
