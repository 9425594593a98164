"""word2vec, to be moved: the vector of king, its neighbour and two words drawn as noise."""

import numpy as np
from npgpt.foundations import negative_sampling, negative_sampling_backward
from playing import Figure, Graph, taken

WORDS = ["crown", "toast", "butter"]
U = taken("word2vec", "OUTPUT")[[2, 3, 4]]
RATE, LIMIT = 0.5, 3.0
INPUTS = {"first": 1.0, "second": 0.5}
PRESETS = {"step": {"first": "=next_first", "second": "=next_second"},
           "zero": {"first": 0, "second": 0}, "away": {"first": 2, "second": -2}}


def values(inputs):
    v = np.array([[inputs["first"], inputs["second"]]], dtype=float)
    losses, saved = negative_sampling(v, np.array([0]), np.array([[1, 2]]), U)
    d_v, _ = negative_sampling_backward(np.ones(1), saved)
    probs, scores = saved[5][0], U @ v[0]
    down = v[0] - RATE * d_v[0]
    stepped = np.floor(100 * np.clip(down, -LIMIT, LIMIT) + 0.5) / 100
    return {"score": scores.tolist(), "p": probs.tolist(), "loss": float(losses[0]),
            "d": d_v[0].tolist(), "next_first": float(stepped[0]),
            "next_second": float(stepped[1]),
            "vector": [[0.0, 0.0], v[0].tolist()], "dot": v[0].tolist(),
            "downhill": [v[0].tolist(), down.tolist()]}


def graph(figure, width):
    image = Graph(figure, width, (-LIMIT, LIMIT), (-LIMIT, LIMIT), "first number",
                  "second number", height=300)
    for word, (x, y) in zip(WORDS, U.tolist()):
        image.curve([(0, 0), (x, y)], "ln-att" if word == "crown" else "ln-dim")
        at = image.at(x, y)
        image.text(at[0] + 6, at[1] - 5, word, "ann")
    return image.moved("vector", "ln-ink").moved("downhill", "ln-tangent").point("dot")


def play():
    figure = Figure(values, INPUTS, u=U.tolist(), rate=RATE, limit=LIMIT, presets=PRESETS)
    rows = "".join(
        figure.row(word, figure.value(f"score.{i}", "2"), figure.bar(f"p.{i}"),
                   figure.value(f"p.{i}", "3"), kind="two") for i, word in enumerate(WORDS))
    captions = ('<div class="row head two" aria-hidden="true"><span></span><span class="val">score'
                '</span><span>probability that it is real</span><span></span></div>')
    sliders = "".join(
        figure.row(f"king, {name}", figure.slider(name, f"the {name} number of king",
                                                  -LIMIT, LIMIT, 0.01), kind="ctl-row")
        for name in INPUTS)
    return (sliders + figure.twice(
        lambda width: graph(figure, width),
        "Arrows from the origin to crown, toast and butter; a line to king, and a short line "
        "downhill from there.") + captions + rows
        + figure.say("The pair costs {loss:3}. Its gradient for king is ({d.0:3}, {d.1:3}); a step "
                     "of 0.5 against it leads to ({next_first:2}, {next_second:2}).")
        + figure.reset()), figure.data
