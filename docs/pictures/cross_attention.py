"""Cross-attention drawn: two tokens that are written look into three that were read."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from npgpt.blocks import cross_attention, project_heads
from npgpt.layers import attention
from svg import Svg, chart

RECORD = Path(__file__).parents[1] / "records" / "encoder_decoder.json"
READ = ["b", "a", "d"]
WRITTEN = ["start", "d"]
CHANNELS = ["b", "a", "d", "1st", "2nd", "3rd"]
MEMORY = np.array([[[1.0, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1]]])
X = np.array([[[0.0, 0, 0, 0, 0, 1], [0, 0, 1, 0, 1, 0]]])    # each asks for a position
ASK, KEY, VALUE, OUT = (np.zeros((6, 6)) for _ in range(4))
ASK[3:, 3:] = 8 * np.eye(3)       # the position that is wanted
KEY[3:, 3:] = np.eye(3)           # where a letter stands
VALUE[:3, :3] = OUT[:3, :3] = np.eye(3)     # which letter it is
PARAMS = {name: {"weight": weight, "bias": np.zeros(6)} for name, weight in (
    ("q", ASK), ("k", KEY), ("v", VALUE), ("out", OUT))}
D_Y = np.zeros((1, 2, 6))
D_Y[0, 0, :3] = [0.3, 0.0, -0.3]  # the first token should say more of d and less of b


def fractions():
    """Of each token that is written, over those that were read."""
    q, k, v = (project_heads(x, PARAMS[name], 1)[0]
               for name, x in (("q", X), ("k", MEMORY), ("v", MEMORY)))
    return attention(q, k, v)[1][3][0, 0]


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def worked():
    run = record()["runs"]["reverse-True"]
    hidden, _ = cross_attention(X, MEMORY, PARAMS, 1, np.array([True, True, False]))
    names = {"read": READ, "written": WRITTEN, "channels": CHANNELS, "letters": CHANNELS[:3],
             "places": CHANNELS[3:], "ask": ASK[3:, 3:], "p": fractions(), "memory_0": MEMORY[0],
             "x_0": X[0], "blind": 100 / 26, "right": 100 * run["tokens"],
             "steps": run["steps"], "length": run["length"], "hidden": hidden}
    return {"cross_attention": {"args": {"x": X, "memory": MEMORY, "params": PARAMS, "heads": 1},
                                "d_y": D_Y, "names": names},
            "project_heads": {"args": {"x": MEMORY, "params": PARAMS["k"], "heads": 1},
                              "d_y": np.zeros((1, 1, 3, 6)), "names": names}}


def picture(width):
    """Left what is written, above what was read; the shares where they meet, and the answer."""
    phone = width < 500
    cell = (40, 28) if phone else (56, 30)
    left, top = (66 if phone else 150), 76
    probs, (y, _) = fractions(), cross_attention(X, MEMORY, PARAMS, 1)
    image = Svg(width, top + 2 * 30 + (130 if phone else 44))
    image.text(left, 14, "memory: what the encoder read", "lab")
    image.text(left, 32, "keys say where, values which letter", "nt")
    image.step("cross_attention-3", 0, top - 24, width, 2 * cell[1] + 36)
    image.matrix(left, top, probs, cell, 2, WRITTEN, READ, top=1, kind="att")
    image.end()
    second = left + 3 * cell[0] + (22 if phone else 60)
    if phone:
        second, low = left, top + 2 * cell[1] + 62
    else:
        low = top
    image.text(second, low - 24, "y: the letters found", "nt")
    image.step("cross_attention-5", second - 8, low - 40, 3 * cell[0] + 16, 2 * cell[1] + 52)
    image.matrix(second, low, y[0, :, :3], cell, 2, WRITTEN if phone else (), READ, top=1,
                 kind="np")
    image.end()
    if not phone:
        image.text(left - 10, top + 2 * cell[1] + 26, "asks for 3rd, then for 2nd", "nt", "start")
    return image


def problem(width):
    """Right letters against training steps, and what a decoder without the source can reach."""
    curve = record()["runs"]["reverse-True"]["curve"]
    steps = [0, *(row["step"] for row in curve)]
    right = [100 / 26, *(100 * row["tokens"] for row in curve)]
    return chart(width, {"with cross-attention": (steps, right, "att"),
                         "no source": (steps, [100 / 26] * len(steps), "ink")},
                 "training steps", "right letters in %", y_range=(0, 105))


def plot(width):
    """A trained model's last decoder block, mean of its heads: the reversed diagonal."""
    said = record()
    table = np.array(said["runs"]["reverse-True"]["map"])
    phone = width < 500
    left, top = 44, 46
    size = (width - left - 8) / table.shape[1]
    size = min(size, 15 if phone else 22)
    image = Svg(width, top + size * len(table) + 10)
    image.text(left, 12, "source", "lab")
    rows = [*said["text"][::-1], "end"]
    for j, word in enumerate(said["text"]):
        image.text(left + (j + 0.5) * size, top - 6, word, "nt", "middle")
    for i, row in enumerate(table):
        image.text(left - 6, top + (i + 0.5) * size + 4, rows[i], "nt", "end")
        for j, value in enumerate(row):
            image.rect(left + j * size, top + i * size, size - 1, size - 1, "cellbox att", 2,
                       f"--share:{value:.3f}")
    return image
