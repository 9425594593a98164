"""LoRA drawn: a frozen matrix and two thin ones, what each rank learned and forgot, and how much
of a whole update a low rank can hold."""

import json
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
from npgpt.families import llama
from npgpt.finetuning import lora, lora_backward
from npgpt.tree import tree_leaves
from svg import Svg, chart, printed

RECORDS = Path(__file__).parents[1] / "records"
WEIGHT = np.array([[1.0, 0, 2, -1], [0, 1, -1, 2], [2, -1, 0, 1]])
A = np.array([[1.0, 0], [0.5, -1], [0, 0.5]])
B = np.array([[0.0, 1, 0, -0.5], [0.5, 0, 1, 0]])
ALPHA = 4
D_Y = np.array([[0.2, -0.1, 0, 0.4], [0, 0.3, -0.2, 0], [0.1, 0, 0.2, -0.4]])
# SmolLM2-135M's sizes
SMOLLM2 = llama.Config(49152, context_length=8192, layers=30, heads=9, kv_heads=3, channels=576,
                       hidden=1536)
RANK = 8


@cache
def record(name="lora"):
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))


def worked():
    """A matrix of three inputs and four outputs, and an update of rank 2."""
    _, saved = lora(WEIGHT, A, B, ALPHA)
    _, first = lora(WEIGHT, A, 0 * B, ALPHA)
    ways, costs, real = record()["ways"], memory(), record("smollm2_lora")
    kinds, data = real["before"]["by_kind"], real["training"]["data"]
    names = {"ins": ["in 1", "in 2", "in 3"], "outs": [f"out {i}" for i in range(1, 5)],
             "ranks": ["rank 1", "rank 2"], "alpha": ALPHA, "said": record(),
             "way_names": list(ways), "before": record()["before"],
             "ways": np.array([[each["trained"] / 1e3, each["new"], each["old"]]
                               for each in ways.values()]),
             "forgot": {name: each["old"] - record()["before"]["old"]
                        for name, each in ways.items()},
             "new": {name: each["new"] for name, each in ways.items()},
             "random": dict(zip((1, 8), of_a_random_matrix()[[0, 7]])),
             "at_first": lora_backward(D_Y, first), "part": part_of_update(),
             "megabytes": costs, "costs": np.array([costs["all"], costs["lora"]]),
             "everything": parameters(), "trained": trained(RANK),
             "again": lora(lora(WEIGHT, A, B, ALPHA)[0], -A, B, ALPHA)[0],
             "plain": lora_backward(D_Y, saved), "real": real, "kind_names": list(kinds),
             "conversations": data["conversations"],
             "asked": {"question": real["before"]["answers"][0]["question"], **{
                 when: real[when]["answers"][0]["answer"] for when in ("before", "after")}},
             "per": {name: data[name] / data["conversations"]
                     for name in ("tokens", "answer_tokens")},
             "adapter": real["adapter_bytes"] / 1e6,
             "real_kinds": np.array([[100 * real[when]["by_kind"][kind] for when in
                                      ("before", "after")] for kind in kinds])}
    return {"lora": {"args": {"weight": WEIGHT, "A": A, "B": B, "alpha": ALPHA}, "d_y": D_Y,
                     "names": names}}


def parameters():
    return sum(prod(weight.shape) for _, weight in tree_leaves(llama.weights(SMOLLM2)))


def trained(rank, layers=("q", "v")):
    """The numbers in A and B of these layers of SmolLM2's attention."""
    block = llama.weights(SMOLLM2)["blocks"][0]["attention"]
    return SMOLLM2.layers * rank * sum(sum(block[name]["weight"].shape) for name in layers)


def memory():
    """Megabytes in float32: weights, gradients, AdamW's two means, the file that is saved."""
    megabyte, whole, few = 4 / 1e6, parameters(), trained(RANK)
    return {"all": [megabyte * each for each in (whole, whole, 2 * whole, whole)],
            "lora": [megabyte * each for each in (whole + few, few, 2 * few, few)]}


def part_of_update():
    """{rank: how much of the length of a whole update its best approximation of this rank has}:
    the root of the sum of the squares of the largest singular values, over that of all."""
    squares = np.array(record()["singular_values"]) ** 2
    whole = np.sqrt(np.cumsum(squares) / squares.sum())
    return {rank: float(whole[rank - 1]) for rank in (1, 2, 4, 8, 16, 32, 64, 128)}


