"""The stranger in PyTorch."""

from parity_tests.models.stranger_numpy import (
    FILES,
    Config,
    cache_shapes,
    dropout_shapes,
    products,
    weights,
)
from torchgpt.layers import embedding, embedding_backward, linear, linear_backward

__all__ = ["FILES", "Config", "backward", "cache_shapes", "dropout_shapes", "forward",
           "products", "weights"]


def forward(params, ids, config, *, mask=None, positions=None, dropout_masks=None, cache=None):
    x, saved_tokens = embedding(ids, **params["tokens"])
    up, saved_up = linear(x, **params["up"])
    gate, saved_gate = linear(x, **params["gate"])
    out, saved_down = linear(up * gate, **params["down"])
    logits, saved_head = linear(x + out, **params["head"])
    return logits, (saved_tokens, up, saved_up, gate, saved_gate, saved_down, saved_head)


def backward(d_logits, saved):
    saved_tokens, up, saved_up, gate, saved_gate, saved_down, saved_head = saved
    d_x, d_head = linear_backward(d_logits, saved_head)
    d_product, d_down = linear_backward(d_x, saved_down)
    d_from_gate, d_gate = linear_backward(d_product * up, saved_gate)
    d_from_up, d_up = linear_backward(d_product * gate, saved_up)
    d_tokens = embedding_backward(d_x + d_from_gate + d_from_up, saved_tokens)
    return {"head": d_head, "down": d_down, "gate": d_gate, "up": d_up, "tokens": d_tokens}
