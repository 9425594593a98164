"""AdamW drawn: a narrow valley, three weights at every step, the sum of a mean's weights."""

import math
from functools import lru_cache

import npgpt.training
import numpy as np
import torch
import torchgpt.training
from npgpt.random_stream import normals
from npgpt.training import adamw_init, adamw_step
from svg import Svg, chart, printed

STEEP = np.array([1.0, 40.0])
START = np.array([-4.0, 1.0])
VALLEY_RATE = 0.12

# Three weights, three steps: the gradients, and where the third step begins.
NAMES = ["steady", "flipping", "tiny"]
GRADS = np.array([[2.0, 40.0, 0.01], [2.0, -30.0, 0.01], [2.0, 20.0, 0.01]])
WEIGHTS = np.array([1.0, 1.0, 0.5])
RATE, DECAY, BETA_1, BETA_2 = 0.1, 0.1, 0.9, 0.95


def tree(row):
    return {"weight": row[None, :2].copy(), "bias": row[2:].copy()}


def row(nested):
    return np.concatenate([nested["weight"][0], nested["bias"]])


def worked():
    params = tree(WEIGHTS)
    state = adamw_init(params)
    for grad in GRADS[:2]:
        adamw_step(params, tree(grad), state, RATE)
    before, m, v = row(params), row(state["m"]), row(state["v"])
    t, grad = 3, GRADS[2]
    decayed = before * (1 - RATE * DECAY * np.array([1, 1, 0]))
    new_m = BETA_1 * m + (1 - BETA_1) * grad
    new_v = BETA_2 * v + (1 - BETA_2) * grad * grad
    c_1, c_2 = 1 - BETA_1**t, 1 - BETA_2**t
    size = np.sqrt(new_v / c_2) + 1e-8
    move = -RATE * (new_m / c_1) / size
    names = {"names": NAMES, "d_grads": GRADS, "steps": ["step 1", "step 2", "step 3"],
             "before": before, "decayed": decayed, "m_before": m, "v_before": v,
             "d_now": grad, "square": grad * grad, "m_now": new_m, "v_now": new_v, "c_1": c_1,
             "c_2": c_2, "m_hat": new_m / c_1, "v_hat": new_v / c_2, "size": size,
             "ratio": new_m / c_1 / size, "move": move, "after": decayed + move,
             "rows": ["before", "after (1)", "after (4)"],
             "three": np.stack([before, decayed, decayed + move]),
             "losses": [loss(START), loss(plain(40, 0.02)[-1]), loss(plain(40, 0.0475)[-1]),
                        loss(plain(40, 0.051)[-1]),
                        loss(adamw(npgpt.training, np.array, 40, VALLEY_RATE)[-1])],
             "first_999": 0.1 / math.sqrt(0.001), "kept": decays()}
    result, moments = tree(before), {"step": 2, "m": tree(m), "v": tree(v)}
    adamw_step(result, tree(grad), moments, RATE)
    assert np.allclose(row(result), names["after"])
    return {"adamw_step": {
        "args": {"params": tree(before), "grads": tree(grad), "lr": RATE,
                 "state": {"step": 2, "m": tree(m), "v": tree(v)}}, "names": names}}


def loss(w):
    return float(0.5 * (STEEP * w * w).sum())


def plain(steps, rate):
    """Gradient descent on ½ Σ steep · w²."""
    path = [START.copy()]
    for _ in range(steps):
        path.append(path[-1] - rate * STEEP * path[-1])
    return np.array(path)


def adamw(training, make, steps, rate):
    params = {"w": make(START.copy())}
    state, path = training.adamw_init(params), [START.copy()]
    steep = make(STEEP)
    for _ in range(steps):
        grads = {"w": steep * params["w"]}
        training.adamw_step(params, grads, state, rate)
        path.append(np.array(params["w"]))
    return np.array(path)


def valley(width, paths, words):
    """Lines of equal loss, and ways down."""
    phone = width < 500
    height = 290 if phone else 330
    image = Svg(width, height, "pic")
    x_scale, y_scale = (width - 50) / 5.4, (height - 90) / 2.5
    zero = width - 20 - 0.9 * x_scale, (height + 20) / 2

    def at(w):
        return zero[0] + w[0] * x_scale, zero[1] - w[1] * y_scale

    turn = np.linspace(0, 2 * np.pi, 73)
    for level in (0.08, 0.8, 3, 8, 16, 28):
        ring = np.stack([np.cos(turn), np.sin(turn)], 1) * np.sqrt(2 * level / STEEP)
        part = []
        for p in [at(w) for w in ring] + [None]:
            if p is not None and 0 <= p[0] <= width and 34 <= p[1] <= height:
                part.append(p)
                continue
            if len(part) > 1:
                image.polyline(part, "ln-dim")
            part = []
    for path, kind, radius in paths:
        if kind != "pt":
            image.polyline([at(w) for w in path], f"ln-{kind}")
        for w in path:
            image.dot(*at(w), radius, f"{kind}-o")
    image.dot(*at(START), 5)
    image.dot(*at((0, 0)), 5)
    image.text(*(at(START)[0] + 10, at(START)[1] - 8), "start", "nt")
    image.text(at((0, 0))[0], at((0, 0))[1] + 22, "lowest", "nt", "middle")
    x = 0
    for name, kind in words:
        if kind == "pt":
            image.dot(x + 10, 12, 4, "pt-o")
        else:
            image.line(x, 12, x + 20, 12, f"ln-{kind}")
        image.text(x + 27, 16, name, "lab")
        x += 27 + 7.4 * len(name) + 18
    return image


