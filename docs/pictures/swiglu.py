"""SwiGLU drawn: a product that a plain MLP does not learn, one word on its way through the gated
MLP, the two sides of a product, and what the gate does to the other projection."""

from functools import lru_cache

import numpy as np
from npgpt.blocks import gated_mlp, gated_mlp_backward, mlp, mlp_backward
from npgpt.layers import linear, silu, silu_backward, swiglu
from npgpt.training import adamw_init, adamw_step
from svg import Svg, chart, printed

WORDS = ["very good", "very bad", "not bad", "hardly good"]
CHANNELS = ["kind", "degree", "meaning"]
FEATURES = ["if good", "if bad"]
X = np.array([[[1.0, 2, 0], [-1, 2, 0], [-1, -1, 0], [1, 0.5, 0]]])
PARAMS = {"gate": {"weight": np.array([[1.0, -1], [0, 0], [0, 0]])},
          "up": {"weight": np.array([[0.0, 0], [1, -1], [0, 0]])},
          "down": {"weight": np.array([[0.0, 0, 1], [0, 0, 1]])}}
GATE, UP = (linear(X, **PARAMS[name])[0][0] for name in ("gate", "up"))
D_OUT = np.zeros((1, 4, 3))
D_OUT[0, :, 2] = [-0.5, 0.5, -0.2, 0.4]
D_HIDDEN = D_OUT[0] @ PARAMS["down"]["weight"].T
SPAN = np.linspace(-4, 4, 161)


def worked():
    """Four pairs of words; the layer's example is what the block hands to it."""
    shared = {"words": WORDS, "channels": CHANNELS, "features": FEATURES, "good": 0, "bad": 1,
              "not_bad": 2, "hardly": 3}
    names = {"slope": silu_backward(np.ones_like(GATE), silu(GATE)[1]),
             "wanted": X[0, :, :1] * X[0, :, 1:2], "measured": measured(),
             "fits": {name: fit[1] for name, fit in fitted().items()},
             "far": {name: fit[0][[0, -1]] for name, fit in fitted().items()},
             "count": {name: fit[2] for name, fit in fitted().items()}, "sizes": sizes()}
    weights = {f"w_{name}": part["weight"] for name, part in PARAMS.items()}
    return {"swiglu": {"args": {"gate": GATE, "up": UP}, "d_y": D_HIDDEN,
                       "names": {**shared, **names}},
            "gated_mlp": {"args": {"x": X, "params": PARAMS}, "d_y": D_OUT,
                          "names": {**shared, **weights}}}


def measured(h=1e-5):
    """The slope of y by the gate of `very bad`, from two points near by; times d_y."""
    step = np.zeros_like(GATE)
    step[1, 0] = h
    change = swiglu(GATE + step, UP)[0] - swiglu(GATE - step, UP)[0]
    return float((D_HIDDEN * change).sum() / (2 * h))


def sizes(channels=576):
    """Features and weights of a plain and of a gated MLP of the same size."""
    plain, gated = 4 * channels, 8 * channels // 3
    return np.array([[plain, 2 * channels * plain], [gated, 3 * channels * gated]])


LINE = np.linspace(-4, 4, 41)


@lru_cache(maxsize=1)
def fitted(steps=300, rate=0.02, points=64, starts=2):
    """{block: (its answers on the diagonal, squared error, number of weights)}: trained on
    x · y for x and y between −2 and 2; means over two starts."""
    inputs = np.random.default_rng(99).uniform(-2, 2, (1, points, 2))
    wanted = inputs[..., :1] * inputs[..., 1:]
    diagonal = np.stack([LINE, LINE], -1)[None]
    found = {}
    for name, forward, backward, shapes in (
            ("MLP", mlp, mlp_backward, {"up": (2, 14), "down": (14, 1)}),
            ("gated MLP", gated_mlp, gated_mlp_backward,
             {"gate": (2, 8), "up": (2, 8), "down": (8, 1)})):
        answers, errors = [], []
        for seed in range(starts):
            draw = np.random.default_rng(seed)
            params = {key: {"weight": draw.normal(size=shape) / np.sqrt(shape[0]),
                            "bias": 0.1 * draw.normal(size=shape[1])}
                      for key, shape in shapes.items()}
            state = adamw_init(params)
            for _ in range(steps):
                y, saved = forward(inputs, params)
                _, grads = backward(2 * (y - wanted) / points, saved)
                adamw_step(params, grads, state, rate, weight_decay=0)
            errors.append(((forward(inputs, params)[0] - wanted) ** 2).mean())
            answers.append(forward(diagonal, params)[0][0, :, 0])
        count = sum(a.size for part in params.values() for a in part.values())
        found[name] = np.mean(answers, 0), float(np.mean(errors)), count
    return found