def problem(width):
    """What training needs in memory, with all weights and with LoRA."""
    words = ["weights", "gradients", "AdamW's means", "a saved copy"]
    found, phone = memory(), width < 500
    left, row = (96 if phone else 130), 62
    image = Svg(width, 26 + row * len(words))
    scale = (width - left - 96) / max(found["all"])
    for i, word in enumerate(words):
        y = 20 + row * i
        image.text(left - 8, y + 22, word, "lab", "end")
        for j, (name, kind) in enumerate((("all", "cellbox grey"), ("lora", "cellbox att"))):
            value = found[name][i]
            image.rect(left, y + 18 * j, max(value * scale, 1.5), 14, kind, 2, "--share:1")
            image.text(left + max(value * scale, 1.5) + 6, y + 18 * j + 11.5,
                       f"{value:,.0f} MB" if value >= 10 else f"{value:.1f} MB", "num")
    return image


def picture(width):
    """The example: the frozen weight, plus alpha / r times the product of A and B."""
    phone = width < 500
    cell = (34, 26) if phone else (37, 28)
    y, (_, _, scale) = lora(WEIGHT, A, B, ALPHA)
    w, h = cell
    image = Svg(width, 372 if phone else 330)
    image.matrix(8, 44, WEIGHT, cell, 1, name="weight", note="frozen")
    image.text(8 + 4 * w + 14, 44 + 1.5 * h + 5, "+", "lab", "middle")
    left = 8 + 4 * w + 30
    if phone:
        left, top = 30, 172
        image.text(16, top + 1.5 * h + 5, printed(scale), "lab", "middle")
    else:
        top = 44
        image.text(left + 14, top + 1.5 * h + 5, f"{printed(scale)} ·", "lab", "middle")
        left += 40
    image.step("lora-1", left - 4, top - 36, 6 * w + 40, 3 * h + 46)
    image.matrix(left, top, A, cell, 1, name="A", note="(I, r)")
    image.matrix(left + 2 * w + 26, top, B, cell, 1, name="B", note="(r, O)")
    image.end()
    bottom = top + 3 * h + 52
    image.text(8 + 4 * w + 14, bottom + 1.5 * h + 5, "= weight + scale · A B", "nt")
    image.step("lora-3", 4, bottom - 34, 4 * w + 12, 3 * h + 42)
    image.matrix(8, bottom, y, cell, 1, name="y", note="what the layer uses")
    image.end()
    return image


def ranks(width):
    """The loss on new questions and on old stories, against the numbers that were trained."""
    ways = [each for each in record()["ways"].values() if each["rank"]]
    counts = [each["rank"] for each in ways]
    full, before = record()["ways"]["all weights"], record()["before"]
    series = {"questions": (counts, [each["new"] for each in ways], "att"),
              "(all weights)": (counts, [full["new"]] * len(counts), "ink"),
              "stories": (counts, [each["old"] for each in ways], "dim"),
              "(before)": (counts, [before["old"]] * len(counts), "dim")}
    return chart(width, series, "rank", "loss, nats a token", x_log=True)


def spectrum(width):
    """How much of a whole update the best matrix of each rank holds."""
    squares = np.array(record()["singular_values"]) ** 2
    part = np.sqrt(np.cumsum(squares) / squares.sum())
    at = np.arange(1, len(part) + 1)
    return chart(width, {"an update of all weights": (at, part, "att"),
                         "a random matrix": (at, of_a_random_matrix(), "dim")},
                 "rank", "part of the update's length", x_log=True, y_range=(0, 1.05))


def smollm2(width):
    """The loss on the answers of SmolLM2, step after step."""
    found = record("smollm2_lora")
    losses, every = found["training"]["train_loss"], found["mean_of"]
    return chart(width, {"training": ([every * (i + 1) for i in range(len(losses))], losses,
                                      "np")}, "step", "loss, nats an answer's token",
                 y_range=(0, 1.05 * max(losses)))


@cache
def of_a_random_matrix():
    """The same of independent numbers in a matrix of the same shape."""
    sizes = np.linalg.svd(np.random.default_rng(0).normal(size=(128, 384)), compute_uv=False)
    return np.sqrt(np.cumsum(sizes ** 2) / (sizes ** 2).sum())