def problem(width):
    return valley(width, [(plain(40, 0.0475), "ink", 2), (plain(40, 0.02), "att", 2)],
                  [("rate 0.0475", "ink"), ("rate 0.02", "att")])


def picture(width):
    theirs = adamw(torchgpt.training, torch.tensor, 40, VALLEY_RATE)
    return valley(width, [(plain(40, 0.0475), "dim", 1.5),
                          (adamw(npgpt.training, np.array, 40, VALLEY_RATE), "np", 1.5),
                          (theirs[::2], "pt", 4)],
                  [("plain descent", "dim"), ("AdamW", "np"), ("PyTorch", "pt")])


def weights(width):
    """The weight that each gradient has in a running mean after 8 steps; those that would
    stand before the first step, where nothing was."""
    image = Svg(width, 240)
    count, t = 20 if width < 500 else 26, 8
    step, base, top = (width - 20) / count, 176, 0.1
    for k in range(count):
        value = 0.1 * 0.9**k
        x = 10 + (count - 1 - k) * step
        size = 130 * value / top
        image.rect(x + 0.14 * step, base - size, 0.72 * step, size,
                   "cellbox att" if k < t else "loss", 2, "--share:1" if k < t else "")
    edge = 10 + (count - t) * step
    image.line(10, base, width - 10, base, "axis").line(edge, 28, edge, base + 12, "axis")
    image.text(edge + 6, base + 24, "step 1 … 8", "nt")
    image.text(edge - 6, base + 24, "before step 1: nothing", "nt", "end")
    image.text(width - 10, 20, f"sum 1 − 0.9⁸ = {printed(1 - 0.9**t, 3)}", "num", "end")
    image.text(edge - 6, 96, f"missing 0.9⁸ = {printed(0.9**t, 3)}", "num", "end")
    return image


SIZES = [0.03, 0.1, 0.3, 1, 3, 10]


@lru_cache(maxsize=1)
def decays(steps=200, rate=0.01, decay=0.2):
    """What 200 steps leave of a weight 1 under gradients that are pure noise of each size:
    decoupled, and with the decay added to the gradient. Mean of 400 weights."""
    out = {"AdamW": [], "Adam, decay in the gradient": []}
    for size in SIZES:
        for name, left in out.items():
            params = {"weight": np.ones((20, 20))}
            state = adamw_init(params)
            for step in range(steps):
                grad = size * normals((20, 20), 1, step, "noise")
                if name == "AdamW":
                    adamw_step(params, {"weight": grad}, state, rate, weight_decay=decay)
                else:
                    adamw_step(params, {"weight": grad + decay * params["weight"]}, state, rate,
                               weight_decay=0.0)
            left.append(float(params["weight"].mean()))
    return out


def plot_decay(width):
    found = decays()
    phone = width < 500
    return chart(width, {"AdamW": (SIZES, found["AdamW"], "att"),
                         "Adam + L2" if phone else "Adam, decay in the gradient":
                             (SIZES, found["Adam, decay in the gradient"], "ink")},
                 "size of the gradient's noise", "what is left of a weight 1", x_log=True,
                 x_ticks=SIZES, y_range=(-0.1, 1.05))


def ratios(training, make, beta_2, steps):
    """|step| / lr under a gradient that is always 1; with the correction, and without."""
    params, moved, bare = {"w": make(np.zeros(1))}, [], []
    state = training.adamw_init(params)
    for _ in range(steps):
        before = float(params["w"][0])
        training.adamw_step(params, {"w": make(np.ones(1))}, state, 0.1, (0.9, beta_2))
        moved.append((before - float(params["w"][0])) / 0.1)
        bare.append(float(state["m"]["w"][0]) / math.sqrt(float(state["v"]["w"][0])))
    return moved, bare


def plot(width):
    steps = 60
    ours, low = ratios(npgpt.training, np.array, 0.95, steps)
    theirs, high = ratios(torchgpt.training, torch.tensor, 0.999, steps)
    at = np.arange(1, steps + 1)
    return chart(width, {"NumPy": (at, ours, "np"), "PyTorch": (at[::4], theirs[::4], "pt"),
                         " 0.999": (at, high, "ink"), " 0.95": (at, low, "dim")},
                 "step", "step size, in units of lr", y_range=(0, 8),
                 notes=[(22, 6.4, "uncorrected, β₂ = 0.999", "start"),
                        (22, 1.9, "uncorrected, β₂ = 0.95", "start")])
