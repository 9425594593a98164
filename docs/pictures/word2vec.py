"""word2vec drawn: a window in a sentence, noise, what `npgpt learn words` found, and what the
scores come to."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from npgpt.foundations import skip_gram, skip_gram_backward
from npgpt.text.corpora.words import ANALOGIES
from svg import Svg, chart, printed

RECORD = Path(__file__).parents[1] / "records" / "words.json"
WORDS = ["king", "queen", "crown", "toast", "butter", "knife"]
INPUT = np.array([[1.0, 0.5], [0.5, 1.0], [0.5, 0.5], [-1.0, 0.5], [-0.5, 1.0], [-0.5, -0.5]])
OUTPUT = np.array([[0.5, -0.5], [0.5, 0.5], [0.5, 1.0], [-0.5, 0.5], [1.0, -0.5], [-1.0, 0.5]])
FOCUS, TARGET = np.array([0, 1]), np.array([2, 2])
NOISE = np.array([[3, 4], [4, -100]])
CONTEXT, AIM = np.array([[0, 1], [4, -100]]), np.array([2, 3])
OTHER = np.array([[3, 5], [2, -100]])


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def mean_of(accuracy):
    return sum(accuracy.values()) / len(accuracy)


def spread(method, part=None):
    """Mean, least and most of the right answers over the seeds, in per cent."""
    runs = [100 * mean_of(run["baselines"][part] if part else run["accuracy"])
            for run in record()["runs"][method]]
    return {"mean": np.mean(runs), "least": min(runs), "most": max(runs)}


def worked():
    found = record()
    tables = {"input_vectors": INPUT, "output_vectors": OUTPUT}
    losses, saved = skip_gram(FOCUS, TARGET, NOISE, **tables)
    grads = skip_gram_backward(np.ones(2), saved)
    after = skip_gram(FOCUS, TARGET, NOISE, *(
        table - 0.5 * grads[name] for name, table in tables.items()))[0]
    names = {
        "vocabulary": WORDS, "cc": ["1", "2"], "king": 0, "queen": 1, "crown": 2, "toast": 3,
        "butter": 4, "knife": 5, "pairs": ["king", "queen"], "asks": ["crown", "first", "second"],
        "after": after, "found": found, "first": found["first"], "spread": spread,
        "d_in": grads["input_vectors"], "d_out": grads["output_vectors"],
        "seconds": max(run["seconds"] for runs in found["runs"].values() for run in runs),
        "queens": sum(run["answers"][0][0] == "queen"
                      for runs in found["runs"].values() for run in runs),
        "runs": sum(map(len, found["runs"].values())), "relations": list(ANALOGIES),
        "methods": ["untrained", "counted", "skip-gram", "CBOW"], "right": right_by_relation()}
    v = INPUT[FOCUS]
    context = {"pairs": ["crown", "toast"], "beside": ["first", "second"]}
    return {
        "skip_gram": {"args": {"focus": FOCUS, "target": TARGET, "negatives": NOISE, **tables},
                      "d_y": np.ones(2), "names": names},
        "negative_sampling": {"args": {"v": v, "target": TARGET, "negatives": NOISE,
                                       "output_vectors": OUTPUT},
                              "d_y": np.ones(2), "names": names},
        "cbow": {"args": {"context": CONTEXT, "target": AIM, "negatives": OTHER, **tables},
                 "d_y": np.ones(2), "names": names | context},
        "cosine_similarity": {"args": {"x": INPUT[:1], "y": INPUT}, "names": names}}


def right_by_relation():
    """(relations, methods): per cent right, the mean of the seeds."""
    runs = record()["runs"]
    columns = [[run["baselines"]["untrained"] for run in runs["skip-gram"]],
               [run["baselines"]["counts"] for run in runs["skip-gram"]],
               [run["accuracy"] for run in runs["skip-gram"]],
               [run["accuracy"] for run in runs["cbow"]]]
    return np.array([[100 * np.mean([each[relation] for each in column]) for column in columns]
                     for relation in ANALOGIES])


def problem(width):
    """Analogies with the right answer: at random, counted, learned."""
    image = Svg(width, 280)
    left, base, tall = 44, 236, 180
    image.text(4, 14, "right analogies, %", "nt")
    for tick in (0, 25, 50, 75, 100):
        y = base - tick / 100 * tall
        image.line(left, y, width - 8, y, "grid")
        image.text(left - 8, y + 4, tick, "nt", "end")
    bars = [("at random", spread("skip-gram", "untrained"), "grey"),
            ("counted", spread("skip-gram", "counts"), "grey"),
            ("skip-gram", spread("skip-gram"), "att"), ("CBOW", spread("cbow"), "att")]
    step = (width - left - 8) / len(bars)
    for i, (name, found, kind) in enumerate(bars):
        x, size = left + (i + 0.2) * step, found["mean"] / 100 * tall
        image.rect(x, base - size, 0.6 * step, size, f"cellbox {kind}", 2, "--share:.8")
        image.text(x + 0.3 * step, base - size - 8, f"{printed(found['mean'], 1)} %", "num",
                   "middle")
        image.text(x + 0.3 * step, base + 20, name, "tok", "middle")
    image.line(left, base, width - 8, base, "axis")
    return image


def picture(width):
    """A word, its neighbours within the window, and words drawn at random."""
    phone = width < 500
    words = ["the", "crown", "made", "the", "king", "proud", "of", "his", "beard"]
    image = Svg(width, 300)
    if phone:
        words = words[1:8]
    step = width / len(words)
    focus = words.index("king")
    image.rect((focus - 2) * step + 2, 96, 5 * step - 4, 34, "box ink", 6)
    image.text((focus + 0.5) * step, 160, "the window: two words to each side", "nt", "middle")
    for i, word in enumerate(words):
        near = 0 < abs(i - focus) <= 2
        image.text((i + 0.5) * step, 118, word, "big" if i == focus else "tok", "middle")
        if near:
            x = (i + 0.5) * step
            image.add(f'<path class="th" fill="none" d="M {(focus + 0.5) * step:.1f} 94 Q '
                      f'{(x + (focus + 0.5) * step) / 2:.1f} {40 if abs(i - focus) > 1 else 64} '
                      f'{x:.1f} 94"/>')
    image.text((focus + 0.5) * step, 26, "neighbours: scores up", "lab", "middle")
    noise = ["pasta", "slowest", "kennel", "swam"]
    image.text((focus + 0.5) * step, 204, "drawn at random: scores down", "lab", "middle")
    for i, word in enumerate(noise):
        x = width * (0.5 + i) / len(noise)
        image.line((focus + 0.5) * step, 212, x, 240, "th")
        image.text(x, 258, word, "tok", "middle")
    return image


def arrows(width, relation, kind):
    """Each pair of a relation as an arrow in the plane of their largest spread."""
    found = record()["first"]["projected"][relation]
    ends = np.array(found["points"])
    if (ends[:, 1, 0] - ends[:, 0, 0]).mean() < 0:
        ends = ends * [-1, 1]
    phone = width < 500
    left, right, top, low = 108, width - 108, 34, 426
    image = Svg(width, 440)
    small, large = ends.min(axis=(0, 1)), ends.max(axis=(0, 1))

    def at(point):
        x, y = (point - small) / (large - small)
        return left + x * (right - left), low - y * (low - top)

    gap = (low - top) / 24
    for side in (0, 1):
        order = np.argsort(-ends[:, side, 1])
        heights = [at(ends[row, side])[1] for row in order]
        for _ in range(300):
            for i in range(len(heights) - 1):
                near = gap - (heights[i + 1] - heights[i])
                if near > 0:
                    heights[i] -= near / 2
                    heights[i + 1] += near / 2
        for row, height in zip(order, heights):
            x, y = at(ends[row, side])
            edge = left - 20 if side == 0 else right + 20
            image.line(x, y, edge, height, "grid")
            image.text(edge + (-4 if side == 0 else 4), height + 4, found["pairs"][row][side],
                       "tok", "end" if side == 0 else "start")
    for start, end in ends:
        (x1, y1), (x2, y2) = at(start), at(end)
        image.arrow(x1, y1, x2, y2)
        image.dot(x1, y1, 3.5, "ink-o").dot(x2, y2, 3.5, kind)
    ratio = f"{100 * found['ratio']:.0f} % of the spread"
    image.text(0, 14, ratio if phone else f"a plane with {ratio}", "nt")
    return image


def gender(width):
    return arrows(width, "gender", "pt-o")


def capital(width):
    return arrows(width, "capital", "np-o")


def plot(width):
    """Right analogies while it learns: each relation, and their mean."""
    path = record()["first"]["path"]
    x = [100 * at["progress"] for at in path]
    series = {f" {name}": (x, [100 * at["accuracy"][name] for at in path], "dim")
              for name in ANALOGIES}
    series["mean of the relations"] = (x, [100 * mean_of(at["accuracy"]) for at in path], "att")
    return chart(width, series, "% of the training", "right analogies, %", y_range=(0, 104))


def noise(width):
    """How often a word is drawn as noise, against how often it occurs, for three powers."""
    counts = 10.0 ** np.linspace(0, 4, 9)
    series = {}
    for power, style in ((1.0, "dim"), (0.75, "att"), (0.0, "ink")):
        series[f"power {power:g}"] = (counts, counts ** power, style)
    return chart(width, series, "how often a word occurs",
                 "how often it is drawn, against a word that occurs once", x_log=True, y_log=True)


@lru_cache(maxsize=1)
def small_law(k=2, steps=300):
    """Four words and how often they stand beside each other; the scores after full-batch steps
    on the expected loss, and the two laws."""
    counts = np.array([[1.0, 6, 2, 1], [6, 2, 1, 1], [2, 1, 1, 8], [1, 1, 8, 2]])
    V = len(counts)
    probs = counts.sum(axis=0) / counts.sum()
    w, c = np.nonzero(counts)
    focus, target, drawn = np.repeat(w, V), np.repeat(c, V), np.tile(np.arange(V), len(w))
    weight = counts[focus, target] * probs[drawn] / counts.sum()
    law = np.log(counts / counts.sum(axis=1, keepdims=True) / probs) - np.log(k)
    draw = np.random.default_rng(0).normal
    tables = draw(size=(V, V)), draw(size=(V, V))
    path = []
    for step in range(steps + 1):
        scores = tables[0] @ tables[1].T
        if step in (0, 3, 10, 20, 30, 50, 100):
            path.append((max(step, 1), float(np.abs(scores - law).max())))
        _, saved = skip_gram(focus, target, np.repeat(drawn[:, None], k, axis=1), *tables)
        grads = skip_gram_backward(weight, saved)
        tables = tables[0] - 4 * grads["input_vectors"], tables[1] - 4 * grads["output_vectors"]
    return path


def law(width):
    path = small_law()
    return chart(width, {"largest distance": ([x for x, _ in path], [y for _, y in path], "att")},
                 "step", "distance of the scores from PMI − ln k", x_log=True, y_log=True)
