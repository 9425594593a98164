"""Sampling drawn: six logits on their way to a token; a model that counts, and what becomes
of its text at each temperature; and what each setting leaves to choose from."""

from collections import Counter, defaultdict
from functools import lru_cache
from itertools import pairwise

import npgpt.generation
import numpy as np
from npgpt.generation.sample import penalise_repeats, sample_token
from npgpt.random_stream import normals, uniforms
from npgpt.text import BytePairTokenizer, load_corpus
from svg import Svg, chart, printed

LOGITS = np.array([1.2, 2.4, -0.6, 1.9, 2.0, 0.8])
WORDS = ["a", "mat", "if", "bed", "sofa", "car"]
SETTINGS = {"temperature": 0.7, "top_k": 4, "top_p": 0.8}
U = 0.52
PENALTY = 1.3
USED = np.array([False, True, True, False, False, False])  # mat, if
FRACTIONS = [0.6, 0.3, 0.08, 0.02]     # of what followed the last 3, 2, 1 and 0 tokens
TEMPERATURES = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2]


def worked():
    probs = npgpt.generation.token_probs(LOGITS, **SETTINGS)
    scores = (LOGITS - LOGITS.max()) / 0.7
    at_one, sharp = (npgpt.generation.token_probs(LOGITS, t) for t in (1.0, 0.7))
    four = npgpt.generation.token_probs(LOGITS, 0.7, 4)
    order = np.argsort(-four, stable=True)
    before = np.cumsum(four[order]) - four[order]
    token = npgpt.generation.draw_token(probs, U)
    texts = {name: written(text, **how) for name, text, how in (
        ("greedy", "A class", {"temperature": 0}), ("hot", "A class", {"temperature": 1.5}),
        ("good", "A class", {"temperature": 0.8, "top_p": 0.9}),
        ("punished", "A class", {"temperature": 0, "penalty": PENALTY}))}
    halved = npgpt.generation.token_probs(LOGITS, 0.5)
    names = {"words": WORDS, "at_one": at_one, "sharp": sharp, "four": four,
             "shifted": LOGITS - LOGITS.max(), "warm": scores, "cold": halved,
             "LOGITS_sofa": LOGITS[4], "last": np.sort(scores)[-4],
             "sorted_words": [WORDS[i] for i in order[:4]], "sorted_probs": four[order][:4],
             "sums_before": before[:4], "kept": [WORDS[i] for i in order if probs[i]],
             "total": probs.sum(), "token": token, "word": WORDS[token], "number": U,
             "running": np.cumsum(probs), "mat": 1, "sofa": 4, "bed": 3,
             "rows": np.array([LOGITS, at_one, sharp, four, probs]),
             "row_names": ["logits", "temperature 1", "temperature 0.7", "and top_k = 4",
                           "and top_p = 0.8"], **{n: t for n, (t, _) in texts.items()},
             "repeats": {n: 100 * repeated(ids) for n, (_, ids) in texts.items()},
             "strange": {n: 100 * strange(ids) for n, (_, ids) in texts.items()}}
    return {"token_probs": {"args": {"logits": LOGITS, **SETTINGS}, "names": names},
            "draw_token": {"args": {"probs": probs, "u": U}, "names": names},
            "penalise_repeats": {"args": {"logits": LOGITS, "used": USED, "penalty": PENALTY},
                                 "names": {"words": WORDS}}}


@lru_cache(maxsize=1)
def model():
    """A language model that counts: which token followed the last three, two and one."""
    text = load_corpus("python-docs").train_text
    tokenizer = BytePairTokenizer.train(text, 1500)
    ids = tokenizer.encode(text)
    follows = [defaultdict(Counter) for _ in FRACTIONS]
    for n, table in enumerate(follows):
        for k in range(n, len(ids)):
            table[tuple(ids[k - n:k])][ids[k]] += 1
    return tokenizer, follows, set(pairwise(ids))


def logits_of(ids):
    tokenizer, follows, _ = model()
    probs = np.zeros(tokenizer.vocab_size)
    for n, fraction in enumerate(reversed(FRACTIONS)):
        counts = follows[n].get(tuple(ids[len(ids) - n:]), Counter())
        total = counts.total()
        for id, count in counts.items():
            probs[id] += fraction * count / total
    return np.log(np.maximum(probs, 1e-12))


