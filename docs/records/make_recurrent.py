"""The record docs/records/recurrent.json: a recurrent network beside attention.

    python docs/records/make_recurrent.py        some minutes on one processor

Four measurements: how a gradient shrinks with the distance that it goes back, in a linear
network beside its theory g^k and in both models before and after training; the validation loss
of a recurrent network and of the default GPT at like size; subject and verb with 0 to 8 words
between, accuracy against distance; the time of one layer against the length of a text.
"""

import json
import math
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.layers import attention, attention_backward, recurrence, recurrence_backward
from npgpt.layers.cross_entropy import cross_entropy, cross_entropy_backward
from npgpt.models import gpt2, recurrent
from npgpt.random_stream import normals, uniforms
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import (
    adamw_init,
    adamw_step,
    clip_by_global_norm,
    init,
    loss_and_grads,
    warmup_cosine,
)
from npgpt.training.batches import draw_batch, evaluation_batches
from npgpt.tree import tree_leaves

SEED, STEPS, EVERY, T, B, RATE = 1, 1000, 50, 64, 12, 1e-3
WIDTH = 592                     # the recurrent network's channels: weights like the GPT's
HELD, WINDOWS = 12_000, 32      # tokens of the validation text; windows for the gradients
BETWEEN, SENTENCES, SEEDS = range(9), 32, (1, 2, 3)
LOOKS = (50, 100, 150, 200, 300, 400, 500, 600)    # steps at which agreement is tested
LENGTHS = (16, 32, 64, 128, 256, 512, 1024)
DISTANCES, GAINS, CHANNELS = 50, (0.8, 0.9, 1.0, 1.1), 32


def linear_case(gain):
    """The length of a gradient that has gone back 0 to 50 tokens through a linear network
    whose weight is `gain` times an orthogonal matrix."""
    C, steps = CHANNELS, DISTANCES
    weight = gain * np.linalg.qr(normals((C, C), SEED, 0, "orthogonal"))[0]
    d_states = np.zeros((1, steps + 1, C))
    d_states[:, -1] = normals((1, C), SEED, 0, "upstream")
    _, saved = recurrence(np.zeros((1, steps + 1, C)), weight)     # around 0 tanh is linear
    d_x = recurrence_backward(d_states, saved)[0][0, ::-1]         # the nearest first
    lengths = np.linalg.norm(d_x, axis=1)
    return (lengths / lengths[0]).tolist()


def gradient_by_distance(model, config, params, ids):
    """How long the gradient of the last token's loss is at each earlier token's embedding,
    nearest first, against that at the nearest; the mean over windows."""
    inputs, targets = draw_batch(ids, T, WINDOWS, SEED, 0)
    table = params["tokens"]["weight"][inputs].reshape(WINDOWS * T, -1)
    own = np.arange(WINDOWS * T).reshape(WINDOWS, T)     # a row for each place: none add up
    last = np.where(np.arange(T) == T - 1, targets, -100)
    logits, saved = model.forward({**params, "tokens": {"weight": table}}, own, config)
    _, saved_loss = cross_entropy(logits, last)
    grads = model.backward(cross_entropy_backward(1.0, saved_loss), saved)
    lengths = np.linalg.norm(grads["tokens"]["weight"].reshape(WINDOWS, T, -1), axis=2)
    mean = lengths.mean(axis=0)[::-1]
    return (mean / mean[0]).tolist()


def below(curve, limit=0.01):
    """The first distance from which on all is below the limit; None where there is none."""
    above = [k for k, value in enumerate(curve) if value >= limit]
    return above[-1] + 1 if above[-1] + 1 < len(curve) else None


