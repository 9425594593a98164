"""The record docs/records/llama.json: from GPT-2 to Llama, one change after another.

    python docs/records/make_llama.py        some minutes on one processor

Six small models on one text, each with one change more than the one before: the validation
loss every 25 steps. All six are made of the package's own layers and blocks; the first is
GPT-2 and the last is Llama, which the script checks before it trains.
"""

import json
import math
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.blocks import (
    gated_mlp,
    gated_mlp_backward,
    grouped_query_attention,
    grouped_query_attention_backward,
    mlp,
    mlp_backward,
)
from npgpt.families.gpt2 import weights as gpt2_weights
from npgpt.families.llama import Config
from npgpt.layers import (
    cross_entropy,
    cross_entropy_backward,
    embedding,
    embedding_backward,
    layer_norm,
    layer_norm_backward,
    linear,
    linear_backward,
    position_embedding,
    position_embedding_backward,
    rms_norm,
    rms_norm_backward,
    rope_angles,
)
from npgpt.models import gpt2, llama
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import adamw_init, adamw_step, clip_by_global_norm, init, warmup_cosine
from npgpt.training.batches import draw_batch, evaluation_batches
from npgpt.tree import tree_leaves, tree_map

SEEDS, STEPS, EVERY = (1, 2), 400, 25
T, B, RATE, WARMUP, HELD = 64, 8, 3e-3, 20, 8000
LAYERS, HEADS, KV_HEADS, CHANNELS = 2, 4, 2, 64
CHANGES = ["GPT-2", "RMS norm", "RoPE", "SwiGLU", "grouped heads", "no biases"]


def drawn(vocabulary, changes, seed):
    """First weights; changes: how many are made, 0 for GPT-2 and 5 for Llama."""
    config = Config(vocabulary, T, LAYERS, HEADS, KV_HEADS if changes >= 4 else HEADS, CHANNELS,
                    tied=False)
    params = init(llama, config, seed=seed)
    old = gpt2.Config(vocabulary, T, LAYERS, HEADS, CHANNELS, tied=False)
    first = init(gpt2, old, seed=seed)
    if changes < 2:
        params["positions"] = first["positions"]
    for block, other in zip([*params["blocks"], params], [*first["blocks"], first]):
        for name in ("norm_1", "norm_2", "norm"):
            if name in block and changes < 1:
                block[name] = other[name]
        if "attention" not in block:
            continue
        if changes < 3:
            block["feed_forward"] = other["feed_forward"]
        if changes < 5:
            for part in [block["attention"], block["feed_forward"]]:
                for weight in part.values():
                    weight.setdefault("bias", np.zeros(weight["weight"].shape[1], np.float32))
    return params, config


def norm(x, weights, eps):
    if "bias" in weights:
        return layer_norm(x, **weights, eps=eps), layer_norm_backward
    return rms_norm(x, **weights, eps=eps), rms_norm_backward


def forward(params, ids, config):
    x, saved_tokens = embedding(ids, **params["tokens"])
    saved_positions, positions = None, np.arange(ids.shape[1])[None]
    if "positions" in params:
        rows, saved_positions = position_embedding(ids, **params["positions"])
        x, positions = x + rows, 0 * positions     # at position 0 RoPE rotates nothing
    cos, sin = rope_angles(positions, config.head_size, config.theta, x)
    saved_blocks = []
    for block in params["blocks"]:
        (normed, saved_1), back_1 = norm(x, block["norm_1"], config.eps)
        attended, saved_attention = grouped_query_attention(
            normed, block["attention"], config.heads, config.kv_heads, cos, sin, config.eps,
            causal=True)
        x = x + attended
        (normed, saved_2), back_2 = norm(x, block["norm_2"], config.eps)
        run, back = (gated_mlp, gated_mlp_backward) if "gate" in block["feed_forward"] else (
            mlp, mlp_backward)
        out, saved_mlp = run(normed, block["feed_forward"])
        x = x + out
        saved_blocks.append((saved_1, back_1, saved_attention, saved_2, back_2, saved_mlp, back))
    (normed, saved_norm), back_norm = norm(x, params["norm"], config.eps)
    logits, saved_head = linear(normed, **params["head"])
    return logits, (saved_tokens, saved_positions, saved_blocks, saved_norm, back_norm, saved_head)