def problem(width):
    found = fitted()
    return chart(width, {"x · y": (LINE, LINE**2, "dim"),
                         "gated MLP": (LINE, found["gated MLP"][0], "att"),
                         "MLP": (LINE, found["MLP"][0], "ink")},
                 "x, and y = x", "", y_range=(-1, 17), x_ticks=[-4, -2, 0, 2, 4],
                 notes=[(0, 10, "learned from", "middle"), (0, 8.6, "−2 to 2", "middle")])


def picture(width):
    """`very bad` on its way through both projections, SiLU and the product."""
    x = X[:, 1:2]
    gate, up = GATE[1], UP[1]
    y, (activated, *_) = swiglu(gate, up)
    phone = width < 500
    left = 82 if phone else 120
    step = (width - left) / 4 - (2 if phone else 8)
    image = Svg(width, 372)
    at_gate = [left + (i + 0.5) * step for i in range(2)]
    at_up = [width - (1.5 - i) * step for i in range(2)]
    middle = left + (width - left) / 2
    at_x = [middle + (i - 1) * step for i in range(3)]
    at_y = [middle + (i - 0.5) * step for i in range(2)]
    rows = [34, 132, 218, 318]
    image.step("swiglu-1", 0, rows[1] + 24, width, rows[2] - rows[1] - 34)
    image.label(0, (rows[1] + rows[2]) / 2 + 8, 1, "SiLU", 22)
    for x1 in at_gate:
        image.arrow(x1, rows[1] + 16, x1, rows[2] - 16)
    image.end()
    image.step("swiglu-2", 0, rows[2] + 24, width, rows[3] - rows[2] - 38)
    image.label(0, (rows[2] + rows[3]) / 2 + 8, 2, "times", 22)
    for i in range(2):
        image.arrow(at_gate[i], rows[2] + 16, at_y[i] - 6, rows[3] - 16)
        image.arrow(at_up[i], rows[1] + 16, at_y[i] + 6, rows[3] - 16)
    image.end()
    for i in range(3):
        for ends, weight in ((at_gate, PARAMS["gate"]), (at_up, PARAMS["up"])):
            for j in range(2):
                if weight["weight"][i, j]:
                    image.line(at_x[i], rows[0] + 16, ends[j], rows[1] - 14)
    tables = [("x", at_x, x[0, 0], rows[0]), ("gate", at_gate, gate, rows[1]),
              ("up", at_up, up, rows[1]), ("activated", at_gate, activated, rows[2]),
              ("y", at_y, y, rows[3])]
    for name, xs, values, y0 in tables:
        for at, value in zip(xs, values):
            image.rect(at - step / 2 + 2, y0 - 14, step - 4, 28, "cellbox att", 3,
                       f"--share:{min(1, abs(value) / 2):.2f}")
            image.text(at, y0 + 5, printed(value, 2), "num", "middle")
        if name == "up":
            image.name(at_up[0] - step / 2 + 2, y0 - 22, name)
        else:
            image.name(0, y0 + 5, name)
    for at, word in zip(at_x, CHANNELS):
        image.text(at, rows[0] - 20, word, "nt", "middle")
    for xs, y0 in ((at_y, rows[3] + 30),):
        for at, word in zip(xs, FEATURES):
            image.text(at, y0, word, "nt", "middle")
    return image


def area(width):
    """y as the area of a rectangle with the sides activated and up; both are raised."""
    a, u, da, du = 0.73, 2.0, 0.2, 0.5
    image = Svg(width, 262)
    left, base = (58 if width < 500 else 96), 222
    across, up = (width - left - 66) / (u + du), 180 / (a + da)
    image.rect(left, base - a * up, u * across, a * up, "cellbox att", 2, "--share:.4")
    image.rect(left + u * across, base - a * up, du * across, a * up, "cellbox att", 2,
               "--share:1.5")
    image.rect(left, base - (a + da) * up, u * across, da * up, "cellbox att", 2, "--share:1.5")
    image.rect(left + u * across, base - (a + da) * up, du * across, da * up, "loss", 2)
    image.text(left + u * across / 2, base - a * up / 2 + 4, f"y = {a} · {u:.0f}", "num", "middle")
    image.text(left + (u + du / 2) * across, base - a * up / 2 + 4, "· a", "num", "middle")
    image.text(left + u * across / 2, base - (a + da / 2) * up + 4, "· u", "num", "middle")
    image.text(left + u * across / 2, base + 18, "u, up", "lab", "middle")
    image.text(left + (u + du / 2) * across, base + 18, "a little more", "lab", "middle")
    image.text(left - 8, base - a * up / 2 + 4, "a" if width < 500 else "a, activated",
               "lab", "end")
    return image


def curves(width):
    """y against the gate, for three values of up."""
    gate = np.linspace(-5, 3, 161)
    return chart(width, {f"up = {printed(u)}": (gate, swiglu(gate, np.full_like(gate, u))[0], style)
                         for u, style in ((2.0, "att"), (0.5, "dim"), (-1.0, "ink"))},
                 "gate", "y", y_range=(-3.2, 6))
