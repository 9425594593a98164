"""Encoder–decoder: its sizes, its weights and its files (Vaswani et al.,
2017; the norms before what they norm, as in GPT-2)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from npgpt.errors import InputError, quote
from npgpt.families.weight import Weight, normal, ones, zeros


@dataclass(frozen=True)
class Config:
    """Sizes of an encoder–decoder. Raises InputError where they do not
    fit.

    vocab_size: of both sequences. context_length: of each. layers: of
    the encoder, and of the decoder. tied: the head is the token
    embedding, transposed."""

    vocab_size: int
    context_length: int = 64
    layers: int = 2
    heads: int = 4
    channels: int = 64
    tied: bool = True
    inputs: ClassVar = ("source", "target")

    def __post_init__(self):
        for name in ("vocab_size", "context_length", "layers", "heads",
                     "channels"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise InputError(
                    f"{name} is {quote(value)}: give a whole number,"
                    f" 1 or more")
        if self.channels % self.heads:
            raise InputError(
                f"{self.heads} heads do not divide {self.channels}"
                f" channels: make channels a multiple of heads")
        if self.channels % 2:
            raise InputError(
                f"channels is {self.channels}: sinusoids need an even"
                f" number")

    @property
    def head_size(self):
        return self.channels // self.heads

    @property
    def hidden(self):
        return 4 * self.channels


def weights(config):
    """-> nested Weights. Embeddings: standard deviation 1/sqrt(C), for
    they are multiplied by sqrt(C) (section 3.4) and, as the head, meet
    normed rows; products: 1/sqrt(inputs), divided by sqrt(2 · layers)
    where a block adds to the residual stream; biases 0, norms 1."""
    V, C, F = config.vocab_size, config.channels, config.hidden
    root = math.sqrt(2 * config.layers)

    def linear(inputs, outputs, divisor=1.0):
        std = 1 / (math.sqrt(inputs) * divisor)
        return {"weight": Weight((inputs, outputs), normal(std)),
                "bias": Weight((outputs,), zeros)}

    norm = {"weight": Weight((C,), ones), "bias": Weight((C,), zeros)}
    attention = {"qkv": linear(C, 3 * C), "out": linear(C, C, root)}
    cross_attention = {
        "q": linear(C, C), "k": linear(C, C), "v": linear(C, C),
        "out": linear(C, C, root)}
    mlp = {"up": linear(C, F), "down": linear(F, C, root)}
    encoder_block = {"norm_1": norm, "attention": attention,
                     "norm_2": norm, "feed_forward": mlp}
    decoder_block = {"norm_1": norm, "attention": attention,
                     "norm_2": norm, "cross_attention": cross_attention,
                     "norm_3": norm, "feed_forward": mlp}
    tree = {
        "tokens": {"weight": Weight((V, C), normal(1 / math.sqrt(C)))},
        "encoder": {"blocks": [encoder_block] * config.layers,
                    "norm": norm},
        "decoder": {"blocks": [decoder_block] * config.layers,
                    "norm": norm},
    }
    if not config.tied:
        tree["head"] = {"weight": Weight((C, V), normal(1 / math.sqrt(C)))}
    return tree


def dropout_shapes(config, B, T):
    """T: {"source": S, "target": T} -> nested shapes of the dropout masks
    of one pass."""
    H, C, S, T = config.heads, config.channels, T["source"], T["target"]
    encoder_block = {
        "attention": (B, H, S, S), "attention_out": (B, S, C),
        "feed_forward_out": (B, S, C)}
    decoder_block = {
        "attention": (B, H, T, T), "attention_out": (B, T, C),
        "cross_attention": (B, H, T, S), "cross_attention_out": (B, T, C),
        "feed_forward_out": (B, T, C)}
    return {
        "encoder": {"embedding": (B, S, C),
                    "blocks": [encoder_block] * config.layers},
        "decoder": {"embedding": (B, T, C),
                    "blocks": [decoder_block] * config.layers},
    }


def cache_shapes(config, B):
    """-> nested shapes of a KV cache, axis 0 the batch. "memory": the
    keys and values of the source; there are none before it is read."""
    H, N, D = config.heads, config.context_length, config.head_size
    storage = {"keys": (B, H, N, D), "values": (B, H, N, D)}
    memory = {"keys": (B, H, 0, D), "values": (B, H, 0, D)}
    return {"blocks": [{**storage, "memory": memory}] * config.layers}


def products(config, B, T):
    """T: {"source": S, "target": T} -> [(count, rows, inner, columns),
    ...], the matrix products of one forward pass over B pairs."""
    C, F, H, D = (config.channels, config.hidden, config.heads,
                  config.head_size)
    S, T = T["source"], T["target"]
    encoder, decoder = B * S, B * T

    def attention(T, S):
        return [(B * H, T, D, S), (B * H, T, S, D), (1, B * T, C, C)]

    def mlp(rows):
        return [(1, rows, C, F), (1, rows, F, C)]

    encoder_block = [(1, encoder, C, 3 * C), *attention(S, S),
                     *mlp(encoder)]
    decoder_block = [(1, decoder, C, 3 * C), *attention(T, T),
                     (1, decoder, C, C), (1, encoder, C, C),
                     (1, encoder, C, C), *attention(T, S),
                     *mlp(decoder)]
    return (encoder_block * config.layers + decoder_block * config.layers
            + [(1, decoder, C, config.vocab_size)])


# no other library's files hold this arithmetic: ours are named alike
FILES = {
    "model_type": "encoder_decoder",
    "names": (),
    "transposed": r"(?!)",
    "fields": {name: name for name in (
        "vocab_size", "context_length", "layers", "heads", "channels",
        "tied")},
}
