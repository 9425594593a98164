"""Softmax, to be moved: five scores and a temperature."""

import numpy as np
from npgpt.layers import softmax
from playing import Figure, head, printed, taken

WORDS, X = taken("softmax", "WORDS"), taken("softmax", "X").tolist()
INPUTS = {"z": X, "temperature": 1.0}
RAISED = [x + (word == "bed") for x, word in zip(X, WORDS)]
PRESETS = {"plus": {"+z": 1}, "raise": {"z": RAISED, "temperature": 1},
           "equal": {"z": [1.0] * 5}, "cold": {"temperature": 0.2}, "warm": {"temperature": 5}}


def values(inputs):
    z, temperature = np.array(inputs["z"]), inputs["temperature"]
    probs, _ = softmax(z / temperature)
    first, second = np.argsort(-z, kind="stable")[:2]
    ratio = float(np.exp((z[first] - z[second]) / temperature))
    return {"p": probs.tolist(), "first": WORDS[first], "second": WORDS[second],
            "top": float(probs[first]), "gap": float(z[first] - z[second]),
            "ratio": "more than 1000" if ratio > 1000 else printed(ratio, "1"),
            "slope": float(probs[first] * (1 - probs[first]) / temperature)}


def play():
    figure = Figure(values, INPUTS, words=WORDS, presets=PRESETS)
    rows = "".join(
        figure.row(word, figure.slider(f"z.{i}", f"score of {word}", -5, 8),
                   figure.bar(f"p.{i}"), figure.value(f"p.{i}"), kind="both")
        for i, word in enumerate(WORDS))
    return (head("", "score", "probability", "", kind="both") + rows
            + figure.row("temperature", figure.slider("temperature", "temperature", 0.1, 5),
                         kind="ctl-row")
            + figure.say("{first} has the largest probability, {top}. Next is {second}, whose "
                         "score is lower by {gap}: the ratio of the two is {ratio}. If the score "
                         "of {first} rises a little, its probability grows at a rate of "
                         "p(1 − p) / temperature = {slope:3}.")
            + figure.reset()), figure.data
