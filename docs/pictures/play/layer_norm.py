"""Layer norm, to be moved: five numbers, a scale, a shift and eps."""

import numpy as np
from npgpt.layers import layer_norm
from playing import Figure, head, taken

INPUTS = {"x": taken("layer_norm", "ROW").tolist(), "scale": 1.0, "shift": 0.0, "eps": 1e-5}
PRESETS = {"plus": {"+x": 3}, "twice": {"x": [2 * x for x in INPUTS["x"]]},
           "tenth": {"x": [x / 10 for x in INPUTS["x"]], "eps": 1},
           "one": {"x": [*INPUTS["x"][:4], 20]},
           "equal": {"x": [2] * 5}}


def values(inputs):
    x, eps = np.array(inputs["x"], dtype=float), inputs["eps"]
    weight, bias = np.full(5, float(inputs["scale"])), np.full(5, float(inputs["shift"]))
    y, (normed, *_) = layer_norm(x, weight, bias, eps=eps)
    return {"normed": normed.tolist(), "y": y.tolist(), "mean": float(x.mean()),
            "std": float(x.std()), "y_mean": float(y.mean()), "y_std": float(y.std()),
            "read": "All five are equal, so their distance from the mean is 0; without eps the "
                    "layer would divide 0 by 0." if x.std() < 1e-9
            else "A scale of 0 gives all five the shift." if inputs["scale"] == 0
            else "A negative scale reverses the order; the ratios of the distances stay."
            if inputs["scale"] < 0 else "The order stays, and so do the ratios of the distances."}


def play():
    figure = Figure(values, INPUTS, presets=PRESETS)
    rows = "".join(
        figure.row(f"x<sub>{i + 1}</sub>", figure.slider(f"x.{i}", f"x{i + 1}", -20, 20, 0.5),
                   figure.value(f"normed.{i}", "2", "raw"),
                   figure.bar(f"y.{i}", 4, signed=True), figure.value(f"y.{i}"))
        for i in range(5))
    more = "".join(
        figure.row(words, figure.slider(name, words, low, high), kind="ctl-row")
        for name, words, low, high in (("scale", "scale", -3, 3), ("shift", "shift", -3, 3)))
    return (head("", "x", "normed", "y, from −4 to 4", "") + rows + more
            + '<div class="ctl">' + figure.choice(
                "eps", "eps", {0.00001: "0.00001", 0.01: "0.01", 1: "1"}) + "</div>"
            + figure.say("x has mean {mean} and standard deviation {std}; y has mean {y_mean} "
                         "and standard deviation {y_std}. {read:s}")
            + figure.reset()), figure.data
