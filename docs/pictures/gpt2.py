"""The whole model drawn, its boxes linked to their chapters; and one batch learned by heart."""

from pathlib import Path

import npgpt.training
import numpy as np
import torch
import torchgpt.models
import torchgpt.training
from npgpt.models import gpt2
from npgpt.tree import tree_map
from svg import Svg, chart

CHAPTERS = Path(__file__).parents[1] / "chapters"


def box(image, x, y, width, words, page, note="", kind="box", up=""):
    """A box that leads to a chapter, where that chapter exists."""
    known = (CHAPTERS / f"{page}.md").exists()
    if known:
        image.link(f"{up}{page}.html")
    image.rect(x, y, width, 34, kind)
    image.text(x + width / 2, y + 22, words, "tok", "middle")
    if known:
        image.unlink()
    if note:
        image.text(x + width + 12, y + 21, note, "nt")
    return image


def tower(width, up=""):
    """From the ids at the bottom to the loss at the top."""
    phone = width < 500
    image = Svg(width, 660)
    x, box_width = (20, 200) if phone else (190, 240)
    middle = x + box_width / 2
    rows = [
        (616, "ids", "tokenizers", "(B, T)"),
        (480, "dropout", "dropout", "(B, T, C)"),
        (110, "layer_norm", "layer_norm", "(B, T, C)"),
        (60, "linear", "linear", "(B, T, V), the head"),
        (8, "cross_entropy", "cross_entropy", "one number")]
    column = box_width / 2 - 6
    for side in (x + column / 2, x + 1.5 * column + 12):
        image.line(middle, 594, side, 594, "forth").line(side, 594, side, 528, "forth")
        image.line(side, 528, middle, 528, "forth")
    image.line(middle, 616, middle, 594, "forth")
    image.arrow(middle, 528, middle, 42, "forth")
    for row_y, words, page, note in rows:
        box(image, x, row_y, box_width, words, page, note, up=up)
    box(image, x, 536, column, "embedding", "embedding", up=up)
    box(image, x + column + 12, 536, column, "positions", "position_embedding", "(B, T, C), added",
        up=up)
    image.rect(x - 14, 160, box_width + 28, 306, "box", 12)
    image.link(f"{up}block.html")
    image.text(x - 4, 182, "block", "nm")
    image.unlink()
    image.text(x + box_width + 2, 182, "× layers", "nt", "end")
    image.arrow(middle, 460, middle, 196, "forth")
    inner = box_width - 64
    for low, parts in ((400, ("layer_norm", "multi_head_attention")), (264, ("layer_norm", "mlp"))):
        image.line(middle, low + 50, x + box_width - 4, low + 50, "forth")
        image.line(x + box_width - 4, low + 50, x + box_width - 4, low - 56, "forth")
        image.arrow(x + box_width - 4, low - 56, middle + 9, low - 56, "forth")
        for i, part in enumerate(parts):
            box(image, x + 32, low - 42 * i, inner, part, part, up=up)
        image.dot(middle, low - 56, 8, "box")
        image.text(middle, low - 51, "+", "lab", "middle")
    if not phone:
        image.link(f"{up}attention.html")
        image.text(x + box_width + 26, 380, "holds attention", "nt").unlink()
    return image


def picture(width):
    return tower(width)


def overfit(training, model, params, ids, targets, config, steps):
    state = training.adamw_init(params)
    losses = []
    for _ in range(steps):
        loss, grads = training.loss_and_grads(model, params, ids, targets, config)
        grads, _ = training.clip_by_global_norm(grads, 1.0)
        training.adamw_step(params, grads, state, lr=1e-2)
        losses.append(float(loss))
    return losses


def plot(width, steps=60):
    config = gpt2.Config(27, 16, 2, 4, 32)
    draw = np.random.default_rng(0).integers
    ids, targets = draw(0, 27, (2, 4, 16))
    params = npgpt.training.init(gpt2, config, seed=1)
    tensors = tree_map(lambda p: torch.from_numpy(p.copy()), params)
    ours = overfit(npgpt.training, gpt2, params, ids, targets, config, steps)
    theirs = overfit(torchgpt.training, torchgpt.models.gpt2, tensors, torch.from_numpy(ids),
                     torch.from_numpy(targets), config, steps)
    at = list(range(steps))
    note = (steps / 3, np.log(27) * 0.98, f"ln 27 = {np.log(27):.2f}", "start")
    return chart(width, {"NumPy": (at, ours, "np"), "PyTorch": (at[::3], theirs[::3], "pt")},
                 "step", "loss", notes=[note])


def map_picture(width):
    return tower(width, "chapters/")
