"""The whole pass of a shard, forward and backward, on compiled loops.

The same model as `npgpt.models.gpt2`, one block below the other: rows are
(R, C) with R = B·T throughout, the products write where they are needed,
and arrays that nobody reads again are used again. The weights of out and
down, and so their gradients, may lie turned in memory (`flat_like`): the
products are faster."""

import math

import numpy as np

from npgpt.layers.blockwise_attention import BLOCK
from npgpt.layers.cross_entropy import cross_entropy, cross_entropy_backward
from npgpt.layers.embedding import embedding
from npgpt.layers.heads import split_heads
from npgpt.layers.position_embedding import positions, positions_backward
from npgpt.layers.sums import column_sum
from npgpt.models.gpt2 import head_weight
from npgpt.speed.compiled import loops

EPS = 1e-5


def loss_and_grads_of_shard(params, ids, targets, config, visible=None,
                            keep=None, count=None):
    """As `npgpt.training.loss_and_grads`' of the same name; visible must be
    None: each token sees itself and what came before."""
    if visible is not None:
        raise ValueError("the compiled step knows no visible: leave out one of them")
    logits, saved = gpt(params, ids, config, keep or {})
    loss, saved_loss = cross_entropy(logits, targets.reshape(-1), count)
    d_logits = cross_entropy_backward(1.0, saved_loss)        # (R, V)
    return loss, gpt_backward(d_logits, saved)


def gpt(params, ids, config, keep):
    """ids (B, T) -> logits (R, V)."""
    B, T = ids.shape
    R, C = B * T, config.channels
    block_keeps = keep.get("blocks") or [{}] * config.layers
    # (1) say what each token is, and where
    tokens, saved_tokens = embedding(ids, **params["tokens"])
    places, saved_places = positions(ids, **params["positions"])
    tokens += places                                  # (B, T, C)
    # (2) drop some
    x = times(tokens.reshape(R, C), keep.get("embedding"))
    # (3) look around and think, layer by layer
    more, shift, saved_blocks = None, None, []
    for layer, block_keep in zip(params["blocks"], block_keeps):
        more, shift, saved = block(x, more, shift, layer, (B, T, config.heads), block_keep)
        saved_blocks.append(saved)
    # (4) normalise
    normed, saved_norm = add_norm(x, more, shift, params["norm"])     # (R, C)
    # (5) score each token of the vocabulary
    head = head_weight(params, config)                # (C, V)
    return normed @ head, (saved_tokens, saved_places, keep, saved_blocks, saved_norm,
                           normed, head, config.tied)


def gpt_backward(d_logits, saved):
    """d_logits (R, V) -> gradients shaped like params."""
    (saved_tokens, saved_places, keep, saved_blocks, saved_norm,
     normed, head, tied) = saved
    # (5) score each token of the vocabulary
    # (V, C) where the head is the token embedding, else (C, V)
    d_head = d_logits.T @ normed if tied else normed.T @ d_logits
    # (4) normalise
    d_x = np.zeros_like(normed)                       # (R, C)
    d_norm = norm_backward(d_logits @ head.T, saved_norm, d_x)
    # (3) look around and think, layer by layer
    d_blocks = [block_backward(d_x, saved) for saved in reversed(saved_blocks)]
    # (2) drop some
    d_x = times(d_x, keep.get("embedding"))           # (R, C)
    # (1) say what each token is, and where
    ids, weight = saved_tokens
    d_tokens = d_head if tied else np.zeros_like(weight)      # (V, C)
    loops.embedding_backward(ids.reshape(-1), d_x, d_tokens)
    d_places = positions_backward(d_x.reshape(*ids.shape, -1), saved_places)
    grads = {"tokens": {"weight": d_tokens}, "positions": d_places,
             "blocks": d_blocks[::-1], "norm": d_norm}
    if not tied:
        grads["head"] = {"weight": d_head}
    return grads


def block(x, more, shift, params, shape, keep):
    """x (R, C) += more + shift, and the block's first half, in place ->
    its second half: more (R, C), shift (C,)."""
    # (1) look around
    normed_1, saved_norm_1 = add_norm(x, more, shift, params["norm_1"])
    seen, saved_attention = look_around(
        normed_1, params["attention"]["qkv"], shape, keep.get("attention"))
    out = params["attention"]["out"]
    mixed, shift = drop(seen @ out["weight"], out["bias"], keep.get("attention_out"))
    # (2) add to the stream, (3) think
    normed_2, saved_norm_2 = add_norm(x, mixed, shift, params["norm_2"])
    up, down = params["feed_forward"]["up"], params["feed_forward"]["down"]
    bent = normed_2 @ up["weight"]                    # (R, F)
    slope = loops.gelu_inner(bent, up["bias"])        # (R, F)
    np.tanh(slope, out=slope)
    loops.gelu_outer(bent, slope)
    more, shift = drop(bent @ down["weight"], down["bias"], keep.get("feed_forward_out"))
    return more, shift, (params, shape, keep, normed_1, saved_norm_1, saved_attention,
                         seen, normed_2, saved_norm_2, bent, slope)


