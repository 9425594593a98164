"""SmolLM2 drawn from its record: sizes, a token's way through the blocks, heads, answers."""

import json
from functools import cache
from html import escape
from pathlib import Path

from svg import Svg, chart, printed

RECORD = Path(__file__).parents[1] / "records" / "real_model.json"
BYTES = 4
PARTS = {"tokens": "token embedding", "attention": "attention", "feed_forward": "gated MLP",
         "norm_1": "norms"}


@cache
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def weights():
    """[(name, weights)], the norms together."""
    parts = record()["sizes"]["parts"]
    norms = sum(count for name, count in parts.items() if name.startswith("norm"))
    return [(label, norms if name == "norm_1" else parts[name]) for name, label in PARTS.items()]


def lens(number=0):
    return record()["lens"][number]


def head_kinds():
    """Per block and head: what it does most, and how much: first, before, induction, none."""
    scores = record()["heads"]
    found = []
    for rows in zip(*(scores[name] for name in ("first", "before", "induction"))):
        found.append([max(zip(each, ("first", "before", "induction"))) for each in zip(*rows)])
    return found


def worked():
    found = record()
    sizes, config = found["sizes"], found["sizes"]["config"]
    total = sizes["parameters"]
    way = lens()
    right = [layer["right"] for layer in way["layers"]]
    kinds = [kind for row in head_kinds() for score, kind in row if score > 0.5]
    cached = sizes["cache_numbers_per_token"]
    heads = found["heads"]
    names = {**config, "total": f"{total:,}", "tensors": sizes["tensors"],
             "vocabulary": f"{config['vocab_size']:,}",
             "embedding": 100 * sizes["parts"]["tokens"] / total,
             "mlp": 100 * sizes["parts"]["feed_forward"] / total,
             "attention": 100 * sizes["parts"]["attention"] / total,
             "float32": total * 4 / 1e6, "float16": total * 2 / 1e6,
             "cache": cached * BYTES / 1e3, "cache_full":
             cached * BYTES * config["context_length"] / 1e6,
             "answer": way["answer"].strip(), "sure": 100 * right[-1],
             "rank": way["layers"][0]["rank"], "rank_20": way["layers"][20]["rank"],
             "first_20": next(i for i, layer in enumerate(way["layers"]) if layer["rank"] <= 20),
             "before_last": 100 * right[-2], "best_before": way["layers"][-2]["best"][0][0].strip(),
             "length": (way["layers"][0]["stream"], way["layers"][-1]["stream"]),
             "last_mlp": way["layers"][-1]["mlp"],
             "sink": 100 * sum(map(sum, heads["first"])) / 270, "lazy": kinds.count("first"),
             "backward": kinds.count("before"), "copying": kinds.count("induction"),
             "all_heads": config["layers"] * config["heads"],
             "head": (found["attention"][0]["layer"] + 1, found["attention"][0]["head"] + 1),
             "to": 100 * max(found["attention"][0]["weights"][-1]),
             "copied": found["attention"][0]["next"][0][0].strip(),
             "copied_sure": 100 * found["attention"][0]["next"][0][1],
             "command": found["command"], "date": found["date"], "commit": found["commit"]}
    return {"real_model": {"names": names}}


def picture(width):
    """Where the weights are."""
    parts = weights()
    total = sum(count for _, count in parts)
    image = Svg(width, 40 + 40 * len(parts))
    left, right = (118 if width < 500 else 150), width - 90
    image.text(left, 16, "weights", "nt")
    for i, (name, count) in enumerate(parts):
        y = 30 + 40 * i
        image.text(left - 10, y + 17, name, "lab", "end")
        image.rect(left, y, max(count / total * (right - left) / 0.6, 1), 26, "cellbox np", 3,
                   "--share:1")
        image.text(left + count / total * (right - left) / 0.6 + 8, y + 17,
                   f"{count / 1e6:.1f} M" if count > 1e6 else f"{count / 1e3:.0f} k", "num")
    return image


def next_token(width):
    """The likeliest next tokens of the first prompt."""
    best = record()["next"][0]["best"][:7]
    image = Svg(width, 24 + 30 * len(best))
    left, right = 110, width - 60
    for i, (word, prob) in enumerate(best):
        y = 12 + 30 * i
        image.text(left - 10, y + 15, marked(word), "tok", "end")
        image.rect(left, y, max(prob * (right - left), 1), 20, "cellbox att", 3, "--share:1")
        image.text(left + prob * (right - left) + 8, y + 15, printed(prob, 3), "num")
    return image


def marked(word):
    return word.replace("\n", "↵").replace(" ", "␣").replace(" ", "␣") or "∅"


