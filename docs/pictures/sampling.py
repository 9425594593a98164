"""Sampling drawn: eight logits on their way to a token; and what each setting leaves to choose."""

import npgpt.generation
import numpy as np
import torch
import torchgpt.generation
from npgpt.random_stream import normals
from svg import Svg, chart

LOGITS = np.array([1.2, 2.4, -0.6, 1.9, 0.3, 2.0, -1.4, 0.8])
WORDS = ["a", "mat", "if", "bed", "we", "sofa", "ox", "car"]
U = 0.52


def picture(width):
    probs = npgpt.generation.token_probs
    rows = [("logits", LOGITS, "the model’s scores"),
            ("probs", probs(LOGITS, 1.0), "temperature 1"),
            ("probs", probs(LOGITS, 0.7), "temperature 0.7"),
            ("probs", probs(LOGITS, 0.7, 4), "and top_k = 4"),
            ("probs", probs(LOGITS, 0.7, 4, 0.8), "and top_p = 0.8")]
    phone = width < 500
    left = 0 if phone else 150
    step = (width - left - 4) / 8
    gap = 96 if phone else 84
    image = Svg(width, 30 + 5 * gap + 78)
    for i, word in enumerate(WORDS):
        image.text(left + (i + 0.5) * step, 14, word, "tok", "middle")
    for row, (name, values, note) in enumerate(rows):
        y = 84 + row * gap + (6 if row else -8)
        if phone and row:
            image.text(0, y - 58, note, "nt")
        elif not phone:
            image.name(0, y - 14, name, note)
        image.bars(left, y, values, step, 36)
    final = rows[-1][1] / rows[-1][1].sum()
    token = npgpt.generation.draw_token(final, U)
    y = 30 + 5 * gap + 26
    box_width, at = width - left - 4, left
    if not phone:
        image.text(0, y + 18, "u walks along", "lab")
    for i, prob in enumerate(final):
        if prob:
            kind = "pt" if i == token else "np"
            image.rect(at, y, prob * box_width - 2, 28, f"cellbox {kind}", 3, "--share:.8")
            image.text(at + prob * box_width / 2, y + 18, WORDS[i], "tok", "middle")
            at += prob * box_width
    mark = left + U * box_width
    image.line(mark, y - 8, mark, y + 34)
    image.text(mark + 6, y + 46, f"u = {U} → {WORDS[token]}", "num", "start")
    return image


def choices(probs_of, logits, temperatures, **cuts):
    """e to the entropy: among how many equally likely tokens one chooses."""
    out = []
    for temperature in temperatures:
        each = []
        for row in logits:
            probs = np.array(probs_of(row, float(temperature), **cuts))
            probs = probs[probs > 0] / probs.sum()
            each.append(np.exp(-(probs * np.log(probs)).sum()))
        out.append(float(np.mean(each)))
    return out


def plot(width):
    logits = 3 * normals((16, 256), 1, 0, "logits")
    temperatures = np.linspace(0.1, 2, 20)
    ours, theirs = npgpt.generation.token_probs, torchgpt.generation.token_probs
    series = {"all": (temperatures, choices(ours, logits, temperatures), "np"),
              "top_k = 40": (temperatures, choices(ours, logits, temperatures, top_k=40), "ink"),
              "top_p = 0.9": (temperatures, choices(ours, logits, temperatures, top_p=0.9), "dim"),
              "PyTorch" if width > 500 else " PyTorch": (
                  temperatures[::2], choices(theirs, torch.from_numpy(logits),
                                             temperatures[::2]), "pt")}
    return chart(width, series, "temperature", "tokens to choose among", y_log=True)
