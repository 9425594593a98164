"""24 blocks drawn: where the norms stand, the recorded losses, and what the stacks are at birth."""

import json
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from npgpt.layers import sinusoids
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import adamw_init, adamw_step, loss_and_grads
from npgpt.tree import tree_leaves
from svg import Svg, chart

RECORDS = Path(__file__).parents[1] / "records"
if str(RECORDS) not in sys.path:
    sys.path.append(str(RECORDS))

import make_depth  # noqa: E402
from make_depth import STACKS, drawn, stack  # noqa: E402

STYLES = {"pre-norm": "ink", "post-norm": "att", "no residuals": "dim"}
VOCABULARY = 51
DEPTHS = [2, 4, 8, 16, 24]


@lru_cache(maxsize=1)
def record():
    return json.loads((RECORDS / "depth.json").read_text(encoding="utf-8"))


def batch(seed=1):
    draw = np.random.default_rng(seed)
    shape = make_depth.B, make_depth.T
    return draw.integers(0, VOCABULARY, shape), draw.integers(0, VOCABULARY, shape)


@lru_cache(maxsize=1)
def gradients():
    """{stack: the length of each block's gradient before the first step}."""
    found = {}
    for name in STACKS:
        params, config = drawn(VOCABULARY, 1)
        _, grads = loss_and_grads(stack(name), params, *batch(), config)
        found[name] = [float(np.sqrt(sum((array.astype(np.float64) ** 2).sum()
                                         for _, array in tree_leaves(block))))
                       for block in grads["blocks"]]
    return found


@lru_cache(maxsize=1)
def first_steps():
    """{stack: how far one step of Adam moves the logits, as a part of their length}, by depth;
    the head stays."""
    found = {name: [] for name in STACKS}
    inputs, targets = batch()
    for name, moved in found.items():
        for depth in DEPTHS:
            params, config = drawn(VOCABULARY, 1, layers=depth)
            model = stack(name)
            before, _ = model.forward(params, inputs, config)
            _, grads = loss_and_grads(model, params, inputs, targets, config)
            head = {key: array.copy() for key, array in params["head"].items()}
            adamw_step(params, grads, adamw_init(params), make_depth.RATE, weight_decay=0.0)
            params["head"] = head
            after, _ = model.forward(params, inputs, config)
            moved.append(float(np.linalg.norm(after - before) / np.linalg.norm(before)))
    return found


@lru_cache(maxsize=1)
def unigram():
    """The loss on the record's held-out text of who knows how frequent each character is."""
    corpus = load_corpus(record()["corpus"])
    tokenizer = CharacterTokenizer.train(corpus.train_text)
    counts = np.ones(tokenizer.vocab_size)
    np.add.at(counts, tokenizer.encode(corpus.train_text), 1)
    held_out = tokenizer.encode(corpus.validation_text)[1:record()["held_out"]]
    return float(-np.log(counts / counts.sum())[held_out].mean())


def worked():
    made, steps, grads = record(), first_steps(), gradients()
    rows = [(stack_, warm) for stack_ in STACKS for warm in ("warm-up", "no warm-up")]
    last = {f"{a}, {b}": [run[-1] for run in made["depth"][f"{a}, {b}"]] for a, b in rows}
    positions = {name: [run[-1] for run in runs] for name, runs in made["positions"].items()}
    names = {"stacks": list(STACKS), "depths": [f"{depth} blocks" for depth in DEPTHS],
             "moved": np.array([steps[name] for name in STACKS]), "last": last,
             "bare_best": min(min(run) for key, runs in made["depth"].items() for run in runs
                              if key.startswith("no residuals")),
             "tries": len(made["more_seeds"]),
             "bottom": {name: grads[name][0] for name in STACKS},
             "top": {name: grads[name][-1] for name in STACKS},
             "spread": {name: max(grads[name]) / min(grads[name]) for name in STACKS},
             "position_rows": ["learned", "sines", "none"],
             "position_table": list(positions.values()),
             "seeds": [f"seed {seed}" for seed in made["seeds"]],
             "beyond_table": [runs[0] for runs in made["beyond"].values()],
             "beyond_heads": ["1 to 32", "33 to 64"], "unigram": unigram(),
             "sizes": made["sizes"],
             "least": {key: min(run) for key, run in made["unlike"].items()},
             "ln_v": float(np.log(made["vocabulary"])), **{
                 key: made[key] for key in ("command", "date", "commit", "layers", "channels",
                                            "context", "batch", "steps", "rate", "warmup", "size")}}
    return {"depth": {"names": names}}


