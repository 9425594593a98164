"""Batches drawn: windows and their targets, reading in order against reading at random."""

from functools import lru_cache
from pathlib import Path

import npgpt.layers
import numpy as np
from npgpt.layers import softmax
from npgpt.models import gpt2
from npgpt.random_stream import uniforms
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import adamw_init, adamw_step, init, loss_and_grads, mean_loss
from npgpt.training.batches import draw_batch, evaluation_batches, windows_at
from svg import Svg, chart

TEXT = "the cat sat on the mat and slept"
T, SEED, STEP = 8, 1, 300


def characters(row):
    return ["␣" if chr(i) == " " else chr(i) for i in row]


def worked():
    ids = np.array([ord(c) for c in TEXT])
    draws = uniforms((2,), SEED, STEP, "batch")
    starts = (draws * (len(ids) - T)).astype(np.int64)
    inputs, targets = windows_at(ids, starts, T)
    names = {"letters_in": [characters(row) for row in inputs],
             "letters_out": [characters(row) for row in targets],
             "rows": ["window 1", "window 2"], "at": list(range(T)), "n": len(ids),
             "draws": draws, "starts": starts, "windows": len(ids) - T,
             "steps": ["draws", "· windows", "starts"],
             "cut": [[f"{u:.3f}" for u in draws], [f"{u * (len(ids) - T):.2f}" for u in draws],
                     [str(s) for s in starts]],
             "ends": starts + T, "copied": fitted(0), "skipped": fitted(2), "right": fitted(1),
             "missed": 100 * np.exp(-1), "forgot": forgotten()}
    return {"draw_batch": {
        "args": {"ids": ids, "context_length": T, "batch_size": 2, "seed": SEED, "step": STEP},
        "names": names}}


def picture(width):
    ids = np.array([ord(c) for c in TEXT])
    phone = width < 500
    text = TEXT[:22] if phone else TEXT
    starts = np.array([4, 11] if phone else [4, 19])
    inputs, targets = windows_at(ids, starts, T)
    left = 56 if phone else 74
    step = (width - left - 2) / len(text)
    image = Svg(width, 238)

    def cells(y, first, characters, kind):
        for i, character in enumerate(characters):
            x = left + (first + i) * step
            image.rect(x, y, step - 1.5, 24, *(
                ("box", 3) if kind == "box" else (f"cellbox {kind}", 3, "--share:.7")))
            image.text(x + step / 2 - 1, y + 16, "␣" if character == " " else character, "val",
                       "middle")

    image.name(0, 26, "ids")
    cells(10, 0, text, "grey")
    for row, start in enumerate(starts):
        y = 62 + row * 92
        image.name(0, y + 16, "inputs")
        image.name(0, y + 46, "targets")
        cells(y, start, [chr(i) for i in inputs[row]], "grey")
        cells(y + 30, start + 1, [chr(i) for i in targets[row]], "box")
        x = left + (start + T + 1) * step + 8
        if x + 70 < width:
            image.text(x, y + 34, f"start = {start}", "nt")
        image.line(left + start * step, 36, left + start * step, y - 2, "axis")
    return image


# The problem: a text of two parts, read from front to back.

LONG, B, STEPS = 32, 8, 60


@lru_cache(maxsize=1)
def data():
    """ids of a text whose first part is stories and whose second is Python, and stories that
    are in neither."""
    corpus = load_corpus("stories:100KB")
    layers = Path(npgpt.layers.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(layers.glob("*.py")))
    part = LONG * B * STEPS
    text = corpus.train_text[:part] + code[:part]
    locked_in = corpus.validation_text[:3000]
    tokenizer = CharacterTokenizer.train(text + locked_in)
    return (np.array(tokenizer.encode(text)), np.array(tokenizer.encode(locked_in)),
            gpt2.Config(tokenizer.vocab_size, LONG, layers=2, heads=2, channels=32, tied=False))


@lru_cache(maxsize=2)
def curve(in_order, every=10):
    """The loss on stories after each `every` steps, through the text once."""
    ids, locked_in, config = data()
    params, points = init(gpt2, config), []
    state = adamw_init(params)
    for step in range(2 * STEPS + 1):
        if step % every == 0:
            losses = [float(mean_loss(gpt2, params, *batch, config))
                      for batch in evaluation_batches(locked_in, LONG, 32)]
            points.append((step, float(np.mean(losses))))
        starts = (step * B + np.arange(B)) * LONG
        inputs, targets = (windows_at(ids, np.minimum(starts, len(ids) - LONG - 1), LONG)
                           if in_order else draw_batch(ids, LONG, B, 1, step))
        _, grads = loss_and_grads(gpt2, params, inputs, targets, config)
        adamw_step(params, grads, state, 3e-3)
    return points


