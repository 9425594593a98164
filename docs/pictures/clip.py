"""Clipping drawn: a bad batch, gradients as arrows in a circle, a descent over a cliff."""

import math
from functools import lru_cache

import npgpt.training
import numpy as np
import torch
import torchgpt.training
from npgpt.models import gpt2
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import adamw_init, adamw_step, clip_by_global_norm, init, loss_and_grads
from npgpt.training.batches import draw_batch
from npgpt.tree import tree_map
from svg import Svg, chart, printed

GRADS = [(0.5, 0.4), (1.9, 0.7), (-1.2, 1.3), (-0.7, -0.3), (0.4, -1.6)]
LIMIT = 1.0
EXAMPLE = {"weight": np.array([[3.0, -4.0]]), "bias": np.array([12.0])}
SHORT = 1.3
BAD, STEPS = 50, 90


def worked():
    flat = np.array([3.0, -4.0, 12.0])
    clipped, norm = clip_by_global_norm(EXAMPLE, SHORT)
    short = np.append(clipped["weight"], clipped["bias"])
    each = np.clip(flat, -SHORT, SHORT)
    layers = np.append(flat[:2] * SHORT / 5, SHORT)

    def angle(v):
        return math.degrees(math.acos(v @ flat / np.linalg.norm(v) / norm))

    bare, limited = curve(None), curve(LIMIT)
    names = {"names": ["weight 1", "weight 2", "bias"], "d_flat": flat, "squares": flat**2,
             "rows": ["before", "after", "each number", "each layer"], "norm": norm,
             "d_ways": np.stack([flat, short, each, layers]), "d_short": short,
             "scale": SHORT / norm, "limit": SHORT, "length": float(np.linalg.norm(short)),
             "by_value": angle(each), "by_layer": angle(layers), "bad": BAD,
             "bare": [bare[BAD - 2][0], bare[BAD][0], bare[BAD + 10][0]],
             "held": [limited[BAD - 2][0], limited[BAD][0], limited[BAD + 10][0]],
             "bad_norm": limited[BAD - 1][1],
             "usual": float(np.median([norm for _, norm in limited[:BAD - 1]])),
             "ends": [float(np.mean([loss for loss, _ in each[-10:]])) for each in (bare, limited)],
             "uphill": sum(step < 0 for step in after_bad(1.0)[1]),
             "walk": after_bad(1.0)[0], "walk_held": after_bad(1.0, SHORT)[0]}
    return {"clip_by_global_norm": {"args": {"grads": EXAMPLE, "max_norm": SHORT},
                                    "names": names}}


@lru_cache(maxsize=2)
def curve(limit):
    """(loss, norm) of each step of plain gradient descent; at step BAD a batch of nothing but
    full stops."""
    text = load_corpus("stories:100KB").train_text
    tokenizer = CharacterTokenizer.train(text)
    ids = np.array(tokenizer.encode(text))
    config = gpt2.Config(tokenizer.vocab_size, 32, layers=2, heads=2, channels=32, tied=False)
    params, out = init(gpt2, config), []
    for step in range(1, STEPS + 1):
        inputs, targets = draw_batch(ids, 32, 8, 1, step)
        if step == BAD:
            inputs, targets = (np.full_like(inputs, tokenizer.encode(".")[0]) for _ in range(2))
        loss, grads = loss_and_grads(gpt2, params, inputs, targets, config)
        clipped, norm = clip_by_global_norm(grads, limit or 1e9)
        rate = 0.3 * min(1, step / 6)
        params = tree_map(lambda p, g: p - np.float32(rate) * g, params, clipped)  # noqa: B023
        out.append((float(loss), norm))
    return out


def problem(width):
    at = np.arange(1, STEPS + 1)
    return chart(width, {"clipped to 1": (at, [loss for loss, _ in curve(LIMIT)], "att"),
                         "not clipped": (at, [loss for loss, _ in curve(None)], "ink")},
                 "step", "loss in nats", y_range=(2, 5.5),
                 notes=[(BAD - 1, 5.25, f"bad batch, step {BAD}", "end")])


def norms(width):
    at = np.arange(1, STEPS + 1)
    return chart(width, {"gradient norm": (at, [norm for _, norm in curve(LIMIT)], "att"),
                         "limit": (at, [LIMIT] * STEPS, "dim")},
                 "step", "before clipping", y_log=True,
                 y_range=(0.3, 20))


def after_bad(size, limit=None, steps=100):
    """How far AdamW moves in each step, by lr, under a gradient that is always 1, but at step
    50 is −100; with `limit`, clipped before."""
    params, moved = {"w": np.zeros(1)}, []
    state = adamw_init(params)
    for step in range(1, steps + 1):
        grads = {"w": np.array([-100.0 if step == BAD else 1.0])}
        if limit:
            grads, _ = clip_by_global_norm(grads, limit)
        before = float(params["w"][0])
        adamw_step(params, grads, state, size)
        moved.append((before - float(params["w"][0])) / size)
    return sum(moved[BAD - 1:]), moved