def write(prompt, tokens, seed=1, penalty=1, **settings):
    """Its ids: the prompt's, then as many as asked for, each drawn by `sample_token`."""
    ids = model()[0].encode(prompt)
    for u in uniforms((tokens,), seed, 0, "write"):
        logits = logits_of(ids)
        if penalty != 1:
            used = np.zeros(len(logits), bool)
            used[ids] = True
            logits = penalise_repeats(logits, used, penalty)
        ids.append(sample_token(logits, u, **settings))
    return ids


def written(prompt, **settings):
    ids = write(prompt, 60, **settings)
    text = "".join(c for c in model()[0].decode(ids) if c not in "`*[]$")
    return " ".join(text.split()), ids


def repeated(ids, size=4):
    """The part of its groups of four tokens that stood there before."""
    groups = [tuple(ids[k:k + size]) for k in range(len(ids) - size + 1)]
    return 1 - len(set(groups)) / len(groups)


def strange(ids):
    """The part of its neighbours that never stand side by side in the training text."""
    pairs = list(pairwise(ids))
    return sum(pair not in model()[2] for pair in pairs) / len(pairs)


@lru_cache(maxsize=1)
def texts_at():
    loops, odd = [], []
    for temperature in TEMPERATURES:
        texts = [write(prompt, 100, seed, temperature=temperature)
                 for seed, prompt in ((1, "A class"), (2, "The function"))]
        loops.append(100 * np.mean([repeated(ids) for ids in texts]))
        odd.append(100 * np.mean([strange(ids) for ids in texts]))
    return loops, odd


def problem(width):
    loops, odd = texts_at()
    phone = width < 500
    return chart(width, {"written before" if phone else "groups of 4 written before":
                         (TEMPERATURES, loops, "att"),
                         "never read" if phone else "neighbours never read in training":
                         (TEMPERATURES, odd, "ink")}, "temperature", "part of the text, in %",
                 y_range=(0, 80), x_ticks=[0, 0.5, 1, 1.5, 2])


def picture(width):
    probs = npgpt.generation.token_probs
    rows = [("logits", LOGITS, "the model’s scores"),
            ("probs", probs(LOGITS, 1.0), "temperature 1"),
            ("probs", probs(LOGITS, 0.7), "temperature 0.7"),
            ("probs", probs(LOGITS, 0.7, 4), "and top_k = 4"),
            ("probs", probs(LOGITS, 0.7, 4, 0.8), "and top_p = 0.8")]
    phone = width < 500
    left = 0 if phone else 150
    step = (width - left - 4) / len(WORDS)
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
        image.bars(left, y, values, step, 36, kind="att" if row else "grey")
    final = rows[-1][1] / rows[-1][1].sum()
    token = npgpt.generation.draw_token(final, U)
    y = 30 + 5 * gap + 26
    if not phone:
        image.text(0, y + 18, "u on the line", "lab")
    line(image, left, y, width - left - 4, final, token)
    return image


def line(image, left, y, across, probs, token):
    """The shares end to end, and the mark that falls into one of them."""
    at = left
    for i, prob in enumerate(probs):
        if prob:
            image.rect(at, y, prob * across - 2, 28, "cellbox att", 3,
                       f"--share:{1 if i == token else 0.35}")
            image.text(at + prob * across / 2, y + 18, WORDS[i], "tok", "middle")
            at += prob * across
    mark = left + U * across
    image.line(mark, y - 8, mark, y + 34)
    image.text(mark + 6, y + 46, f"u = {printed(U, 2)} → {WORDS[token]}", "num", "start")


def choices(logits, temperatures, **cuts):
    """e to the entropy: among how many equally likely tokens one chooses."""
    out = []
    for temperature in temperatures:
        each = []
        for row in logits:
            probs = npgpt.generation.token_probs(row, float(temperature), **cuts)
            probs = probs[probs > 0] / probs.sum()
            each.append(np.exp(-(probs * np.log(probs)).sum()))
        out.append(float(np.mean(each)))
    return out


def plot(width):
    logits = 3 * normals((16, 256), 1, 0, "logits")
    temperatures = np.linspace(0.1, 2, 20)
    return chart(width, {
        "all": (temperatures, choices(logits, temperatures), "att"),
        "top_k = 40": (temperatures, choices(logits, temperatures, top_k=40), "ink"),
        "top_p = 0.9": (temperatures, choices(logits, temperatures, top_p=0.9), "dim")},
        "temperature", "tokens to choose among", y_log=True)
