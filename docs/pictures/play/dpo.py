"""DPO, to be moved: how much likelier each of two answers has become, and beta."""

import math

import numpy as np
from npgpt.finetuning import dpo, dpo_backward
from playing import Figure, Graph, head, taken

MOST = 3.0
INPUTS = {"gain": np.round((taken("dpo", "LOG_PROBS").sum(axis=-1)
                            - taken("dpo", "REFERENCE"))[0], 6).tolist(),
          "beta": taken("dpo", "BETA")}
PRESETS = {"start": {"gain": [0, 0]}, "right": {"gain": [2, -2]}, "wrong": {"gain": [-2, 2]},
           "down": {"gain": [-1, -3]}, "plus": {"+gain": 0.5}, "small": {"beta": 0.1}}


def of_margin(chosen, rejected, beta):
    """-> loss, the gradients of the two answers' log-probabilities."""
    loss, saved = dpo(np.array([[[float(chosen)], [float(rejected)]]]), np.zeros((1, 2)), beta)
    return float(loss), dpo_backward(1.0, saved)[0, :, 0].tolist()


def values(inputs):
    (chosen, rejected), beta = inputs["gain"], inputs["beta"]
    loss, grad = of_margin(chosen, rejected, beta)
    apart = chosen - rejected
    margin = beta * apart
    steps = [i / 4 for i in range(-24, 25)]
    return {"times": [math.exp(chosen), math.exp(rejected)], "grad": grad, "loss": loss,
            "margin": margin, "wrong": grad[1] / beta, "apart": apart,
            "curve": [[x, of_margin(x, 0, beta)[0]] for x in steps], "dot": [apart, loss],
            "read": "A margin of 0 costs ln 2, whatever β is" if margin == 0
            else "The order is wrong, and the pair pulls with more than half of β" if margin < 0
            else "The order is right, though the chosen answer has become less likely, too"
            if chosen < 0 else "The order is right; the larger the margin, the weaker the pull"}


def play():
    figure = Figure(values, INPUTS, presets=PRESETS)
    rows = "".join(
        figure.row(word, figure.slider(f"gain.{i}", f"gain of the {word} answer", -MOST, MOST),
                   figure.value(f"times.{i}", "2", "raw"),
                   figure.bar(f"grad.{i}", 1, signed=True, kind="grad"),
                   figure.value(f"grad.{i}", "+2"))
        for i, word in enumerate(taken("dpo", "ANSWERS")))

    def graph(width):
        image = Graph(figure, width, (-2 * MOST, 2 * MOST), (0, 2 * MOST),
                      "gain of the chosen less gain of the rejected", "loss of the pair")
        return image.moved("curve", "ln-att").point("dot")

    return (head("", "gain", "times", "gradient of its log-probability, −1 to 1", "") + rows
            + figure.row("β", figure.slider("beta", "beta", 0.1, 1, 0.1), kind="ctl-row")
            + figure.twice(graph, "The loss against how much more the chosen answer has gained, "
                                  "for the chosen beta. A dot marks this pair.")
            + figure.say("The margin is β times {apart:+1}, or {margin:+2}; the order is wrong "
                         "with probability σ(−margin) = {wrong:3}, and the loss is {loss:3}. "
                         "{read:s}.")
            + figure.reset()), figure.data
