"""One sentence with "it": queries, keys and values by hand, two layers of attention, and a
third that looks into another text."""

import numpy as np
from npgpt.layers import attention, softmax
from svg import Svg

WORDS = ["trophy", "case", "it", "too", "big"]
CHANNELS = ["goes in", "holds", "size", "adj.", "pronoun"]
IT = 2
# each row by hand: what a word is
ROWS = {"trophy": [1.0, 0, 0, 0, 0], "case": [0, 1, 0, 0, 0], "it": [0, 0, 0, 0, 1],
        "too": [0, 0, 0, 0, 0], "big": [0, 0, 1, 1, 0], "small": [0, 0, -1, 1, 0]}
# the first layer: a pronoun looks for an adjective, which hands over its size
QUERY_1, KEY_1, VALUE_1 = np.zeros((5, 1)), np.zeros((5, 1)), np.zeros((5, 5))
QUERY_1[4] = 4
KEY_1[3] = 1
VALUE_1[2, 2] = 1
# the second: what is too big should go in, what is too small should hold
QUERY_2, KEY_2, VALUE_2 = np.zeros((5, 2)), np.zeros((5, 2)), np.zeros((5, 5))
QUERY_2[2] = [4, -4]
KEY_2[:2] = np.eye(2)
VALUE_2[:2, :2] = np.eye(2)
# across: a German pronoun is looked for; its answer is the English one's
GERMAN = ["weil", "?"]
QUERY_3, KEY_3, VALUE_3 = np.array([[0.0], [4.0]]), np.zeros((5, 1)), np.zeros((5, 2))
KEY_3[4] = 1
VALUE_3[:2] = np.eye(2)
TO_GERMAN = np.array([[3.0, -3.0], [-3.0, 3.0]])     # sie: the trophy; er: the suitcase


def layer(x, query, key, value, causal=False):
    """x (T, C) -> x with what attention adds, q, k, v, probabilities (T, T)."""
    q, k, v = x @ query, x @ key, x @ value
    y, saved = attention(q[None, None], k[None, None], v[None, None], causal=causal)
    return x + y[0, 0], q, k, v, saved[3][0, 0]


def read(last, causal=False):
    """Both layers on the sentence that ends in `last` -> everything on the way."""
    x = np.array([ROWS[word] for word in [*WORDS[:-1], last]])
    middle, *first = layer(x, QUERY_1, KEY_1, VALUE_1, causal)
    end, *second = layer(middle, QUERY_2, KEY_2, VALUE_2, causal)
    return {"x": x, "middle": middle, "end": end, "first": first, "second": second}


def across(source):
    """The German words' probabilities over the English ones, and sie or er at `?`."""
    y, saved = attention(QUERY_3[None, None], (source @ KEY_3)[None, None],
                         (source @ VALUE_3)[None, None])
    return saved[3][0, 0], softmax(y[0, 0] @ TO_GERMAN)[0]


def worked():
    big, small, before = read("big"), read("small"), read("big", causal=True)
    _, q1, k1, v1, p1 = (None, *big["first"])
    _, q2, k2, _, p2 = (None, *big["second"])
    over, german = across(big["end"])
    _, other = across(small["end"])
    names = {
        "words": WORDS, "ch": CHANNELS, "it": IT, "x": big["x"], "q1": q1, "k1": k1, "v1": v1,
        "p1": p1, "middle": big["middle"], "q2": q2, "k2": k2, "p2": p2, "end": big["end"],
        "raw1": (q1 @ k1.T)[IT], "raw2": (q2 @ k2.T)[IT], "scaled2": (q2 @ k2.T)[IT] / np.sqrt(2),
        "small2": small["second"][3][IT], "small_words": [*WORDS[:-1], "small"],
        "small_size": small["middle"][IT, 2],
        "before1": before["first"][3][IT], "before2": before["second"][3][IT],
        "size_before": before["middle"][IT, 2],
        "qkv": np.hstack([QUERY_1, KEY_1, VALUE_1[:, 2:3]]), "three": ["q", "k", "v size"],
        "qk": np.hstack([QUERY_2, KEY_2]), "four": ["q: in", "q: holds", "k: in", "k: holds"],
        "german": GERMAN, "over": over, "choice": np.stack([german[1], other[1]]),
        "gender": ["sie", "er"], "ends": ["… too big", "… too small"],
        "both": np.stack([p2[IT], small["second"][3][IT]]),
        "sees": np.stack([p1[IT], before["first"][3][IT]]),
        "kinds": ["encoder", "decoder"]}
    return {"trophy": {"names": names}}


def fractions(image, x, y, probs, words, cell, title):
    image.text(x, y - 40, title, "lab")
    image.matrix(x, y, probs, (cell, 26), 2, words, words,
                 1.0, "att")


def picture(width):
    """How `it` finds out, in two layers: lines as strong as the shares."""
    found, phone = read("big"), width < 500
    image = Svg(width, 236)
    left, step = (34, (width - 68) / 4) if phone else (60, (width - 130) / 4)
    levels = [214, 130, 40]
    for level, probs in enumerate((found["first"][3], found["second"][3])):
        low, high = levels[level] - 22, levels[level + 1] + 12
        for j in range(5):
            fraction = float(probs[IT, j])
            image.add(f'<line class="ln-att" style="stroke-width:{0.4 + 5 * fraction:.2f}" '
                      f'x1="{left + j * step:.1f}" y1="{low}" '
                      f'x2="{left + IT * step:.1f}" y2="{high}"/>')
            if fraction > 0.5:
                image.text(left + j * step, low - 14, f"{fraction:.2f}", "num", "middle")
    for level in levels:
        for j, word in enumerate(WORDS):
            image.text(left + j * step, level, word, "tok", "middle")
    return image


def sees(width):
    """The second layer's shares, read whole and read from left to right."""
    phone = width < 500
    whole, causal = (read("big", way)["second"][3] for way in (False, True))
    hidden = ~np.tri(5, dtype=bool)
    if phone:
        image = Svg(width, 430)
        fractions(image, 70, 66, whole, WORDS, 52, "encoder: every word sees all")
        image.text(70, 236, "decoder: a word sees what came before", "lab")
        image.matrix(70, 276, causal, (52, 26), 2, WORDS, WORDS, 1.0, "att", hidden=hidden)
        return image
    image = Svg(width, 210)
    fractions(image, 66, 66, whole, WORDS, 46, "encoder: every word sees all")
    x = width / 2 + 66
    image.text(x, 26, "decoder: sees what came before", "lab")
    image.matrix(x, 66, causal, (46, 26), 2, WORDS, WORDS, 1.0, "att",
                 hidden=hidden)
    return image