def trained(model, config, batch, steps, rate, seed, watch=lambda step, params: None):
    """Params after `steps` of AdamW on batch(step)."""
    params = init(model, config, seed=seed)
    state = adamw_init(params)
    watch(0, params)
    for step in range(1, steps + 1):
        _, grads = loss_and_grads(model, params, *batch(step), config)
        grads, _ = clip_by_global_norm(grads, 1.0)
        adamw_step(params, grads, state,
                   lr=warmup_cosine(step, rate, steps // 20, steps, rate / 10))
        watch(step, params)
    return params


def text_models():
    """Both models on the text that is the default: losses and gradients."""
    corpus = load_corpus("python-docs")
    tokenizer = CharacterTokenizer.train([*corpus.documents, "\n"])
    ids = np.array(tokenizer.encode("\n\n".join(corpus.train)))
    held_out = np.array(tokenizer.encode("\n\n".join(corpus.validation)))[:HELD]
    V, found = tokenizer.vocab_size, {}
    for name, model, config in (
            ("recurrent", recurrent, recurrent.Config(V, channels=WIDTH)),
            ("GPT", gpt2, gpt2.Config(V, T, tied=False))):
        losses, at_first = [], []

        def watch(step, params, model=model, config=config, losses=losses, at_first=at_first):
            if step == 0:
                at_first.extend(gradient_by_distance(model, config, params, held_out))
            if step % EVERY == 0:
                total = count = 0.0
                for inputs, targets in evaluation_batches(held_out, T, 64):
                    logits, _ = model.forward(params, inputs, config)
                    total += float(cross_entropy(logits, targets)[0]) * targets.size
                    count += targets.size
                losses.append(total / count)
                print(f"{model.__name__} step {step}: {losses[-1]:.4f}", file=sys.stderr)

        began = time.process_time()
        params = trained(model, config, lambda step: draw_batch(ids, T, B, SEED, step), STEPS,
                         RATE, SEED, watch)
        seconds = time.process_time() - began
        after = gradient_by_distance(model, config, params, held_out)
        found[name] = {
            "parameters": sum(array.size for _, array in tree_leaves(params)),
            "losses": losses, "seconds": round(seconds, 1),
            "gradient": {"before": at_first, "after": after},
            "below_1_percent": {"before": below(at_first), "after": below(after)}}
    return found


NOUNS, OTHERS, VERBS = 12, 12, 6    # each noun and verb in both numbers
WORDS = 1 + 2 * NOUNS + OTHERS + 2 * VERBS


def sentences(count, between, seed, step):
    """ids (count, 10), targets: "the", a noun, `between` words, nouns of either number among
    them, and then the verb, which agrees with the first noun; only the verb is asked for."""
    u = uniforms((count, 14), seed, step, "agreement")
    number = (u[:, 0] < 0.5).astype(int)
    ids = np.zeros((count, 10), int)
    ids[:, 1] = 1 + 2 * (u[:, 1] * NOUNS).astype(int) + number
    ids[:, 2:] = 1 + (u[:, 2:10] * (2 * NOUNS + OTHERS)).astype(int)
    verbs = 1 + 2 * NOUNS + OTHERS + 2 * (u[:, 10] * VERBS).astype(int) + number
    n = np.full(count, between) if between is not None else (u[:, 11] * len(BETWEEN)).astype(int)
    targets = np.where(np.arange(10) == n[:, None] + 1, verbs[:, None], -100)
    return np.where(np.arange(10) <= n[:, None] + 1, ids, 0), targets


def right_number(model, config, params, between):
    """How often the verbs of the right number have more than half of the verbs' probability."""
    ids, targets = sentences(1000, between, 99, between)
    logits, _ = model.forward(params, ids, config)
    first = WORDS - 2 * VERBS
    at_verb = logits[:, between + 1, first:].astype(float)
    by_number = np.exp(at_verb - at_verb.max(axis=1, keepdims=True)).reshape(-1, VERBS, 2).sum(1)
    wanted = (targets[:, between + 1] - first) % 2
    return float((by_number.argmax(axis=1) == wanted).mean())


def agreement():
    """{model: for each seed, for each of LOOKS, the accuracy by the words between}."""
    found = {}
    for name, model, config in (
            ("attention", gpt2, gpt2.Config(WORDS, 10, layers=1, heads=2, channels=32,
                                            tied=False)),
            ("recurrent", recurrent, recurrent.Config(WORDS, channels=64)),
            ("recurrent, cut", recurrent, recurrent.Config(WORDS, channels=64, truncate=4))):
        curves = []
        for seed in SEEDS:
            looks = []

            def watch(step, params, model=model, config=config, looks=looks):
                if step in LOOKS:
                    looks.append([right_number(model, config, params, n) for n in BETWEEN])

            params = trained(
                model, config, lambda step, seed=seed: sentences(SENTENCES, None, seed, step),
                LOOKS[-1], 3e-3, seed, watch)
            curves.append(looks)
            print(name, seed, looks, file=sys.stderr)
        found[name] = {"parameters": sum(array.size for _, array in tree_leaves(params)),
                       "accuracy": curves}
    return found


def times():
    """Milliseconds of one layer, forward and backward, one text of 128 channels: the least of
    some tries."""
    found, C, H = {"recurrent": [], "attention": []}, 128, 4
    weight = (normals((C, C), SEED, 0, "weight") / math.sqrt(C)).astype(np.float32)
    for length in LENGTHS:
        x = normals((1, length, C), SEED, length, "x").astype(np.float32)
        q = np.ascontiguousarray(x.reshape(1, length, H, -1).swapaxes(1, 2))

        def one_recurrent(x=x):
            states, saved = recurrence(x, weight)
            recurrence_backward(states, saved)

        def one_attention(q=q):
            y, saved = attention(q, q, q, causal=True)
            attention_backward(y, saved)

        for name, run in (("recurrent", one_recurrent), ("attention", one_attention)):
            tries = []
            for _ in range(max(5, 2000 // length)):
                began = time.process_time()
                run()
                tries.append(time.process_time() - began)
            found[name].append(1e3 * min(tries))
    return found


def main():
    began = time.process_time()
    curves = {str(gain): linear_case(gain) for gain in GAINS}
    off = max(abs(length / float(gain) ** k - 1) for gain, curve in curves.items()
              for k, length in enumerate(curve))
    found = {
        "linear": {"curves": curves, "largest_relative_error": off},
        "time": {"lengths": LENGTHS, "milliseconds": times()},
        "agreement": {"between": list(BETWEEN), "steps": LOOKS, "batch": SENTENCES,
                      "seeds": SEEDS, "cut": 4, "models": agreement()},
        "text": {"corpus": "python-docs", "steps": STEPS, "every": EVERY, "batch": B,
                 "context_length": T, "rate": RATE, "windows": WINDOWS, "held_out": HELD,
                 "models": text_models()},
    }
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], check=True,
                            capture_output=True, text=True).stdout.strip()
    found |= {"command": "python docs/records/make_recurrent.py", "seed": SEED, "commit": commit,
              "date": date.today().isoformat(), "numpy": np.__version__,
              "processor_seconds": round(time.process_time() - began)}
    Path(__file__).with_name("recurrent.json").write_text(
        json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
