"""The record docs/records/overfitting.json: a small GPT on a small text, and what helps.

    python docs/records/make_overfitting.py        about two minutes on one processor

Five runs from the same weights: the training and the validation loss every 50 steps.
"""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.models import gpt2
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import (
    adamw_init,
    adamw_step,
    clip_by_global_norm,
    init,
    loss_and_grads,
    mean_loss,
    warmup_cosine,
)
from npgpt.training.batches import draw_batch, evaluation_batches
from npgpt.training.dropout_masks import draw_dropout_masks

SEED, STEPS, EVERY = 1, 1500, 50
T, B, RATE, WARMUP, HELD = 32, 8, 3e-3, 20, 6000
BASE = {"letters": 3000, "layers": 2, "channels": 64, "dropout": 0.0, "weight_decay": 0.1}
RUNS = {"base": {}, "more data": {"letters": 30000}, "dropout": {"dropout": 0.2},
        "weight decay": {"weight_decay": 1.0}, "smaller model": {"layers": 1, "channels": 16}}


def loss_on(params, config, ids):
    """The mean loss over all of `ids`, without dropout."""
    total = count = 0
    for inputs, targets in evaluation_batches(ids, T, 32):
        answered = int((targets != -100).sum())
        total += float(mean_loss(gpt2, params, inputs, targets, config)) * answered
        count += answered
    return total / count


def run(ids, held, vocabulary, letters, layers, channels, dropout, weight_decay):
    config = gpt2.Config(vocabulary, T, layers=layers, heads=2, channels=channels, tied=False)
    params, ids = init(gpt2, config, seed=SEED), ids[:letters]
    state, lines = adamw_init(params), []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            lines.append([step, round(loss_on(params, config, ids[:BASE["letters"]]), 4),
                          round(loss_on(params, config, held), 4)])
        inputs, targets = draw_batch(ids, T, B, SEED, step + 1)
        masks = draw_dropout_masks(gpt2, config, B, T, dropout, SEED, step + 1) if dropout else None
        _, grads = loss_and_grads(gpt2, params, inputs, targets, config, dropout_masks=masks)
        grads, _ = clip_by_global_norm(grads, 1.0)
        rate = warmup_cosine(step, RATE, WARMUP, STEPS, RATE)  # a warm-up, then constant
        adamw_step(params, grads, state, rate, weight_decay=weight_decay)
    return lines


def main():
    started = time.process_time()
    corpus = load_corpus("stories:100KB")
    tokenizer = CharacterTokenizer.train(corpus.train_text)
    ids = np.array(tokenizer.encode(corpus.train_text))
    held = np.array(tokenizer.encode(corpus.validation_text))[:HELD]
    runs = {}
    for name, changes in RUNS.items():
        settings = {**BASE, **changes}
        runs[name] = {"settings": settings,
                      "losses": run(ids, held, tokenizer.vocab_size, **settings)}
        print(name, runs[name]["losses"][-1], f"{time.process_time() - started:.0f} s", flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True, check=True).stdout.strip()
    record = {"command": "python docs/records/make_overfitting.py", "seed": SEED,
              "date": date.today().isoformat(), "commit": commit,
              "python": sys.version.split()[0], "numpy": np.__version__,
              "corpus": "stories:100KB", "steps": STEPS, "batch": B, "context": T, "rate": RATE,
              "held_out": HELD, "columns": ["step", "training loss", "validation loss"],
              "runs": runs}
    path = Path(__file__).with_name("overfitting.json")
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
