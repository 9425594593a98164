"""Loss on answers drawn: which tokens count, what it costs when all do, and two conversations
in one row."""

from functools import lru_cache

import numpy as np
from npgpt.finetuning.rows import example, packed
from npgpt.layers.cross_entropy import IGNORE
from npgpt.models import llama
from npgpt.random_stream import uniforms
from npgpt.training import adamw_init, adamw_step, init, loss_and_grads
from svg import Svg, chart

# one conversation of two questions, a word a token
WORDS = ["Q:", "Who", "went", "?", "A:", "Emma", "END",
         "Q:", "Where", "?", "A:", "the", "lake", "END"]
LEARNT = [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1]
NAMES = list(dict.fromkeys(WORDS))
IDS = [NAMES.index(word) for word in WORDS]
SECOND = [0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 1, 1]


def word(id):
    return "−" if id == IGNORE else NAMES[id]


def worked():
    inputs, targets = example(IDS, LEARNT)
    loss = token_losses()
    names = {
        "conversation": [[word(i), word(t), f"{value:.1f}" if t != IGNORE else "−"]
                         for i, t, value in zip(inputs, targets, loss)],
        "at": list(range(len(inputs))),
        "columns": ["input", "target", "loss"],
        "tokens": len(IDS), "count": int((targets != IGNORE).sum()),
        "answers": float(loss[targets != IGNORE].mean()),
        "halved": float(loss[targets != IGNORE].sum() / len(targets)),
        "first": float(loss[targets != IGNORE][:2].mean()),
        "second": float(loss[targets != IGNORE][2:].mean()),
        "all_right": curve(True)[-1] * 100, "answers_right": curve(False)[-1] * 100,
    }
    return {"answer_loss": {"names": names}}


def token_losses():
    """Made-up losses of the thirteen targets, in nats."""
    return np.array([2.5, 1.5, 0.5, 1.0, 1.0, 0.5, 0.5, 3.0, 0.5, 0.5, 2.5, 1.5, 0.5])


def row_of(image, y, words, kinds, left, step):
    for i, (text, kind) in enumerate(zip(words, kinds)):
        x = left + i * step
        style = () if kind == "box" else ("--share:.7",)
        image.rect(x, y, step - 3, 26, kind if kind == "box" else f"cellbox {kind}", 3, *style)
        image.text(x + step / 2 - 1.5, y + 17, text, "val", "middle")


def picture(width):
    phone = width < 500
    inputs, targets = example(IDS, LEARNT)
    part = range(7) if phone else range(len(inputs))
    left = 62 if phone else 76
    step = (width - left) / len(part)
    image = Svg(width, 138)
    image.name(0, 33, "inputs")
    image.name(0, 77, "targets")
    row_of(image, 16, [word(inputs[i]) for i in part], ["grey"] * len(part), left, step)
    row_of(image, 60, [word(targets[i]) for i in part],
           ["box" if targets[i] != IGNORE else "grey" for i in part], left, step)
    image.text(left, 112, "only where the answer is to be guessed is a loss taken", "nt")
    if not phone:
        image.text(left, 128, "END ends an answer, and is one of its tokens", "nt")
    return image


# The problem: prompts that cannot be guessed.

V, END, ASK, DIGITS, STEPS = 12, 10, 11, 8, 120
CONFIG = llama.Config(V, 16, layers=2, heads=2, channels=32)


def drawn(count, step):
    """Eight random digits, a mark, then the last two of them backwards, and the end."""
    rows = np.zeros((count, DIGITS + 4), np.int64)
    digits = (uniforms((count, DIGITS), 1, step, "digits") * 10).astype(np.int64)
    rows[:, :DIGITS], rows[:, DIGITS], rows[:, -1] = digits, ASK, END
    rows[:, DIGITS + 1:-1] = digits[:, :-3:-1]
    return rows


@lru_cache(maxsize=2)
def curve(all_tokens, every=20):
    """The fraction of unseen prompts that are answered right, every 20 steps."""
    params = init(llama, CONFIG, seed=1)
    state, right, tests = adamw_init(params), [], drawn(64, 10**6)
    for step in range(STEPS + 1):
        if step % every == 0:
            logits, _ = llama.forward(params, tests[:, :-1], CONFIG)
            guessed = logits.argmax(axis=-1)[:, DIGITS:]
            right.append(float((guessed == tests[:, DIGITS + 1:]).all(axis=1).mean()))
        rows = drawn(16, step)
        targets = rows[:, 1:].copy()
        if not all_tokens:
            targets[:, :DIGITS] = IGNORE
        _, grads = loss_and_grads(llama, params, rows[:, :-1], targets, CONFIG)
        adamw_step(params, grads, state, 3e-3)
    return right


def problem(width):
    steps = range(0, STEPS + 1, 20)
    return chart(width, {"loss on the answers": (steps, [100 * y for y in curve(False)], "att"),
                         "loss on all tokens": (steps, [100 * y for y in curve(True)], "ink")},
                 "step", "% of new prompts answered right", y_range=(0, 100))


# Two conversations in one row.


def two():
    return packed([[example(IDS[:7], LEARNT[:7]), example(*SECOND)]], 12)


def mask(width):
    """The mask of a packed row, with the causal one: white where nothing is read."""
    found = two()["mask"][0, 0] & np.tri(12, dtype=bool)
    positions = two()["positions"][0]
    left, top = 70, 40
    step = min(26.0, (width - left - 10) / 12)
    image = Svg(width, top + 12 * step + 24)
    image.name(0, 18, "positions")
    for key in range(12):
        image.text(left + key * step + step / 2, 18, positions[key], "val", "middle")
        for query in range(12):
            image.rect(left + key * step, top + query * step, step - 2, step - 2,
                       "cellbox att" if found[query, key] else "cellbox grey", 2,
                       "--share:.75" if found[query, key] else "--share:.12")
    image.name(0, top + 6 * step, "mask")
    image.text(left, top + 12 * step + 16, "across: what is read; down: which token reads", "nt")
    return image
