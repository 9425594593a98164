"""The lesson of the encoder–decoder: a rule for sequences, learned from examples of it."""

import math
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from npgpt.text.corpora.sequences import (
    ALPHABET,
    END,
    IGNORED,
    VOCAB_SIZE,
    as_batch,
    decode,
    draw_pairs,
    encode,
    without_positions,
)
from npgpt.training.init import init
from npgpt.training.loop import loop

BATCH, HELD_OUT, EVERY = 64, 1000, 100
SETTINGS = {"learning_rate": 3e-3, "warmup_steps": 100, "accumulate": 1, "clip": 1.0,
            "beta_1": 0.9, "beta_2": 0.98, "weight_decay": 0.01}
SIZES = {"layers": 2, "heads": 4, "channels": 64}


def learn_sequences(
    model: Any, make_trainer: Callable, task: str, length: int = 20, steps: int = 700,
    seed: int = 1, positions: bool = True, report: Callable = lambda row: None,
) -> dict[str, Any]:
    """Train an encoder–decoder on pairs of that task, then try it on pairs that it has not
    met. model: NumPy's, which also tries what another package has trained.
    make_trainer(config, params, settings) -> a trainer. report: of each row of the curve.

    -> what happened, and "params" and "config", which are no figures."""
    config = model.Config(VOCAB_SIZE, length + 1, **SIZES)
    settings = SimpleNamespace(
        **SETTINGS, steps=steps, decay_steps=steps, minimum_rate=SETTINGS["learning_rate"] / 20,
        evaluate_every=EVERY, save_every=steps + 1, seed=seed)
    trainer = make_trainer(config, init(model, config, seed), settings)
    curve, began, worked = [], time.perf_counter(), time.process_time()

    def pairs(step, count=BATCH, stream="pairs"):
        batch = draw_pairs(task, length, length, count, seed, step, stream)
        return batch if positions else without_positions(batch)

    def evaluate(step):
        params = trainer.numpy(trainer.params)
        curve.append({"step": step, "seconds": round(time.perf_counter() - began, 1),
                      **tried(model, params, config, pairs(step, 200, "validation"))})
        report(curve[-1])

    loop(trainer, settings, batch=pairs, log=lambda *figures: None, evaluate=evaluate,
         save=lambda step: None)
    processor_seconds = time.process_time() - worked
    params = trainer.numpy(trainer.params)
    held_out = pairs(0, HELD_OUT, "held_out")
    return {
        "task": task, "length": length, "steps": steps, "seed": seed, "positions": positions,
        "pairs": steps * BATCH, "held_out": HELD_OUT, **SIZES,
        "seconds": curve[-1]["seconds"],
        "processor_seconds": round(processor_seconds, 1), **tried(model, params, config, held_out),
        "guess": guess_from_the_multiset(length, len(ALPHABET)), "curve": curve,
        "examples": examples(model, params, config, held_out, 5),
        "params": params, "config": config,
    }


def tried(model: Any, params: dict, config: Any, batch: dict) -> dict[str, float]:
    """{"exact", "tokens", "loss"}: shares of targets and of their symbols that are right.

    All tokens of a target are tried at once, each after the right ones. A target is right
    from end to end there exactly where the likeliest token, written and read again and
    again, gives it: up to the first mistake the two read the same."""
    exact, tokens, loss = [], [], []
    for first in range(0, len(batch["targets"]), 100):
        part = {name: rows_of(tree, slice(first, first + 100)) for name, tree in batch.items()}
        targets = part.pop("targets")
        logits, _ = model.forward(params, part.pop("inputs"), config, **part)
        right = (logits.argmax(axis=-1) == targets) | (targets == IGNORED)
        exact += list(right.all(axis=-1))
        tokens += list(right[(targets != IGNORED) & (targets != END)])
        shifted = logits - logits.max(axis=-1, keepdims=True)
        log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        told = np.take_along_axis(log_probs, np.maximum(targets, 0)[..., None], axis=-1)[..., 0]
        loss += list(-told[targets != IGNORED])
    return {"exact": float(np.mean(exact)), "tokens": float(np.mean(tokens)),
            "loss": float(np.mean(loss))}


def rows_of(tree: Any, rows: slice) -> Any:
    if isinstance(tree, dict):
        return {name: part[rows] for name, part in tree.items()}
    return tree[rows]


def examples(model: Any, params: dict, config: Any, batch: dict, count: int) -> list[dict]:
    """The first ones, with what the model writes, the likeliest token each time."""
    found = []
    for row in range(count):
        part = {name: rows_of(tree, slice(row, row + 1)) for name, tree in batch.items()}
        wanted = decode(part.pop("targets")[0])
        inputs = part.pop("inputs")
        target = inputs["target"][:, :1]
        for _ in range(config.context_length):
            zeros = {**part.get("positions", {}), "target": np.zeros_like(target)}
            given = {**part, "positions": zeros} if "positions" in part else part
            logits, _ = model.forward(params, {**inputs, "target": target}, config, **given)
            token = logits[:, -1:].argmax(axis=-1)
            if token[0, 0] == END:
                break
            target = np.concatenate([target, token], axis=1)
        found.append({"source": decode(inputs["source"][0]), "written": decode(target[0]),
                      "wanted": wanted})
    return found


def one_pair(task: str, text: str) -> dict:
    """A batch of one pair, made of a text of the letters a to z."""
    return as_batch(task, [encode(text)])


def guess_from_the_multiset(length: int, symbols: int) -> float:
    """The share of symbols that are right where of a source no more is known than how often
    each symbol is in it: of the r that are still to be written, the most frequent one is
    the best guess, right in max/r of all orders. What is left of random symbols is random,
    so that this is the mean over r of E[max count of r random symbols] / r."""
    return sum(expected_maximum(r, symbols) / r for r in range(1, length + 1)) / length


def expected_maximum(draws: int, symbols: int) -> float:
    """E[the count of the most frequent of `draws` random symbols] = Σ P(max > m), and
    P(max ≤ m) = draws!/symbols^draws · [x^draws] (Σ x^k/k!, k ≤ m)^symbols."""
    total = 0.0
    for most in range(draws):
        once = np.array([1 / math.factorial(k) for k in range(most + 1)])
        power = np.ones(1)
        for _ in range(symbols):
            power = np.convolve(power, once)[:draws + 1]
        at_most = power[draws] if len(power) > draws else 0.0
        total += 1 - at_most * math.factorial(draws) / symbols ** draws
    return total
