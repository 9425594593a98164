"""LoRA's rank, to be moved: what is trained, how it is scaled, and how much of an update it can
hold."""

import numpy as np
from playing import Figure, Graph, taken

SIZES = [float(size) for size in taken("lora", "record")()["singular_values"]]
INPUTS_OF, OUTPUTS_OF = 128, 384
INPUTS = {"rank": 8, "alpha": 16}
PRESETS = {"one": {"rank": 1}, "all": {"rank": 128}, "double": {"rank": 16, "alpha": 16},
           "same": {"rank": 16, "alpha": 32}}


def values(inputs):
    rank, alpha = inputs["rank"], inputs["alpha"]
    squares = np.array(SIZES) ** 2
    part = np.sqrt(np.cumsum(squares) / squares.sum())
    count = rank * (INPUTS_OF + OUTPUTS_OF)
    return {"curve": [[i + 1, float(value)] for i, value in enumerate(part)],
            "dot": [rank, float(part[rank - 1])], "count": count,
            "share": 100 * count / (INPUTS_OF * OUTPUTS_OF), "scale": alpha / rank,
            "rslora": alpha / rank ** 0.5, "part": 100 * float(part[rank - 1]), "rank": rank}


def play():
    figure = Figure(values, INPUTS, sizes=SIZES, presets=PRESETS)

    def graph(width):
        image = Graph(figure, width, (0, 128), (0, 1), "rank", "part of the update's length")
        return image.moved("curve", "ln-att").point("dot")

    sliders = "".join(
        figure.row(words, figure.slider(name, label, low, high, step), kind="ctl-row wide-label")
        for name, words, label, low, high, step in (
            ("rank", "rank <i>r</i>", "rank", 1, 128, 1),
            ("alpha", "<code>alpha</code>", "alpha", 1, 64, 1)))
    return (sliders
            + figure.twice(graph, "How much of an update of all weights the best matrix of each "
                                  "rank holds. A dot marks the chosen rank.")
            + figure.say("Rank {rank:0} trains {count:0} numbers, {share:1} % of the matrix, and "
                         "can hold {part:0} % of the update. Its product is scaled by {scale:2}; "
                         "rsLoRA would scale it by {rslora:2}.")
            + figure.reset()), figure.data