def backward(d_logits, saved):
    saved_tokens, saved_positions, saved_blocks, saved_norm, back_norm, saved_head = saved
    grads = {"blocks": []}
    d_normed, grads["head"] = linear_backward(d_logits, saved_head)
    d_x, grads["norm"] = back_norm(d_normed, saved_norm)
    for saved_1, back_1, saved_attention, saved_2, back_2, saved_mlp, back in reversed(
            saved_blocks):
        d_normed, d_mlp = back(d_x, saved_mlp)
        d_branch, d_norm_2 = back_2(d_normed, saved_2)
        d_x = d_x + d_branch
        d_normed, d_attention = grouped_query_attention_backward(d_x, saved_attention)
        d_branch, d_norm_1 = back_1(d_normed, saved_1)
        d_x = d_x + d_branch
        grads["blocks"].insert(0, {"norm_1": d_norm_1, "attention": d_attention,
                                   "norm_2": d_norm_2, "feed_forward": d_mlp})
    if saved_positions is not None:
        grads["positions"] = position_embedding_backward(d_x, saved_positions)
    grads["tokens"] = embedding_backward(d_x, saved_tokens)
    return grads


def ends_are_the_models(vocabulary, ids):
    """The first of the six gives GPT-2's logits, the last gives Llama's."""
    params, config = drawn(vocabulary, 5, 1)
    assert np.array_equal(forward(params, ids, config)[0], llama.forward(params, ids, config)[0])
    params, config = drawn(vocabulary, 0, 1)
    theirs = {**params, "blocks": []}
    for block in params["blocks"]:
        parts = [block["attention"][name] for name in "qkv"]
        qkv = {key: np.concatenate([part[key] for part in parts], -1) for key in parts[0]}
        theirs["blocks"].append({**block, "attention": {"qkv": qkv,
                                                        "out": block["attention"]["out"]}})
    old = gpt2.Config(vocabulary, T, LAYERS, HEADS, CHANNELS, tied=False)
    assert tree_map(np.shape, theirs) == tree_map(lambda w: w.shape, gpt2_weights(old))
    gap = abs(forward(params, ids, config)[0] - gpt2.forward(theirs, ids, old)[0]).max()
    assert gap < 1e-5, gap


def loss_on(params, config, ids):
    total = count = 0
    for inputs, targets in evaluation_batches(ids, T, 32):
        answered = int((targets != -100).sum())
        loss, _ = cross_entropy(forward(params, inputs, config)[0], targets)
        total, count = total + float(loss) * answered, count + answered
    return total / count


def run(ids, held, vocabulary, changes, seed):
    params, config = drawn(vocabulary, changes, seed)
    state, lines = adamw_init(params), []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            lines.append(round(loss_on(params, config, held), 4))
        inputs, targets = draw_batch(ids, T, B, seed, step + 1)
        logits, saved = forward(params, inputs, config)
        _, saved_loss = cross_entropy(logits, targets)
        grads = backward(cross_entropy_backward(1.0, saved_loss), saved)
        grads, _ = clip_by_global_norm(grads, 1.0)
        adamw_step(params, grads, state, warmup_cosine(step, RATE, WARMUP, STEPS, RATE / 10))
    return lines, sum(math.prod(w.shape) for _, w in tree_leaves(params))


def main():
    started = time.process_time()
    corpus = load_corpus("stories:100KB")
    tokenizer = CharacterTokenizer.train(corpus.train_text)
    ids = np.array(tokenizer.encode(corpus.train_text))
    held = np.array(tokenizer.encode(corpus.validation_text))[:HELD]
    ends_are_the_models(tokenizer.vocab_size, ids[None, :T])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True, check=True).stdout.strip()
    record = {"command": "python docs/records/make_llama.py", "date": date.today().isoformat(),
              "commit": commit, "python": sys.version.split()[0], "numpy": np.__version__,
              "corpus": "stories:100KB", "seeds": SEEDS, "steps": STEPS, "every": EVERY, "batch": B,
              "context": T, "rate": RATE, "held_out": HELD,
              "sizes": {"layers": LAYERS, "heads": HEADS, "kv_heads": KV_HEADS,
                        "channels": CHANNELS},
              "weights": {}, "validation": {name: [] for name in CHANGES}}
    for seed in SEEDS:
        for changes, name in enumerate(CHANGES):
            lines, size = run(ids, held, tokenizer.vocab_size, changes, seed)
            record["weights"][name] = size
            record["validation"][name].append(lines)
            print(seed, name, size, lines[-1], f"{time.process_time() - started:.0f} s", flush=True)
    path = Path(__file__).with_name("llama.json")
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