def lens_table(width):
    """What the model would answer after each block, with its probability."""
    prompts = record()["lens"]
    phone = width < 500
    chosen = prompts[:1] if phone else prompts
    left, cell = 64, ((width - 64) / len(chosen), 17)
    rows = range(len(chosen[0]["layers"]))
    image = Svg(width, 34 + cell[1] * len(rows))
    for j, each in enumerate(chosen):
        image.text(left + (j + 0.5) * cell[0], 20, f"{each['prompt']} …", "nt", "middle")
    for i in rows:
        y = 30 + i * cell[1]
        if i % 5 == 0 or i == len(rows) - 1:
            image.text(left - 8, y + 13, "embedding" if i == 0 else f"block {i}", "nt", "end")
        for j, each in enumerate(chosen):
            word, prob = each["layers"][i]["best"][0]
            kind = "att" if word == each["answer"] else "grey"
            image.rect(left + j * cell[0], y, cell[0] - 3, cell[1] - 1.5, f"cellbox {kind}", 2,
                       f"--share:{prob:.2f}")
            image.text(left + (j + 0.5) * cell[0], y + 13, f"{marked(word)}  {prob:.2f}", "num",
                       "middle")
    return image


def ranks(width):
    """The rank of the right answer after each block."""
    series = {}
    for each, style in zip(record()["lens"], ("att", "ink", "dim")):
        at = range(len(each["layers"]))
        series[f"{each['answer'].strip()}"] = (at, [layer["rank"] for layer in each["layers"]],
                                               style)
    return chart(width, series, "block", "rank of the answer", y_log=True, y_range=(0.7, 10_000))


def lengths(width):
    """How long the residual stream is, and what attention and MLP add."""
    layers = lens()["layers"]
    at = range(1, len(layers))
    return chart(width, {
        "stream": (range(len(layers)), [layer["stream"] for layer in layers], "ink"),
        "attention adds": (at, [layer["attention"] for layer in layers[1:]], "att"),
        "MLP adds": (at, [layer["mlp"] for layer in layers[1:]], "dim")},
        "block", "length", y_log=True, y_range=(2, 1000))


def heads(width):
    """270 heads, each by what it attends to most."""
    kinds = head_kinds()
    phone = width < 500
    left, top = 30, 48
    cell = ((width - left) / len(kinds[0]), 15) if phone else ((width - left) / len(kinds), 26)
    image = Svg(width, top + (len(kinds) if phone else len(kinds[0])) * cell[1] + 26)
    at = left
    for kind, words in (("grey", "first token"), ("np", "the one before"), ("att", "copies")):
        image.rect(at, 6, 14, 14, f"cellbox {kind}", 2, "--share:1")
        image.text(at + 20, 18, words, "nt")
        at += 34 + 7.0 * len(words)
    colour = {"first": "grey", "before": "np", "induction": "att"}
    for i, row in enumerate(kinds):
        for j, (score, kind) in enumerate(row):
            x, y = (left + j * cell[0], top + i * cell[1]) if phone else (
                left + i * cell[0], top + j * cell[1])
            image.rect(x, y, cell[0] - 2, cell[1] - 2, f"cellbox {colour[kind]}", 2,
                       f"--share:{score:.2f}")
    if phone:
        image.text(left, top - 8, "heads →", "nt")
        for i in (0, 9, 19, 29):
            image.text(left - 5, top + i * cell[1] + 12, str(i + 1), "nt", "end")
    else:
        image.text(left - 6, top + 16, "1", "nt", "end")
        image.text(left - 6, top + 8 * cell[1] + 17, "9", "nt", "end")
        for i in (0, 9, 19, 29):
            image.text(left + (i + 0.5) * cell[0], top + 9 * cell[1] + 17, f"block {i + 1}", "nt",
                       "middle")
    return image


def copying(width):
    """The attention of the head that copies: lines from each token to where it looks."""
    found = record()["attention"][0]
    tokens, weights = found["tokens"], found["weights"]
    step, left, right = 21, width * 0.36, width * 0.64
    image = Svg(width, 34 + step * len(tokens))
    image.text(left, 16, "looked at", "nt", "end")
    image.text(right, 16, "looking", "nt")
    for t, row in enumerate(weights):
        for s, weight in enumerate(row):
            if weight >= 0.05 and s > 0:
                image.add(f'<line class="ln-att" style="stroke-opacity:{weight:.2f}" '
                          f'x1="{left + 6:.1f}" y1="{30 + step * s:.1f}" x2="{right - 6:.1f}" '
                          f'y2="{30 + step * t:.1f}"/>')
    for t, word in enumerate(tokens):
        image.text(left, 34 + step * t, escape(marked(word)), "tok", "end")
        image.text(right, 34 + step * t, escape(marked(word)), "tok")
    return image
