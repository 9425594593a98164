"""Multi-head attention drawn: each head looks its own way; and what a second head is worth."""

from functools import lru_cache

import numpy as np
from npgpt.blocks import multi_head_attention, multi_head_attention_backward
from npgpt.layers import attention, linear, merge_heads, softmax, split_qkv
from npgpt.training import adamw_init, adamw_step
from svg import Svg, chart
from worked import worked as computed

WORDS = ["Rex", "Tom", "him"]
CHANNELS = ["acts", "acted on", "dog", "cat"]
X = np.array([[[1.0, 0, 1, 0], [0, 1, 0, 1], [-1, -1, 0, 0]]])   # −1: wants to know
QKV = np.zeros((4, 12))
QKV[1, 1] = -4            # head 1 asks for who is acted on, where −1 says that it is wanted
QKV[0, 2] = -4            # head 2 for who acts
QKV[:2, 4:6] = QKV[:2, 6:8] = np.eye(2)     # keys of both heads: the two roles
QKV[2:, 8:10] = QKV[2:, 10:12] = np.eye(2)  # values of both: dog and cat
OUT = np.array([[0.0, 0, 1, 0],     # head 1, dog
                [0, 0.5, 0, 1],     # head 1, cat
                [1, 0.5, 0, 0],     # head 2, dog
                [-1, 0, 0, 0]])     # head 2, cat
PARAMS = {"qkv": {"weight": QKV, "bias": np.zeros(12)}, "out": {"weight": OUT,
                                                               "bias": np.zeros(4)}}
D_Y = np.zeros((1, 3, 4))
D_Y[0, 2] = [0, -0.6, 0.2, -0.4]


def inside():
    """The shares of both heads, and the heads joined."""
    (q, k, v), _ = split_qkv(linear(X, **PARAMS["qkv"])[0], 2)
    y, saved = attention(q, k, v, causal=True)
    return saved[3][0], merge_heads(y)[0][0]


def worked():
    probs, _ = inside()
    swapped = X.copy()
    swapped[0, :2, 2:] = X[0, 1::-1, 2:]      # Rex is the cat now
    heads = ["h1", "h1", "h2", "h2"]
    names = {"words": WORDS, "channels": CHANNELS, "heads2": ["head 1", "head 2"], "him": 2,
             "dogcat": ["dog", "cat"], "roles": ["acts", "acted on"],
             "hd": ["h1 dog", "h1 cat", "h2 dog", "h2 cat"], "h4": heads,
             "p1": probs[0], "p2": probs[1], "wq": QKV[:, :4], "wk": QKV[:, 4:8],
             "wv": QKV[:, 8:], "wo": OUT,
             "swapped": multi_head_attention(swapped, PARAMS, 2, causal=True)[0][0]}
    return {"multi_head_attention": {"args": {"x": X, "params": PARAMS, "heads": 2,
                                              "causal": True}, "d_y": D_Y, "names": names}}


def picture(width):
    """x, the two tables of shares, the joined heads, y."""
    phone = width < 500
    y, _ = multi_head_attention(X, PARAMS, 2, causal=True)
    probs, merged = inside()
    cell = (40, 25) if phone else (52, 26)
    left = 44 if phone else 150
    second = left + 3 * cell[0] + (50 if phone else 70)
    tall = 3 * cell[1]
    hidden = ~np.tri(3, dtype=bool)
    tops = [46, 46 + tall + 74, 46 + 2 * (tall + 74), 46 + 3 * (tall + 74)]
    image = Svg(width, tops[3] + tall + 8)
    middle = left + 2 * cell[0]

    def table(x_at, top, values, columns, digits=2, gone=None):
        image.matrix(x_at, top, values, cell, digits, WORDS, columns, top=1, kind="att",
                     hidden=gone)

    def title(x_at, top, words, note):
        image.text(x_at, top - 26, words, "nm").text(x_at + 8.2 * len(words) + 8, top - 26, note,
                                                     "nt")

    short = ["acts", "on", "dog", "cat"] if phone else CHANNELS
    title(left, tops[0], "x", "what each word is")
    table(left, tops[0], X[0], short)
    image.step("multi_head_attention-3", 0, tops[1] - 46, width, tall + 56)
    for i, x_at in enumerate((left, second)):
        image.arrow(middle, tops[0] + tall + 3, x_at + 1.5 * cell[0], tops[1] - 42)
        title(x_at, tops[1], f"head {i + 1}", "" if phone else ("who is acted on", "who acts")[i])
        table(x_at, tops[1], probs[i], WORDS, gone=hidden)
        image.arrow(x_at + 1.5 * cell[0], tops[1] + tall + 3, middle, tops[2] - 42)
    image.end()
    image.step("multi_head_attention-4", 0, tops[2] - 40, width, tall + 46)
    title(left, tops[2], "merged", "side by side")
    table(left, tops[2], merged, ["h1", "h1", "h2", "h2"] if phone
          else ["1 dog", "1 cat", "2 dog", "2 cat"])
    image.end()
    image.arrow(middle, tops[2] + tall + 3, middle, tops[3] - 42)
    image.step("multi_head_attention-5", 0, tops[3] - 40, width, tall + 46)
    title(left, tops[3], "y", "mixed by the output projection")
    table(left, tops[3], y[0], short)
    image.end()
    return image


