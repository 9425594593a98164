"""The record docs/records/depth.json: 24 blocks, with and without what makes depth work.

    python docs/records/make_depth.py        some minutes on one processor

Three stacks from the same first weights: the layer norm in front of each part (pre-norm), the
layer norm behind each sum (post-norm), and pre-norm without the residual connections. Each is
trained with and without a warm-up, and post-norm from larger first weights too. Then a model of
two blocks with learned positions, with sinusoids and with none. The validation loss every 20
steps, and how unlike the vectors at the top of the stacks remain.
"""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.blocks import block, block_backward, post_norm_block, post_norm_block_backward
from npgpt.blocks.mlp import mlp, mlp_backward
from npgpt.blocks.multi_head_attention import multi_head_attention, multi_head_attention_backward
from npgpt.layers import layer_norm, layer_norm_backward, sinusoids
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.replacing import rewired
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

SEEDS, MORE_SEEDS, LAYERS, HEADS, C, T, B = (1, 2), (1, 2, 3, 4, 5), 24, 2, 32, 16, 8
STEPS, EVERY, RATE, WARMUP, HELD_OUT = 300, 20, 3e-3, 100, 2000
SIZE = 0.3  # of a matrix: its standard deviation times √inputs
POSITIONS = {"layers": 2, "steps": 600, "context": 32, "rate": 3e-3}


def bare_block(x, params, heads, mask=None, dropout_masks=None, past=None):
    """A pre-norm block without residual connections."""
    normed, saved_norm_1 = layer_norm(x, **params["norm_1"])
    x, saved_attention = multi_head_attention(normed, params["attention"], heads, mask, True)
    normed, saved_norm_2 = layer_norm(x, **params["norm_2"])
    y, saved_mlp = mlp(normed, params["feed_forward"])
    return y, (saved_norm_1, saved_attention, saved_norm_2, saved_mlp)


def bare_block_backward(d_y, saved):
    saved_norm_1, saved_attention, saved_norm_2, saved_mlp = saved
    d_normed, d_mlp = mlp_backward(d_y, saved_mlp)
    d_x, d_norm_2 = layer_norm_backward(d_normed, saved_norm_2)
    d_normed, d_attention = multi_head_attention_backward(d_x, saved_attention)
    d_x, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)
    return d_x, {"feed_forward": d_mlp, "norm_2": d_norm_2,
                 "attention": d_attention, "norm_1": d_norm_1}


STACKS = {
    "pre-norm": (block, block_backward),
    "post-norm": (post_norm_block, post_norm_block_backward),
    "no residuals": (bare_block, bare_block_backward),
}


def stack(name):
    """A GPT-2 whose blocks are these."""
    forward, backward = STACKS[name]
    return rewired(gpt2, [(block, forward), (block_backward, backward)])


def drawn(vocabulary, seed, layers=LAYERS, size=SIZE):
    """Matrices with a standard deviation of size/√inputs, embeddings of about size 1."""
    config = gpt2.Config(vocabulary, T, layers, HEADS, C, tied=False)
    params = init(gpt2, config, seed=seed)

    def set_size(matrix, std, name):
        matrix[...] = std * normals(matrix.shape, seed, 0, name)

    for name in ("tokens", "positions"):
        set_size(params[name]["weight"], 0.7, f"depth.{name}")
    for i, layer in enumerate(params["blocks"]):
        for part in ("attention", "feed_forward"):
            for name, weights in layer[part].items():
                matrix = weights["weight"]
                set_size(matrix, size * len(matrix) ** -0.5, f"depth.{i}.{part}.{name}")
    return params, config


def loss_on(model, params, config, ids, context):
    losses = [(float(mean_loss(model, params, inputs, targets, config)),
               int((targets != -100).sum()))
              for inputs, targets in evaluation_batches(ids, context, 64)]
    return sum(loss * count for loss, count in losses) / sum(count for _, count in losses)


def train(model, params, config, ids, held_out, seed, context, steps, rate, warmup, fixed=(),
          every=EVERY, measured=loss_on):
    """-> [validation loss at each EVERY-th step]; `fixed`: names that are not trained."""
    state, found = adamw_init(params), []
    for step in range(steps + 1):
        if step % every == 0:
            found.append(float(f"{measured(model, params, config, held_out, context):.5g}"))
        inputs, targets = draw_batch(ids, context, B, seed, step)
        _, grads = loss_and_grads(model, params, inputs, targets, config)
        for name in fixed:
            grads[name] = {key: np.zeros_like(grad) for key, grad in grads[name].items()}
        grads, _ = clip_by_global_norm(grads, 1.0)
        now = warmup_cosine(step, rate, warmup, steps, rate) if warmup else rate
        before = {name: params[name]["weight"].copy() for name in fixed}
        adamw_step(params, grads, state, now, weight_decay=0.0)
        for name, weight in before.items():
            params[name]["weight"][...] = weight
    return found


def depth_runs(ids, held_out, vocabulary, say):
    """Post-norm from more seeds, for there luck decides."""
    runs = {}
    for name in STACKS:
        for seed in MORE_SEEDS if name == "post-norm" else SEEDS:
            for warmup in (WARMUP, 0):
                params, config = drawn(vocabulary, seed)
                key = f"{name}, {'warm-up' if warmup else 'no warm-up'}"
                runs.setdefault(key, []).append(train(
                    stack(name), params, config, ids, held_out, seed, T, STEPS, RATE, warmup))
                say(seed, key, runs[key][-1][-1])
    return runs


