"""The bug museum drawn: what each mistake costs in loss, and how far it moves the logits."""

import math

from museum import record
from svg import Svg, printed

LABELS = {
    "no last norm": "no last norm", "gate and up": "gate and up swapped",
    "1 + weight": "1 + weight in the norm", "tiled heads": "heads tiled",
    "no root of D": "no 1/√D", "no rotation": "no rotation", "minus the angle": "rotated by −θ",
    "rows not reordered": "rows not reordered", "other pairs": "other pairs",
    "GELU for SiLU": "GELU for SiLU", "keys one late": "keys one late",
    "cache one late": "cache one late", "eps 1e-6": "eps 1e-6", "eps outside": "eps outside √",
    "float16 angles": "float16 cos, sin", "theta 1e4": "θ = 10,000",
    "layer norm": "layer norm", "one token leaks": "mask leaks a token",
    "all one later": "all positions + 1"}
QUIET = 0.3      # nats


def worked():
    found = record()
    exhibits = {each["name"]: each for each in found["exhibits"]}
    changes = {name: [b - a for a, b in zip(found["losses"], each["losses"])]
               for name, each in exhibits.items()}
    right, tokens = found["losses"], found["tokens"]
    loud = [name for name in exhibits if changes[name][0] > QUIET]
    losses = [exhibits[name]["losses"][0] for name in loud if exhibits[name]["losses"][0] < 5]
    smallest = min(each["logits"] for name, each in exhibits.items() if name != "all one later")
    names = {"loss": right[0], "losses": right, "tokens": tokens[0], "count": len(exhibits),
             "exhibits": {name: each["losses"] for name, each in exhibits.items()},
             "logits": {name: each["logits"] for name, each in exhibits.items()},
             "changes": changes, "loud": len(loud), "quiet": len(exhibits) - len(loud) - 1,
             "rounding": found["rounding"], "smallest": smallest,
             "times": smallest / found["rounding"], "texts": found["texts"],
             "command": found["command"], "date": found["date"], "commit": found["commit"],
             "between": (sorted(losses)[0], sorted(losses)[-1]), "similar": len(losses),
             "gain": -min(changes["one token leaks"]),
             "invisible": sum(abs(change[0]) < 1e-3 for change in changes.values()) - 1,
             "better": [sum(change < 0 for change in changes[name])
                        for name in ("cache one late", "one token leaks")]}
    return {"museum": {"names": names}}


def rows(width, values, value_of_zero, top, ticks, digits, mark, mark_words):
    """Bars on a logarithmic axis, one below the other; a line at `mark`."""
    phone = width < 500
    left, right = (132 if phone else 190), width - 58
    step, first = 24, 46
    image = Svg(width, first + step * len(values) + 30)

    def x(value):
        low, high = math.log10(value_of_zero), math.log10(top)
        at = (math.log10(max(value, value_of_zero)) - low) / (high - low)
        return left + at * (right - left)

    bottom = first + step * len(values)
    for value, words in ticks:
        image.line(x(value), first - 8, x(value), bottom, "grid")
        image.text(x(value), bottom + 20, words, "nt", "middle")
    image.line(x(mark), first - 14, x(mark), bottom, "ln-dim")
    image.text(x(mark), 18, mark_words, "nt", "start" if x(mark) < width / 2 else "end")
    for i, (name, value, kind) in enumerate(values):
        y = first + step * i
        image.text(left - 8, y + 13, LABELS[name], "lab", "end")
        image.rect(left, y, max(x(value) - left, 1), step - 7, f"cellbox {kind}", 3, "--share:1")
        image.text(x(value) + 6, y + 13, printed(value, digits(value)), "num")
    return image


def kind_of(change):
    return "grey" if abs(change) < 1e-3 else "up" if change > 0 else "dn"


def picture(width):
    """The loss of the first text with each mistake."""
    found = record()
    right = found["losses"][0]
    values = [(each["name"], each["losses"][0], kind_of(each["losses"][0] - right))
              for each in found["exhibits"]]
    return rows(width, values, 1.0, 1000, [(1, "1"), (10, "10"), (100, "100")],
                lambda value: 1 if value > 10 else 3, right, f"right: {right:.3f} nats a token")


def logits(width):
    """How far the logits move at most, beside what rounding does."""
    found = record()
    values = [(each["name"], each["logits"],
               "grey" if each["logits"] < 10 * found["rounding"] else "att")
              for each in found["exhibits"]]
    ticks = [(1e-4, "0.0001"), (1e-2, "0.01"), (1, "1"), (100, "100")]
    return rows(width, values, 1e-5, 1e4, ticks,
                lambda value: max(0, 1 - math.floor(math.log10(value))) if value < 10 else 0,
                found["rounding"], "rounding")


def texts(width):
    """The quiet ones: the change of the loss on each of the four texts."""
    found = record()
    chosen = [each for each in found["exhibits"]
              if abs(each["losses"][0] - found["losses"][0]) < 0.7
              and each["name"] not in ("all one later", "keys one late")]
    phone = width < 500
    left, cell = (120 if phone else 170), ((width - (120 if phone else 170)) / 4, 30)
    image = Svg(width, 40 + cell[1] * len(chosen))
    for j, word in enumerate(("heart", "library", "bread", "letter")):
        image.text(left + (j + 0.5) * cell[0], 22, word, "nt", "middle")
    for i, each in enumerate(chosen):
        y = 34 + i * cell[1]
        image.text(left - 8, y + 18, LABELS[each["name"]], "lab", "end")
        for j, (a, b) in enumerate(zip(found["losses"], each["losses"])):
            change = b - a
            strength = min(1, abs(change) / 0.3)
            image.rect(left + j * cell[0], y, cell[0] - 3, cell[1] - 3,
                       f"cellbox {kind_of(change)}", 3, f"--share:{strength:.2f}")
            words = f"{change:+.4f}".replace("-", "−") if abs(change) < 0.1 else (
                f"{change:+.2f}".replace("-", "−"))
            image.text(left + (j + 0.5) * cell[0] - 1, y + 18, words, "val", "middle")
    return image
