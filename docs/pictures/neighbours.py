"""A table of token embeddings in a plane, before training, on the way and after it."""

import json
from functools import lru_cache

import numpy as np
from block import DOCS
from svg import Svg, chart

KINDS = {"animals": "pt-o", "people": "att-o", "names": "np-o", "places": "dn-o", "looks": "dim-o"}
SPOKEN = {"animals": "animals", "people": "people", "names": "names", "places": "places",
          "looks": "red, small, soft …"}


@lru_cache(maxsize=1)
def record():
    path = DOCS / "records" / "embeddings_projection.json"
    return json.loads(path.read_text(encoding="utf-8"))


def states():
    return record()["states"]


def worked():
    first, last, then = states()[0], states()[-1], {each["step"]: each for each in states()}

    def nearest(word, step, count):
        return {token.strip() for token, _ in then[step]["nearest"][word][:count]}

    assert "prince" in nearest("duck", 100, 1), "the text speaks of it, and of what follows"
    assert nearest("king", 300, 3) == {"queen", "woman", "man"}
    assert nearest("king", 5000, 3) == {"man", "prince", "queen"}
    assert then[300]["within"] > then[1000]["within"] > last["within"]
    return {"neighbours": {"names": {
        "first": first, "last": last, "count": len(first["words"]),
        "kept": 100 * sum(last["ratios"]), "record": record()}}}


def panel(image, state, left, top, width, height, words=False, radius=4.0):
    """The words of one state; with `words`, the name of each group."""
    points = np.array(state["points"])
    low, high = points.min(axis=0), points.max(axis=0)
    middle, size = (low + high) / 2, 1.16 * max((high - low).max(), 1e-9)

    def at(point):
        x, y = (np.array(point) - middle) / size + 0.5
        return left + x * width, top + (1 - y) * height

    image.rect(left, top, width, height, "cellbox grey", 8, "--share:.12")
    for point, group in zip(points, state["groups"]):
        x, y = at(point)
        image.dot(x, y, radius, KINDS[group])
    if words:
        for group in KINDS:
            mine = np.array([at(point) for point, name in zip(points, state["groups"])
                             if name == group])
            x, y = mine.mean(axis=0)
            below = mine[:, 1].max() + 20
            image.text(min(max(x, left + 40), left + width - 44),
                       below if below < top + height - 4 else mine[:, 1].min() - 10,
                       SPOKEN[group], "lab", "middle")


def legend(image, y, width):
    x, step = 4, width / len(KINDS)
    for i, (group, kind) in enumerate(KINDS.items()):
        image.dot(x + i * step + 4, y, 4.2, kind)
        image.text(x + i * step + 13, y + 4, group, "nt")


def picture(width):
    """Before the first step, and after the last."""
    phone = width < 500
    side = width if phone else (width - 24) / 2
    height = 0.86 * side
    image = Svg(width, 26 + (2 * (height + 26) if phone else height + 26))
    legend(image, 10, min(width, 480))
    for i, state in enumerate((states()[0], states()[-1])):
        left, top = (0, 48 + i * (height + 26)) if phone else (i * (side + 24), 48)
        words = "before the first step" if i == 0 else f"after {state['step']:,} steps"
        image.text(left, top - 8, words, "lab")
        panel(image, state, left, top, side, height, words=i == 1)
    image.height += 2
    return image


def through(width):
    """All states, small."""
    phone = width < 500
    columns = 2 if phone else 3
    side = (width - 14 * (columns - 1)) / columns
    height = 0.8 * side
    rows = -(-len(states()) // columns)
    image = Svg(width, 24 + rows * (height + 26))
    legend(image, 8, min(width, 480))
    for i, state in enumerate(states()):
        left, top = (i % columns) * (side + 14), 44 + (i // columns) * (height + 26)
        image.text(left, top - 7, f"step {state['step']:,}", "lab")
        panel(image, state, left, top, side, height, radius=2.8)
    return image


def alike(width):
    """How alike two words are, of one group and of two."""
    steps = [max(each["step"], 10) for each in states()]
    return chart(width, {
        "of one group": (steps, [each["within"] for each in states()], "att"),
        "of two groups": (steps, [each["between"] for each in states()], "ink")},
        "step of training (the first: before it)", "cosine of two words, mean", x_log=True,
        y_range=(-0.2, 1.0))