def block_backward(d_x, saved):
    """d_x (R, C) becomes the gradient of the block's input, in place ->
    gradients shaped like params."""
    (params, shape, keep, normed_1, saved_norm_1, saved_attention,
     seen, normed_2, saved_norm_2, bent, slope) = saved
    # (3) think
    up, down = params["feed_forward"]["up"], params["feed_forward"]["down"]
    d_narrow = times(d_x, keep.get("feed_forward_out"))
    d_down = {"weight": (d_narrow.T @ bent).T, "bias": column_sum(d_narrow)}
    d_wide = np.matmul(d_narrow, down["weight"].T, out=bent)          # (R, F)
    d_up_bias = loops.gelu_backward(d_wide, slope)
    d_up = {"weight": normed_2.T @ d_wide, "bias": d_up_bias}
    d_norm_2 = norm_backward(d_wide @ up["weight"].T, saved_norm_2, d_x)
    # (1) look around
    out = params["attention"]["out"]
    d_mixed = times(d_x, keep.get("attention_out"))
    d_out = {"weight": (d_mixed.T @ seen).T, "bias": column_sum(d_mixed)}
    d_qkv = look_around_backward(
        d_mixed @ out["weight"].T, saved_attention, shape, keep.get("attention"))
    d_attention = {"weight": normed_1.T @ d_qkv, "bias": column_sum(d_qkv)}
    d_normed = d_qkv @ params["attention"]["qkv"]["weight"].T
    d_norm_1 = norm_backward(d_normed, saved_norm_1, d_x)
    return {"norm_1": d_norm_1, "attention": {"qkv": d_attention, "out": d_out},
            "norm_2": d_norm_2, "feed_forward": {"up": d_up, "down": d_down}}


def look_around(x, params, shape, keep):
    """x (R, C) -> what each head saw, side by side (R, C)."""
    B, T, H = shape
    R, C = x.shape
    qkv = x @ params["weight"]                        # (R, 3C)
    qkv += params["bias"]
    q, k, v = split_heads(qkv.reshape(B, T, 3 * C), H, 3)[0]  # (B, H, T, D)
    y = np.empty((B, T, H, C // H), x.dtype)
    scale, all_probs = 1 / math.sqrt(C // H), []
    for rows, end in blocks(T):
        probs = q[:, :, rows] @ k[:, :, :end].swapaxes(-1, -2)       # (B, H, T, S)
        flat = probs.reshape(B * H, -1, end)
        loops.shift_scores(flat, scale)
        np.exp(flat, out=flat)
        loops.divide_by_sum(flat)
        kept = times(probs, keep, rows, end)
        np.matmul(kept, v[:, :, :end], out=y.swapaxes(1, 2)[:, :, rows])
        all_probs.append((probs, kept))
    return y.reshape(R, C), (q, k, v, y, all_probs)


def look_around_backward(d_y, saved, shape, keep):
    """d_y (R, C) -> the gradient of queries, keys and values (R, 3C)."""
    q, k, v, y, all_probs = saved
    B, T, H = shape
    R, C = d_y.shape
    scale = 1 / math.sqrt(C // H)
    d_y = d_y.reshape(y.shape)                        # (B, T, H, D)
    along = np.vecdot(y, d_y).swapaxes(1, 2)          # (B, H, T)
    d_y = d_y.swapaxes(1, 2)                          # (B, H, T, D)
    d_qkv = np.empty((B, T, 3 * C), d_y.dtype)
    d_q, d_k, d_v = split_heads(d_qkv, H, 3)[0]       # (B, H, T, D), views
    for (rows, end), (probs, kept) in zip(blocks(T)[::-1], all_probs[::-1]):
        d_rows = d_y[:, :, rows]
        add_product(kept.swapaxes(-1, -2), d_rows, d_v[:, :, :end], first=end == T)
        d_scores = times(d_rows @ v[:, :, :end].swapaxes(-1, -2), keep, rows, end)
        loops.softmax_backward(
            d_scores.reshape(B * H, -1, end), probs.reshape(B * H, -1, end),
            along[:, :, rows].reshape(B * H, -1), scale)
        np.matmul(d_scores, k[:, :, :end], out=d_q[:, :, rows])
        add_product(d_scores.swapaxes(-1, -2), q[:, :, rows], d_k[:, :, :end], first=end == T)
    return d_qkv.reshape(R, 3 * C)


def blocks(T):
    """-> slices of at most BLOCK queries, and how many keys they may see."""
    cuts = [(start, min(start + BLOCK, T)) for start in range(0, T, BLOCK)]
    return [(slice(*cut), cut[1]) for cut in cuts]


def add_product(a, b, into, first):
    """into += a @ b; the first of them finds nothing to add to."""
    if first:
        np.matmul(a, b, out=into)
    else:
        into += a @ b


def add_norm(x, more, shift, params):
    y, normed, inv_std = loops.add_layer_norm(
        x, more, shift, params["weight"], params["bias"], EPS)
    return y, (normed, inv_std, params["weight"])


def norm_backward(d_y, saved, d_x):
    """Adds to d_x, in place -> gradients shaped like params."""
    d_weight, d_bias = loops.layer_norm_backward_add(d_y, *saved, d_x)
    return {"weight": d_weight, "bias": d_bias}


def drop(y, shift, mask):
    """-> two terms whose sum is (y + shift) with some of it dropped."""
    if mask is None:
        return y, shift
    return times(y + shift, mask), np.zeros_like(shift)


def times(y, mask, rows=slice(None), end=None):
    if mask is None:
        return y
    if y.ndim == 2:
        return y * mask.reshape(y.shape)
    return y * mask[:, :, rows, :end]