def plot_adamw(width):
    at = np.arange(1, 101)
    return chart(width, {"clipped": (at, after_bad(1.0, SHORT)[1], "att"),
                         "not clipped": (at, after_bad(1.0)[1], "ink")},
                 "step", "step downhill, in units of lr", y_range=(-0.6, 1.2))


def by_value(width):
    """One gradient and two ways to shorten it."""
    image = Svg(width, 240)
    unit = min((width - 60) / 2.7, 150)
    zero = 20, 50 + unit
    image.height = zero[1] + 34
    grad = np.array([2.6, 0.75])
    image.rect(zero[0], zero[1] - unit, unit, unit, "box", 0)
    image.add(f'<path class="axis" fill="none" d="M{zero[0] + unit:.1f} {zero[1]:.1f} '
              f'A{unit:.1f} {unit:.1f} 0 0 0 {zero[0]:.1f} {zero[1] - unit:.1f}"/>')

    def drawn(v, kind):
        x, y = zero[0] + v[0] * unit, zero[1] - v[1] * unit
        image.line(*zero, x, y, kind)
        image.dot(x, y, 4)
        return x, y, f"{printed(math.degrees(math.atan2(v[1], v[0])), 0)}°"

    x, y, degrees = drawn(grad, "ln-dim")
    image.text(x + 6, y - 10 if width > 500 else y - 36, f"the gradient, {degrees}", "lab", "end")
    x, y, degrees = drawn(np.clip(grad, -1, 1), "ln-ink")
    image.text(x + 10, y - 6 if width > 500 else y - 12, f"each number, {degrees}", "lab")
    x, y, degrees = drawn(grad / np.linalg.norm(grad), "ln-att")
    image.text(x + 12, y + 18, f"by its norm, {degrees}", "lab")
    image.text(zero[0], zero[1] - unit - 10, "1", "nt", "middle")
    image.text(zero[0] + unit, zero[1] + 18, "1", "nt", "middle")
    return image


def picture(width):
    phone = width < 500
    height = 280 if phone else 350
    unit = min((height - 30) / 3.6, (width / 2 - 26) / 2.3)
    zero = width / 2, height / 2 - 4
    image = Svg(width, height)

    def at(v):
        return zero[0] + v[0] * unit, zero[1] - v[1] * unit

    image.rect(zero[0] - unit, zero[1] - unit, 2 * unit, 2 * unit, "ribbon", unit)
    image.text(zero[0] - 0.3 * unit, zero[1] + 0.72 * unit, f"limit = {LIMIT:g}", "nt", "middle")
    image.step("clip_by_global_norm-2", 0, 0, width, height)
    for grad in GRADS:
        grads = {"w": np.array([grad[0]]), "b": np.array([grad[1]])}
        clipped, norm = npgpt.training.clip_by_global_norm(grads, LIMIT)
        end = clipped["w"][0], clipped["b"][0]
        if norm > LIMIT:
            image.line(*at(end), *at(grad), "ln-dim")
            image.dot(*at(grad), 4, "ink-o")
        image.arrow(*zero, *at(end))
        far = np.array(grad) * (1 + 0.16 / norm)
        image.text(*(at(far)[0], at(far)[1] + 4), f"{norm:.1f}", "num",
                   "start" if grad[0] > 0 else "end")
    image.end()
    image.dot(*zero)
    return image


def descend(steps, rate, clip=None, make=None):
    """The loss (w¹² − ½)² on the way down from w = 1.35."""
    w, losses = 1.35, []
    for _ in range(steps):
        try:
            losses.append((w**12 - 0.5) ** 2)
            grad = 24 * (w**12 - 0.5) * w**11
        except OverflowError:
            break
        if clip:
            grads, _ = clip({"w": make([grad])}, LIMIT)
            grad = float(grads["w"][0])
        w -= rate * grad
    return losses


def plot(width):
    bare = descend(80, 0.01)
    ours = descend(80, 0.01, npgpt.training.clip_by_global_norm, np.array)
    theirs = descend(80, 0.01, torchgpt.training.clip_by_global_norm,
                     lambda v: torch.tensor(v, dtype=torch.float64))
    at = np.arange(80)
    high = [x if math.isfinite(x) else 1e300 for x in bare]
    return chart(width, {"NumPy": (at, ours, "np"), "PyTorch": (at[::4], theirs[::4], "pt"),
                         " bare": (at[:len(high)], high, "ink")},
                 "step", "loss", y_log=True, y_range=(1e-12, 1e9),
                 notes=[(5, 2e6, "without clipping: thrown out of sight", "start")])
