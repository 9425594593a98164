"""Attention, to be moved: how well each word fits `him`, the head size, the scale."""

import numpy as np
from npgpt.layers import attention
from playing import Figure, head, taken

WORDS, COLUMNS = taken("attention", "WORDS"), taken("attention", "V_COLUMNS")
Q, K, V = (taken("attention", name) for name in "QKV")
INPUTS = {"fit": (Q[5] @ K.T / 2).tolist(), "head": 4, "scaled": True}
PRESETS = {"plus": {"+fit": 1}, "equal": {"fit": [1.0] * 6},
           "big": {"fit": INPUTS["fit"], "head": 256, "scaled": False}}


def values(inputs):
    fit, root = np.array(inputs["fit"]), np.sqrt(inputs["head"])
    q, k = np.zeros((1, inputs["head"])), np.zeros((6, inputs["head"]))
    q[0, 0], k[:, 0] = root, fit                    # so that q · k / √D is the fit
    if not inputs["scaled"]:
        q = q * root                                # takes attention's own division back
    y, saved = attention(q[None, None], k[None, None], V[None, None])
    probs, y = saved[3][0, 0, 0], y[0, 0, 0]
    word, column = int(probs.argmax()), int(y.argmax())
    slope = float(probs[word] * (1 - probs[word]))
    return {"score": (k @ q[0] / root).tolist(), "p": probs.tolist(), "y": y.tolist(),
            "word": WORDS[word], "top": float(probs[word]), "column": COLUMNS[column],
            "most": 100 * float(y[column]), "slope": slope,
            "left": "almost nothing is left to learn from" if slope < 0.02
            else "there is something to learn from"}


def play():
    figure = Figure(values, INPUTS, words=WORDS, columns=COLUMNS, v=V.tolist(), presets=PRESETS)
    sizes = {4: "4", 16: "16", 64: "64", 256: "256"}
    rows = "".join(
        figure.row(word, figure.slider(f"fit.{i}", f"how well {word} fits", -6, 9),
                   figure.value(f"score.{i}", "1", "raw"), figure.bar(f"p.{i}"),
                   figure.value(f"p.{i}"))
        for i, word in enumerate(WORDS))
    out = "".join(figure.row(name, figure.bar(f"y.{i}"), figure.value(f"y.{i}"), kind="out")
                  for i, name in enumerate(COLUMNS))
    return ('<div class="ctl">' + figure.choice("head", "head size D", sizes)
            + figure.tick("scaled", "divide by √D", "divided by √D") + "</div>"
            + head("", "fit", "score", "share after softmax", "") + rows
            + "<h3>What <code>him</code> receives</h3>" + out
            + figure.say("{word} has the largest share, {top}. What comes out for "
                         "<code>him</code> is {most:0} % {column}. A nudge to the score of "
                         "{word} moves its share at a rate of p(1 − p) = {slope:3}: {left:s}.")
            + figure.reset()), figure.data