def size_runs(ids, held_out, vocabulary, say):
    """Post-norm, warmed up, from first weights of other sizes; both seeds, at the end."""
    found = {}
    for size in (0.5, 1.0):
        for seed in SEEDS:
            params, config = drawn(vocabulary, seed, size=size)
            losses = train(stack("post-norm"), params, config, ids, held_out, seed, T, STEPS, RATE,
                           WARMUP, every=STEPS)
            found.setdefault(str(size), []).append(losses[-1])
            say("size", size, seed, losses)
    return found


def unlike(name):
    """-> a function that measures how unlike the vectors at the top of a stack are: 1 minus the
    mean cosine of all pairs of positions in eight windows of text."""
    def measured(model, params, config, held_out, context):
        inputs, _ = next(evaluation_batches(held_out, context, 8))
        x = params["tokens"]["weight"][inputs] + params["positions"]["weight"][:context]
        for layer in params["blocks"]:
            x, _ = STACKS[name][0](x, layer, config.heads)
        x = x.astype(np.float64).reshape(-1, config.channels)
        unit = x / np.linalg.norm(x, axis=-1, keepdims=True)
        gaps = unit[:, None] - unit              # 1 - cosine is half the squared distance
        return float((gaps * gaps).sum() / 2 / (len(x) * (len(x) - 1)))

    return measured


def unlike_runs(ids, held_out, vocabulary, say):
    """How unlike the vectors are in the first 100 steps, every 5 of them."""
    runs = {}
    for name, warmup in (("pre-norm", 0), ("post-norm", WARMUP), ("post-norm", 0),
                         ("no residuals", 0)):
        key = f"{name}, {'warm-up' if warmup else 'no warm-up'}"
        params, config = drawn(vocabulary, SEEDS[0])
        runs[key] = train(stack(name), params, config, ids, held_out, SEEDS[0], T, 100, RATE,
                          warmup, every=5, measured=unlike(name))
        say("unlike", key, runs[key][0], runs[key][-1])
    return runs


def beyond(params, config, held_out, context):
    """The mean loss at positions inside the trained context and behind it, in one text."""
    inputs, targets = next(evaluation_batches(held_out, config.context_length, 30))
    logits, _ = gpt2.forward(params, inputs, config)
    logits = logits - logits.max(axis=-1, keepdims=True)
    scores = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    losses = np.log(np.exp(logits).sum(axis=-1)) - scores
    return [round(float(part.mean()), 4) for part in (losses[:, :context], losses[:, context:])]


def position_runs(ids, held_out, vocabulary, say):
    """Learned rows, sinusoids, and none: zeros that are not trained. Trained on windows of
    `context`, the tables are twice as long."""
    runs, after, size = {}, {}, POSITIONS
    context = size["context"]
    for seed in SEEDS:
        for name in ("learned", "sinusoids", "none"):
            config = gpt2.Config(vocabulary, 2 * context, size["layers"], HEADS, C, tied=False)
            params = init(gpt2, config, seed=seed)
            table, tokens = params["positions"]["weight"], params["tokens"]["weight"]
            if name == "sinusoids":  # as large as the token embeddings are
                waves = sinusoids(np.arange(len(table))[None], C, table)[0]
                table[...] = waves * (tokens.std() / waves.std())
            elif name == "none":
                table[...] = 0
            runs.setdefault(name, []).append(train(
                gpt2, params, config, ids, held_out, seed, context, size["steps"], size["rate"],
                20, fixed=() if name == "learned" else ("positions",)))
            after.setdefault(name, []).append(beyond(params, config, held_out, context))
            say(seed, name, runs[name][-1][-1], after[name][-1])
    return runs, after


def main():
    started = time.process_time()

    def say(*words):
        print(*words, f"{time.process_time() - started:.0f} s", flush=True)

    corpus = load_corpus("stories:100KB")
    tokenizer = CharacterTokenizer.train(corpus.train_text)
    ids = np.array(tokenizer.encode(corpus.train_text))
    held_out = np.array(tokenizer.encode(corpus.validation_text))[:HELD_OUT]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True, check=True).stdout.strip()
    positions, after = position_runs(ids, held_out, tokenizer.vocab_size, say)
    record = {"command": "python docs/records/make_depth.py", "seeds": SEEDS,
              "more_seeds": MORE_SEEDS,
              "date": date.today().isoformat(), "commit": commit,
              "python": sys.version.split()[0], "numpy": np.__version__,
              "corpus": "stories:100KB", "vocabulary": tokenizer.vocab_size, "layers": LAYERS,
              "channels": C, "context": T, "batch": B, "steps": STEPS, "every": EVERY,
              "rate": RATE, "warmup": WARMUP, "size": SIZE, "held_out": HELD_OUT,
              "positions_settings": POSITIONS,
              "depth": depth_runs(ids, held_out, tokenizer.vocab_size, say),
              "sizes": size_runs(ids, held_out, tokenizer.vocab_size, say),
              "unlike": unlike_runs(ids, held_out, tokenizer.vocab_size, say),
              "positions": positions, "beyond": after}
    path = Path(__file__).with_name("depth.json")
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
