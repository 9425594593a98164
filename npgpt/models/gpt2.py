"""GPT: from token ids to the logits of the next token, and back
(Radford et al., 2019)."""

from npgpt.blocks.block import block, block_backward
from npgpt.families.checks import check_ids
from npgpt.layers.dropout import dropout, dropout_backward
from npgpt.layers.embedding import embedding, embedding_backward
from npgpt.layers.layer_norm import layer_norm, layer_norm_backward
from npgpt.layers.linear import linear, linear_backward
from npgpt.layers.position_embedding import positions, positions_backward


def gpt(params, ids, config, visible=None, keep=None):
    """ids (B, T) -> logits (B, T, V).

    visible: who sees whom, broadcast to (B, H, T, T); None: each token
    sees itself and what came before. keep: dropout masks, or None."""
    check_ids(ids, config)
    keep = keep or {}
    block_keeps = keep.get("blocks") or [None] * config.layers
    # (1) say what each token is, and where
    tokens, saved_tokens = embedding(ids, **params["tokens"])
    places, saved_places = positions(ids, **params["positions"])
    x = tokens + places                               # (B, T, C)
    # (2) drop some
    x, saved_dropout = dropout(x, keep.get("embedding"))
    # (3) look around and think, layer by layer
    saved_blocks = []
    for layer, block_keep in zip(params["blocks"], block_keeps):
        x, saved = block(x, layer, config.heads, visible, block_keep)
        saved_blocks.append(saved)
    # (4) normalise
    normed, saved_norm = layer_norm(x, **params["norm"])     # (B, T, C)
    # (5) score each token of the vocabulary
    head = head_weight(params, config)                # (C, V)
    logits, saved_head = linear(normed, head)         # (B, T, V)
    return logits, (saved_tokens, saved_places, saved_dropout,
                    saved_blocks, saved_norm, saved_head, config.tied)


def gpt_backward(d_logits, saved):
    """d_logits (B, T, V) -> gradients shaped like params."""
    (saved_tokens, saved_places, saved_dropout,
     saved_blocks, saved_norm, saved_head, tied) = saved
    # (5) score each token of the vocabulary
    d_normed, d_head = linear_backward(d_logits, saved_head)
    # (4) normalise
    d_x, d_norm = layer_norm_backward(d_normed, saved_norm)
    # (3) look around and think, layer by layer
    d_blocks = []
    for saved in reversed(saved_blocks):
        d_x, d_block = block_backward(d_x, saved)
        d_blocks.insert(0, d_block)
    # (2) drop some
    d_x = dropout_backward(d_x, saved_dropout)        # (B, T, C)
    # (1) say what each token is, and where
    d_tokens = embedding_backward(d_x, saved_tokens)
    d_places = positions_backward(d_x, saved_places)
    grads = {"tokens": d_tokens, "positions": d_places,
             "blocks": d_blocks, "norm": d_norm}
    if tied:  # one weight, used twice: its gradients add up
        d_tokens["weight"] = d_tokens["weight"] + d_head["weight"].T
    else:
        grads["head"] = d_head
    return grads


def head_weight(params, config):
    """-> (C, V): the head's own, or the token embedding, turned."""
    if config.tied:
        return params["tokens"]["weight"].T
    return params["head"]["weight"]