SYMBOLS = POSITIONS = 4
SIZE = SYMBOLS + 3 * POSITIONS
EVERY = 10


def asked(draw, count):
    """Rows of symbols, and last a word that asks for the symbols at two places."""
    rows = np.arange(count)
    symbols = draw.integers(0, SYMBOLS, (count, POSITIONS))
    ask = np.stack([draw.permutation(POSITIONS)[:2] for _ in range(count)])
    x = np.zeros((count, POSITIONS + 1, SIZE))
    for place in range(POSITIONS):
        x[rows, place, symbols[:, place]] = 1
        x[:, place, SYMBOLS + place] = 1
    for i in range(2):
        x[rows, POSITIONS, SYMBOLS + (i + 1) * POSITIONS + ask[:, i]] = 1
    return x, symbols[rows[:, None], ask]


@lru_cache(maxsize=1)
def learned(steps=150, count=32, seed=0):
    """{heads: right answers in % at every 10th step} of one attention layer that learns."""
    found = {}
    for heads in (1, 2):
        draw = np.random.default_rng(seed)
        params = {name: {"weight": 0.7 * draw.normal(size=(SIZE, out)) / SIZE**0.5,
                         "bias": np.zeros(out)} for name, out in (("qkv", 3 * SIZE),
                                                                  ("out", SIZE))}
        state, curve = adamw_init(params), []
        test, answers = asked(np.random.default_rng(9), 128)
        for step in range(steps + 1):
            if step % EVERY == 0:
                y, _ = multi_head_attention(test, params, heads)
                guess = y[:, -1, :2 * SYMBOLS].reshape(-1, 2, SYMBOLS).argmax(-1)
                curve.append(100 * (guess == answers).mean())
            x, target = asked(draw, count)
            y, saved = multi_head_attention(x, params, heads)
            probs, _ = softmax(y[:, -1, :2 * SYMBOLS].reshape(count, 2, SYMBOLS))
            d_y = np.zeros_like(y)
            d_y[:, -1, :2 * SYMBOLS] = (probs - np.eye(SYMBOLS)[target]).reshape(count, -1) / count
            _, grads = multi_head_attention_backward(d_y, saved)
            adamw_step(params, grads, state, 0.03, weight_decay=0)
        found[heads] = curve
    return found


def problem(width):
    found = learned()
    steps = [EVERY * i for i in range(len(found[1]))]
    return chart(width, {"two heads": (steps, found[2], "att"), "one head": (steps, found[1],
                                                                          "ink")},
                 "training steps", "right answers in %", y_range=(0, 105))


def parts(width):
    """Tom's gradient from his queries, keys and values, and the sum."""
    values = computed("multi_head_attention", worked).values()
    d_qkv = values["d_qkv"]
    phone = width < 500
    left, cell = (62, (72, 28)) if phone else (120, (100, 30))
    image = Svg(width, 4 * 30 + 62)
    rows = [d_qkv[1, p * 4:(p + 1) * 4] @ QKV[:, p * 4:(p + 1) * 4].T for p in range(3)]
    rows.append(sum(rows))
    assert np.allclose(rows[3], values["d_x"][1])
    biggest = max(abs(v) for row in rows for v in row)
    for j, name in enumerate(CHANNELS):
        image.text(left + (j + 0.5) * cell[0], 14, name, "nt", "middle")
    for i, (row, name) in enumerate(zip(rows, ["from q", "from k", "from v", "d_x"])):
        top = 24 + i * cell[1] + (14 if i == 3 else 0)
        image.text(left - 10, top + 18, name, "tok", "end")
        for j, value in enumerate(row):
            kind = "up" if value > 0 else "dn" if value < 0 else "grey"
            image.rect(left + j * cell[0], top, cell[0] - 2, cell[1] - 2, f"cellbox {kind}", 3,
                       f"--share:{abs(value) / biggest:.3f}")
            image.text(left + (j + 0.5) * cell[0] - 1, top + cell[1] / 2 + 3, signed(value), "val",
                       "middle")
    image.line(left, 24 + 3 * cell[1] + 5, left + 4 * cell[0], 24 + 3 * cell[1] + 5, "axis")
    return image


def signed(value):
    text = f"{value:+.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("+0", "-0") else text.replace("-", "−")
