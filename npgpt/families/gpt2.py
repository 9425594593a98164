"""GPT-2: its sizes, its weights and its files (Radford et al., 2019)."""

import math
from dataclasses import dataclass

from npgpt.errors import InputError, quote
from npgpt.families.setting import setting
from npgpt.families.weight import Weight, normal, ones, zeros

STD = 0.02
SMALL = normal(STD)


@dataclass(frozen=True)
class Config:
    """Sizes of a GPT-2-style model; `tied`: the head is the token
    embedding, transposed. Raises InputError where sizes do not fit."""

    vocab_size: int
    context_length: int = 64
    # more layers are a slip in a run, and take long to refuse
    layers: int = setting(
        4, "Transformer blocks.", least=1, most=10_000)
    heads: int = setting(4, "Attention heads per block.", least=1)
    channels: int = setting(128, "Channels (model width).", least=1)
    # a tied model starts below ln V on text whose characters repeat:
    # its first guess is the token it has just read
    tied: bool = setting(
        True, "Tie the head to the token embedding.", new_run=False,
        flag="--tied/--untied")

    def __post_init__(self):
        for name in ("vocab_size", "context_length", "layers",
                     "heads", "channels"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise InputError(
                    f"{name} is {quote(value)}: give a whole number,"
                    f" 1 or more")
        if self.channels % self.heads:
            raise InputError(
                f"{self.heads} heads do not divide {self.channels}"
                f" channels: make channels a multiple of heads")

    @property
    def head_size(self):
        return self.channels // self.heads

    @property
    def hidden(self):
        return 4 * self.channels


def weights(config):
    """-> nested Weights. Standard deviation 0.02 (Radford et al., 2018,
    section 4.1), divided by sqrt(2 · layers) where a block adds to the
    residual stream (2019, section 2.3); biases 0, norm scales 1."""
    V, N, C, F = (config.vocab_size, config.context_length,
                  config.channels, config.hidden)
    residual = normal(STD / math.sqrt(2 * config.layers))

    def linear(inputs, outputs, init=SMALL):
        return {"weight": Weight((inputs, outputs), init),
                "bias": Weight((outputs,), zeros)}

    norm = {"weight": Weight((C,), ones), "bias": Weight((C,), zeros)}
    block = {
        "norm_1": norm,
        "attention": {"qkv": linear(C, 3 * C),
                      "out": linear(C, C, residual)},
        "norm_2": norm,
        "feed_forward": {"up": linear(C, F),
                         "down": linear(F, C, residual)},
    }
    tree = {
        "tokens": {"weight": Weight((V, C), SMALL)},
        "positions": {"weight": Weight((N, C), SMALL)},
        "blocks": [block] * config.layers,
        "norm": norm,
    }
    if not config.tied:
        tree["head"] = {"weight": Weight((C, V), SMALL)}
    return tree


def dropout_shapes(config, B, T):
    """-> nested shapes of the dropout masks of one pass."""
    x, scores = (B, T, config.channels), (B, config.heads, T, T)
    block = {"attention": scores, "attention_out": x,
             "feed_forward_out": x}
    return {"embedding": x, "blocks": [block] * config.layers}


def cache_shapes(config, B):
    """-> nested shapes of a KV cache, axis 0 the batch."""
    storage = (B, config.heads, config.context_length, config.head_size)
    return {"blocks": [{"keys": storage, "values": storage}]
            * config.layers}


def products(config, B, T):
    """-> [(count, rows, inner, columns), ...], the matrix products of one
    forward pass over B sequences of T tokens."""
    R, C, F, H, D = (B * T, config.channels, config.hidden,
                     config.heads, config.head_size)
    block = [(1, R, C, 3 * C), (B * H, T, D, T), (B * H, T, T, D),
             (1, R, C, C), (1, R, C, F), (1, R, F, C)]
    return block * config.layers + [(1, R, C, config.vocab_size)]


FILES = {
    "model_type": "gpt2",
    "architectures": ["GPT2LMHeadModel"],
    # our path -> the tensor's name, as regular expressions
    "names": (
        (r"^head\.", "lm_head."),
        (r"^tokens\.", "transformer.wte."),
        (r"^positions\.", "transformer.wpe."),
        (r"^norm\.", "transformer.ln_f."),
        (r"^blocks\.", "transformer.h."),
        (r"\.norm_([12])\.", r".ln_\1."),
        (r"\.attention\.qkv\.", ".attn.c_attn."),
        (r"\.attention\.out\.", ".attn.c_proj."),
        (r"\.feed_forward\.up\.", ".mlp.c_fc."),
        (r"\.feed_forward\.down\.", ".mlp.c_proj."),
    ),
    # the paths of what is stored transposed, as a regular expression
    "transposed": r"head\.weight",
    # what files may leave out in front of a name; the head's has none
    "prefix": "transformer.",
    "head": "lm_head.weight",
    "embedding": "transformer.wte.weight",
    # causal masks that older files carry along with the weights
    "ignored": r"(^|\.)h\.\d+\.attn\.(masked_)?bias$",
    # our field -> config.json's
    "fields": {
        "vocab_size": "vocab_size",
        "context_length": "n_positions",
        "layers": "n_layer",
        "heads": "n_head",
        "channels": "n_embd",
        "tied": "tie_word_embeddings",
    },
    # config.json's field -> its other name, which counts where both stand
    "also": {
        "n_positions": "max_position_embeddings",
        "n_layer": "num_hidden_layers",
        "n_head": "num_attention_heads",
        "n_embd": "hidden_size",
    },
    # what a file means that leaves a field out, as in `transformers`
    "defaults": {"vocab_size": 50257, "context_length": 1024, "layers": 12,
                 "heads": 12, "channels": 768, "tied": True},
    # fields that change the arithmetic: the values that are known here,
    # the first where the field is left out
    "known": {
        "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
        "layer_norm_epsilon": (1e-5,),
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "add_cross_attention": (False,),
    },
    # the end token where config.json names none, as in `transformers`
    "end_id": 50256,
    # fields that follow from ours
    "derived": {"n_ctx": "context_length", "n_inner": "hidden"},
    # fields that are written for other readers
    "written": {
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "initializer_range": STD,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "bos_token_id": None,
        "eos_token_id": None,
    },
}
