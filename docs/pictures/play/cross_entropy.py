"""Cross-entropy, to be moved: the logits of five tokens and the right one."""

import numpy as np
from npgpt.layers import cross_entropy, cross_entropy_backward
from playing import Figure, head, taken

WORDS = taken("cross_entropy", "WORDS")
INPUTS = {"z": taken("cross_entropy", "LOGITS")[0].tolist(),
          "target": taken("cross_entropy", "RIGHT")}
PRESETS = {"equal": {"z": [0.0] * 5}, "sure": {"z": [0, 0, 0, 0, 8], "target": 4},
           "wrong": {"z": [0, 0, 8, 0, 0], "target": 4}, "plus": {"+z": 1}}


def values(inputs):
    logits, target = np.array(inputs["z"], dtype=float), inputs["target"]
    loss, saved = cross_entropy(logits[None], np.array([target]))
    probs, grad = saved[0][0], cross_entropy_backward(1.0, saved)[0]
    others = [i for i in range(5) if i != target]
    worst = max(others, key=lambda i: grad[i])
    return {"p": probs.tolist(), "grad": grad.tolist(), "loss": float(loss),
            "perplexity": float(np.exp(loss)), "right": WORDS[target],
            "chance": float(probs[target]), "push": float(grad[target]), "other": WORDS[worst]}


def play():
    figure = Figure(values, INPUTS, words=WORDS, presets=PRESETS)
    rows = "".join(
        figure.row(f'<label class="pick">{figure.radio("target", i, f"{word} is the right word")}'
                   f"{word}</label>",
                   figure.slider(f"z.{i}", f"logit of {word}", -10, 10),
                   figure.value(f"p.{i}", "2", "raw"),
                   figure.bar(f"grad.{i}", 1, signed=True, kind="grad"),
                   figure.value(f"grad.{i}", "+2"))
        for i, word in enumerate(WORDS))
    return (head("right word", "logit", "prob.", "gradient of the logit, −1 to 1", "") + rows
            + figure.say("The right word, {right}, gets a probability of {chance}, so the loss "
                         "is −ln {chance:4} = {loss} and the perplexity {perplexity:1}. The update "
                         "raises the logit of {right} (gradient {push:+2}) and lowers the "
                         "others, most of all that of {other}.")
            + figure.reset()), figure.data