def picture(width):
    """The three blocks, from below upwards."""
    phone = width < 500
    image = Svg(width, 900 if phone else 330)
    for i, (name, kinds) in enumerate((
            ("pre-norm", ["norm", "attention", "+", "norm", "MLP", "+"]),
            ("post-norm", ["attention", "+", "norm", "MLP", "+", "norm"]),
            ("no residuals", ["norm", "attention", "norm", "MLP"]))):
        x = width / 2 if phone else (i + 0.5) * width / 3
        base = 290 * (i + 1) if phone else 300
        image.text(x, base - 262, name, "nm", "middle")
        image.line(x, base, x, base - 244, "th")
        y, opened = base - 14, base - 8
        for kind in kinds:
            y -= 36
            if kind == "+":
                image.add(f'<path class="th" d="M{x:.0f},{opened:.0f} C{x - 96:.0f},{opened:.0f} '
                          f'{x - 96:.0f},{y + 12:.0f} {x - 9:.0f},{y + 12:.0f}"/>')
                image.dot(x, y + 12, 8, "dot")
                image.text(x + 13, y + 16, "+", "lab")
                opened = y
            else:
                image.rect(x - 46, y, 92, 26, "box")
                image.text(x, y + 17, kind, "lab", "middle")
    return image


def panels(width, charts):
    """Charts side by side; on a phone one below the other."""
    phone = width < 500
    each = width if phone else (width - 40 * (len(charts) - 1)) / len(charts)
    drawn_ones = [(title, make(each)) for title, make in charts]
    height = drawn_ones[0][1].height + 34
    image = Svg(width, height * (len(charts) if phone else 1), "plot")
    for i, (title, one) in enumerate(drawn_ones):
        x, y = (0, i * height) if phone else (i * (each + 40), 0)
        image.text(x + 4, y + 14, title, "ann")
        image.add(f'<g transform="translate({x:.1f} {y + 30:.1f})">'
                  f'{"".join(one.parts)}</g>')
    return image


def curves(width):
    """The validation loss of each stack, with and without warm-up, all seeds."""
    made = record()
    steps = np.arange(0, made["steps"] + 1, made["every"])
    low = min(min(run) for runs in made["depth"].values() for run in runs) - 0.1

    def of(name):
        def make(size):
            series = {}
            for label, style in (("no warm-up", "att"), ("warm-up", "ink")):
                for i, run in enumerate(made["depth"][f"{name}, {label}"]):
                    series[f" {label}" if i else label] = (steps, run, style)
            return chart(size, series, "step", "validation loss in nats", y_range=(low, 4.4))
        return make

    return panels(width, [(name, of(name)) for name in STACKS])


def gradients_by_block(width):
    blocks = np.arange(1, make_depth.LAYERS + 1)
    return chart(width, {name: (blocks, found, STYLES[name])
                         for name, found in gradients().items()},
                 "block, from the bottom", "length of the gradient", y_log=True,
                 y_range=(0.01, 10))


def one_step(width):
    return chart(width, {name: (DEPTHS, moved, STYLES[name])
                         for name, moved in first_steps().items()},
                 "blocks", "change of the logits", x_ticks=DEPTHS)


def unlike(width):
    """How unlike the vectors at the top are in the first 100 steps."""
    steps, runs = np.arange(0, 101, 5), record()["unlike"]
    labels = {"post-norm, no warm-up": ("post-norm", "att"),
              "no residuals, no warm-up": ("no residuals", "dim"),
              "pre-norm, no warm-up": ("pre-norm", "ink"),
              "post-norm, warm-up": (" warmed up", "np")}
    return chart(width, {label: (steps, runs[key], style)
                         for key, (label, style) in labels.items()},
                 "step", "1 − mean cosine", y_log=True,
                 notes=[(97, runs["post-norm, warm-up"][-1] / 2000, "blue: post-norm, warmed up",
                         "end")])


def positions(width):
    made = record()
    size, series = made["positions_settings"], {}
    steps = np.arange(0, size["steps"] + 1, made["every"])[2:]
    for name, style in (("learned", "ink"), ("sinusoids", "att"), ("none", "dim")):
        for i, run in enumerate(made["positions"][name]):
            series[" " * bool(i) + name] = (steps, run[2:], style)
    return chart(width, series, "step", "validation loss in nats")


def waves(width):
    """Sinusoids: the first positions, channel by channel."""
    table = sinusoids(np.arange(32)[None], 16, np.zeros(1))[0]
    phone = width < 500
    left, step = 30, (width - 40) / 32
    image = Svg(width, 30 + 16 * (10 if phone else 14))
    tall = 10 if phone else 14
    for channel in range(16):
        for position in range(32):
            value = table[position, channel]
            image.rect(left + position * step, 4 + channel * tall, step - 1, tall - 1,
                       f"cellbox {'np' if value > 0 else 'pt'}", 1, f"--share:{abs(value):.2f}")
    for position in (0, 8, 16, 24, 31):
        image.text(left + (position + 0.5) * step, 22 + 16 * tall, str(position), "nt", "middle")
    image.text(2, 14, "0", "nt")
    image.text(2, 16 * tall, "15", "nt")
    return image