def forgotten():
    """The loss on stories after the stories, after the Python; and with random windows."""
    ordered, drawn = dict(curve(True)), dict(curve(False))
    return ordered[STEPS], ordered[2 * STEPS], drawn[2 * STEPS]


def problem(width):
    series = {}
    for name, in_order, style in (("front to back", True, "ink"),
                                  ("random windows", False, "att")):
        steps, losses = zip(*curve(in_order))
        series[name] = (steps, losses, style)
    low, high = 2.1, 4.7
    series[" "] = ((STEPS, STEPS), (low, high), "dim")
    return chart(width, series, "step", "loss on other stories, in nats", y_range=(low, high),
                 notes=[(STEPS - 2, high - 0.15, "stories", "end"),
                        (STEPS + 2, high - 0.15, "then Python", "start")])


@lru_cache(maxsize=3)
def fitted(shift, steps=60):
    """The training loss after `steps` steps where the targets lie `shift` tokens ahead."""
    ids, _, config = data()
    params, losses = init(gpt2, config), []
    state = adamw_init(params)
    for step in range(steps):
        inputs, _ = draw_batch(ids[:len(ids) // 2 - 2], LONG, B, 1, step)
        starts = (uniforms((B,), 1, step, "batch") * (len(ids) // 2 - 2 - LONG)).astype(np.int64)
        targets = ids[starts[:, None] + np.arange(LONG) + shift]
        loss, grads = loss_and_grads(gpt2, params, inputs, targets, config)
        adamw_step(params, grads, state, 3e-3)
        losses.append(float(loss))
    return float(np.mean(losses[-5:]))


# How many windows, and how they are chosen.

SIZES = [1, 2, 4, 8, 16, 32, 64]


@lru_cache(maxsize=1)
def noise(rounds=120, length=16, seed=0):
    """The distance of a batch's gradient from the whole text's, by the latter's length, for a
    table of scores (all 0): random windows, and neighbouring ones."""
    ids, _, config = data()
    V, draw = config.vocab_size, np.random.default_rng(seed)

    def gradient(starts):
        inputs, targets = windows_at(ids, starts, length)
        counts = np.bincount((inputs * V + targets).ravel(), minlength=V * V).reshape(V, V)
        return (counts.sum(1, keepdims=True) * softmax(np.zeros((1, V)))[0] - counts) \
            / inputs.size

    whole = gradient(np.arange(0, len(ids) - length, length))
    out = {"random": [], "neighbours": []}
    for size in SIZES:
        for name in out:
            found = []
            for _ in range(rounds):
                starts = draw.integers(0, len(ids) - length * (size + 1), size)
                if name == "neighbours":
                    starts = starts[0] + length * np.arange(size)
                found.append(((gradient(starts) - whole) ** 2).sum())
            out[name].append(float(np.sqrt(np.mean(found) / (whole ** 2).sum())))
    return out


def plot_noise(width):
    found = noise()
    first = found["random"][0]
    return chart(width, {"random": (SIZES, found["random"], "att"),
                         "neighbours": (SIZES, found["neighbours"], "ink"),
                         "1/√B": (SIZES, [first / np.sqrt(size) for size in SIZES], "dim")},
                 "windows in a batch, B", "distance from the whole text's gradient", x_log=True,
                 x_ticks=SIZES, y_range=(0, 3.6))


def plot(width):
    """The share of a text's tokens that have been a target after each step."""
    ids, size, length = np.arange(4097), 12, 16
    read, percent = np.zeros(len(ids), bool), []
    for step in range(1, 65):
        _, targets = draw_batch(ids, length, size, 1, step)
        read[targets] = True
        percent.append(100 * read.mean())
    passes = np.arange(1, 65) * size * length / len(ids)
    return chart(width, {"epochs": ([0, 1, 3], [0, 100, 100], "ink"),
                         "random": (passes, percent, "att"),
                         "100 (1 − e⁻ˣ)": (passes, 100 * (1 - np.exp(-passes)), "dim")},
                 "tokens read, in lengths of the text x", "% of the text read at least once",
                 y_range=(0, 104))
