"""A stranger: a model that no package knows. Embedding, one gated MLP, head;
each token is read alone, so there is nothing to mask, place or keep."""

from dataclasses import dataclass

from npgpt.families.weight import Weight, normal, uniform
from npgpt.layers import embedding, embedding_backward, linear, linear_backward

FILES = {"model_type": "stranger"}
SMALL = normal(0.1)


@dataclass(frozen=True)
class Config:
    vocab_size: int
    context_length: int | None = None
    channels: int = 8


def weights(config):
    def weight(*shape, init=SMALL):
        return {"weight": Weight(shape, init)}

    V, C = config.vocab_size, config.channels
    return {"tokens": weight(V, C, init=uniform(0.5)), "up": weight(C, 2 * C),
            "gate": weight(C, 2 * C), "down": weight(2 * C, C), "head": weight(C, V)}


def dropout_shapes(config, B, T):
    return {}


def cache_shapes(config, B):
    return None


def products(config, B, T):
    R, C = B * T, config.channels
    return [(1, R, C, 2 * C)] * 2 + [(1, R, 2 * C, C), (1, R, C, config.vocab_size)]


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
