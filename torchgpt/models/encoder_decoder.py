"""Encoder–decoder: the encoder reads the source, the decoder writes the
target, a token at a time (Vaswani et al., 2017)."""

import math

from npgpt.families.encoder_decoder import (
    FILES,
    Config,
    cache_shapes,
    dropout_shapes,
    products,
    weights,
)
from torchgpt.blocks.cross_attention import project_heads
from torchgpt.blocks.decoder import decoder, decoder_backward
from torchgpt.blocks.encoder import encoder, encoder_backward
from torchgpt.layers.dropout import dropout, dropout_backward
from torchgpt.layers.embedding import embedding, embedding_backward
from torchgpt.layers.linear import linear, linear_backward
from torchgpt.layers.masks import padded_positions
from torchgpt.layers.sinusoids import sinusoids

__all__ = [
    "FILES", "Config", "backward", "cache_shapes", "dropout_shapes",
    "forward", "products", "weights",
]


def forward(params, inputs, config, *, mask=None, positions=None,
            dropout_masks=None, cache=None):
    """inputs: {"source": ids (B, S), "target": ids (B, T)} -> logits
    (B, T, V), saved.

    A target token attends to itself, to what came before and to all of
    the source. mask: {"source": (B, 1, 1, S), "target": (B, 1, 1, T)},
    either may be left out, True where a token is no padding. positions:
    alike, (B, S) and (B, T); None counts from 0, or from the cache's
    end. With a cache: the logits of the last token alone, (B, 1, V),
    and the cache for the next tokens, which holds the source's keys and
    values: from then on inputs need no source."""
    mask, positions = mask or {}, positions or {}
    dropout_masks = dropout_masks or {"encoder": {}, "decoder": {}}
    encoder_masks = dropout_masks["encoder"]
    decoder_masks = dropout_masks["decoder"]
    source, start, past = inputs.get("source"), 0, None
    memory = saved_source = saved_encoder = None
    # (1) embedding of the source
    if source is not None:
        x, saved_source = embed(
            source, params, positions.get("source"), 0,
            encoder_masks.get("embedding"))           # (B, S, C)
    # (2) encoder
    if source is not None:
        memory, saved_encoder = encoder(
            x, params["encoder"], config.heads, mask.get("source"),
            encoder_masks)                            # (B, S, C)
    if cache is not None:
        cache = with_memory(cache, memory, params, config)
        start = cache["start"]
        past = [{**part, "start": start} for part in cache["blocks"]]
    # (3) embedding of the target
    x, saved_target = embed(
        inputs["target"], params, positions.get("target"), start,
        decoder_masks.get("embedding"))               # (B, T, C)
    # (4) decoder
    y, saved_decoder = decoder(
        x, memory, params["decoder"], config.heads, mask.get("target"),
        mask.get("source"), decoder_masks, past)      # (B, T, C)
    if cache is not None:
        y = y[:, -1:]                                 # (B, 1, C)
    # (5) logits
    logits, saved_head = linear(y, **head(params, config))
    if cache is not None:
        return logits, {**cache, "start": start + x.shape[1]}
    return logits, (saved_source, saved_encoder, saved_target,
                    saved_decoder, saved_head, config.tied)


def backward(d_logits, saved):
    """d_logits (B, T, V) -> gradients shaped like params."""
    (saved_source, saved_encoder, saved_target,
     saved_decoder, saved_head, tied) = saved
    # (5) logits
    d_y, d_head = linear_backward(d_logits, saved_head)
    # (4) decoder
    d_x, d_memory, d_decoder = decoder_backward(d_y, saved_decoder)
    # (3) embedding of the target
    d_target = embed_backward(d_x, saved_target)
    # (2) encoder
    d_x, d_encoder = encoder_backward(d_memory, saved_encoder)
    # (1) embedding of the source: one table, read twice
    d_source = embed_backward(d_x, saved_source)
    d_tokens = {key: d_source[key] + d_target[key] for key in d_source}
    grads = {"decoder": d_decoder, "encoder": d_encoder,
             "tokens": d_tokens}
    if not tied:
        grads["head"] = d_head
    elif d_head:  # and a third time, in the head
        d_tokens["weight"] = d_tokens["weight"] + d_head["weight"].T
    return grads


def embed(ids, params, positions, start, dropout_mask):
    """ids (B, T) -> x (B, T, C)."""
    T, C = ids.shape[1], params["tokens"]["weight"].shape[1]
    # (1) token embedding, times √C
    token_emb, saved_tokens = embedding(ids, **params["tokens"])
    x = token_emb * math.sqrt(C)                      # (B, T, C)
    # (2) plus sinusoids
    if positions is None:
        positions = padded_positions([0], T, start + T, x)
    x = x + sinusoids(positions, C, x)                # (B, T, C)
    # (3) dropout
    x, saved_dropout = dropout(x, dropout_mask)
    return x, (saved_tokens, saved_dropout, C)


def embed_backward(d_x, saved):
    """d_x (B, T, C) -> {"weight": (V, C)}."""
    saved_tokens, saved_dropout, C = saved
    # (3) dropout
    d_x = dropout_backward(d_x, saved_dropout)        # (B, T, C)
    # (2) plus sinusoids: constants
    # (1) token embedding, times √C
    d_token_emb = d_x * math.sqrt(C)                  # (B, T, C)
    return embedding_backward(d_token_emb, saved_tokens)


def with_memory(cache, memory, params, config):
    """-> the cache with the keys and values that each decoder block
    makes of the memory; the same cache, if there is no memory."""
    if memory is None:
        return cache
    blocks, layers = [], params["decoder"]["blocks"]
    for part, layer in zip(cache["blocks"], layers):
        cross = layer["cross_attention"]
        keys, _ = project_heads(memory, cross["k"], config.heads)
        values, _ = project_heads(memory, cross["v"], config.heads)
        memory_heads = {"keys": keys, "values": values}
        blocks.append({**part, "memory": memory_heads})
    return {**cache, "blocks": blocks}


def head(params, config):
    """-> {"weight": (C, V)}: the head's own, or the token embedding,
    transposed."""
    if config.tied:
        tokens = params["tokens"]
        return {**tokens, "weight": tokens["weight"].T}
    return params["head"]
