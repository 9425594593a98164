"""Write docs/records/lora.json: the story model of the book learns to answer questions, with all
of its weights and by LoRA of several ranks; what it forgets of stories, and how an update of
all weights looks.

    python docs/records/make_lora.py

Each way takes the best of three learning rates, by its loss on questions that it has not read.
About ten minutes on one core."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.benchmarks.machine import processor
from npgpt.finetuning import init_adapters, lora_adapters
from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.runs.settings import complete
from npgpt.text import load_corpus
from npgpt.text.corpora.chats import load_chats
from npgpt.training import Trainer, warmup_cosine
from npgpt.training.batches import draw_batch, evaluation_batches
from npgpt.tree import tree_leaves

HERE = Path(__file__).resolve().parent
TARGETS = ["qkv", "attention.out", "up", "feed_forward.down"]
STEPS, B, T, SEED = 120, 8, 64, 1
WAYS = {"all weights": None, "rank 1": 1, "rank 2": 2, "rank 4": 4, "rank 8": 8, "rank 32": 32}
RATES = {"all weights": (3e-4, 1e-3, 3e-3)}
LORA_RATES = (3e-3, 1e-2, 3e-2)


def main():
    found = load_checkpoint(HERE.parent / "models" / "stories")
    chats = load_chats("stories:chat:1200")
    new = {part: ids_of(found.tokenizer, getattr(chats, part)) for part in ("train", "validation")}
    old = np.array(found.tokenizer.encode(load_corpus("stories:100KB").validation_text))
    record = {
        "command": "python docs/records/make_lora.py", "seed": SEED, "steps": STEPS,
        "batch": B, "context": T, "targets": TARGETS, "parameters": sum(
            array.size for _, array in tree_leaves(found.params)),
        "date": date.today().isoformat(), "machine": processor(),
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, text=True,
                                 capture_output=True, check=True).stdout.strip(),
        "before": losses(trainer_of(found, None, 1e-3), new["validation"], old), "ways": {}}
    for name, rank in WAYS.items():
        tried = [trained(found, rank, rate, new, old)
                 for rate in RATES.get(name, LORA_RATES)]
        trainer, best = min(tried, key=lambda each: each[1]["new"])
        record["ways"][name] = {"rank": rank, **best}
        print(name, best, file=sys.stderr, flush=True)
        if rank is None:
            before = found.params["blocks"][1]["attention"]["qkv"]["weight"]
            after = trainer.params["blocks"][1]["attention"]["qkv"]["weight"]
            sizes = np.linalg.svd(np.array(after - before, np.float64), compute_uv=False)
            record["singular_values"] = [float(f"{size:.5g}") for size in sizes]
            record["of_layer"] = "blocks.1.attention.qkv"
    (HERE / "lora.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def ids_of(tokenizer, conversations):
    """Questions and answers, one after the other, as plain text."""
    text = "\n\n".join("\n".join(
        ("Question: " if each["role"] == "user" else "Answer: ") + each["content"]
        for each in messages) for messages in conversations)
    return np.array(tokenizer.encode(text))


def trainer_of(found, rank, rate):
    settings = complete({"batch_size": B, "weight_decay": 0.0, "learning_rate": rate})
    adapters = rank and lora_adapters(
        found.params, init_adapters(gpt2, found.config, TARGETS, rank, SEED), 2 * rank)
    return Trainer(gpt2, found.config, found.params, settings, adapters=adapters or None)


def trained(found, rank, rate, new, old):
    """-> the trainer after STEPS steps, what became of it."""
    trainer, curve = trainer_of(found, rank, rate), []
    for step in range(STEPS):
        inputs, targets = draw_batch(new["train"], T, B, SEED, step + 1)
        now = warmup_cosine(step, rate, STEPS // 20, STEPS, rate / 10)
        curve.append(trainer.step({"inputs": inputs, "targets": targets}, now)[0])
    return trainer, {
        "rate": rate, "trained": sum(array.size for _, array in tree_leaves(trainer.params)),
        **losses(trainer, new["validation"], old),
        "curve": [round(loss, 4) for loss in curve[::4]]}


def losses(trainer, new, old):
    """Nats a token on questions that were not read, and on stories."""
    def mean(ids):
        batches = list(evaluation_batches(ids, T, 16, 6))
        found = [trainer.loss({"inputs": x, "targets": y}) for x, y in batches]
        return round(float(np.average(found, weights=[(y >= 0).sum() for _, y in batches])), 4)

    return {"new": mean(new), "old": mean(old)}


if __name__ == "__main__":
    main()
