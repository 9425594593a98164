"""Llama: its sizes, its weights and its files, and those of the models
that are built alike: Qwen2, Qwen3, SmolLM2 (Touvron et al., 2023)."""

import math
from dataclasses import dataclass

from npgpt.errors import InputError, quote
from npgpt.families.setting import setting
from npgpt.families.weight import Weight, normal, ones, zeros

STD = 0.02
SMALL = normal(STD)


@dataclass(frozen=True)
class Config:
    """Sizes and constants of a Llama-style model. None stands for what
    follows from the others. Raises InputError where they do not fit.

    theta: the base of RoPE's frequencies. eps: what RMS norm adds to
    the mean square. tied: the head is the token embedding, transposed.
    qkv_bias: queries, keys and values have biases, as in Qwen2.
    qk_norm: each head's queries and keys are normed, as in Qwen3."""

    vocab_size: int
    context_length: int = 64
    layers: int = setting(
        4, "Transformer blocks.", least=1, most=10_000)
    heads: int = setting(4, "Attention heads per block.", least=1)
    kv_heads: int | None = setting(
        None, "Key and value heads per block.", least=1,
        unset="as many as --heads")
    channels: int = setting(128, "Channels (model width).", least=1)
    head_size: int | None = None
    hidden: int | None = None
    tied: bool = setting(
        True, "Tie the head to the token embedding.", new_run=False,
        flag="--tied/--untied")
    theta: float = 10_000.0
    eps: float = 1e-5
    qkv_bias: bool = False
    qk_norm: bool = False

    def __post_init__(self):
        for name in ("vocab_size", "context_length", "layers", "heads",
                     "channels"):
            check_count(name, getattr(self, name))
        # 8C/3: three matrices as large as GPT-2's two, with F = 4C
        following = {"kv_heads": self.heads,
                     "head_size": self.channels // self.heads,
                     "hidden": 8 * math.ceil(self.channels / 3)}
        for name, value in following.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
            check_count(name, getattr(self, name))
        if self.heads % self.kv_heads:
            raise InputError(
                f"{self.kv_heads} kv_heads do not divide {self.heads}"
                f" heads: make heads a multiple of kv_heads")
        if self.head_size % 2:
            raise InputError(
                f"head_size is {self.head_size}, by default channels"
                f" divided by heads: RoPE needs an even number")
        for name in ("theta", "eps"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not (
                    0 < value < math.inf):
                raise InputError(
                    f"{name} is {quote(value)}: give a number above 0")


def check_count(name, value):
    if type(value) is not int or value < 1:
        raise InputError(f"{name} is {quote(value)}: give a whole"
                         f" number, 1 or more")


def weights(config):
    """-> nested Weights. Standard deviation 0.02, divided by
    sqrt(2 · layers) where a block adds to the residual stream, as in
    GPT-2; biases 0, norm scales 1."""
    V, C, F = config.vocab_size, config.channels, config.hidden
    H, K, D = config.heads, config.kv_heads, config.head_size
    residual = normal(STD / math.sqrt(2 * config.layers))

    def linear(inputs, outputs, init=SMALL, bias=False):
        found = {"weight": Weight((inputs, outputs), init)}
        if bias:
            found["bias"] = Weight((outputs,), zeros)
        return found

    def norm(size):
        return {"weight": Weight((size,), ones)}

    attention = {
        "q": linear(C, H * D, bias=config.qkv_bias),
        "k": linear(C, K * D, bias=config.qkv_bias),
        "v": linear(C, K * D, bias=config.qkv_bias),
    }
    if config.qk_norm:
        attention |= {"q_norm": norm(D), "k_norm": norm(D)}
    attention["out"] = linear(H * D, C, residual)
    block = {
        "norm_1": norm(C),
        "attention": attention,
        "norm_2": norm(C),
        "feed_forward": {"gate": linear(C, F), "up": linear(C, F),
                         "down": linear(F, C, residual)},
    }
    tree = {
        "tokens": {"weight": Weight((V, C), SMALL)},
        "blocks": [block] * config.layers,
        "norm": norm(C),
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
    storage = (B, config.kv_heads, config.context_length,
               config.head_size)
    return {"blocks": [{"keys": storage, "values": storage}]
            * config.layers}


def products(config, B, T):
    """-> [(count, rows, inner, columns), ...], the matrix products of one
    forward pass over B sequences of T tokens."""
    R, C, F = B * T, config.channels, config.hidden
    H, K, D = config.heads, config.kv_heads, config.head_size
    block = [(1, R, C, H * D), (1, R, C, K * D), (1, R, C, K * D),
             (B * H, T, D, T), (B * H, T, T, D), (1, R, H * D, C),
             (1, R, C, F), (1, R, C, F), (1, R, F, C)]
    return block * config.layers + [(1, R, C, config.vocab_size)]


# where no window hides what lies far back
ALL_LAYERS_SEE_ALL = {
    "use_sliding_window": (False,),
    "layer_types": ("full_attention",),
}

FILES = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    # our path -> the tensor's name, as regular expressions
    "names": (
        (r"^head\.", "lm_head."),
        (r"^tokens\.", "model.embed_tokens."),
        (r"^norm\.", "model.norm."),
        (r"^blocks\.", "model.layers."),
        (r"\.norm_1\.", ".input_layernorm."),
        (r"\.norm_2\.", ".post_attention_layernorm."),
        (r"\.attention\.([qkv])\.", r".self_attn.\1_proj."),
        (r"\.attention\.out\.", ".self_attn.o_proj."),
        (r"\.attention\.([qk])_norm\.", r".self_attn.\1_norm."),
        (r"\.feed_forward\.(\w+)\.", r".mlp.\1_proj."),
    ),
    # the paths of what is stored as (outputs, inputs), as a regular
    # expression; the rows of q and k are in the order of `rope`
    "transposed": (r"head\.weight|blocks\.\d+\.attention\.(q|k|v|out)\.weight"
                   r"|blocks\.\d+\.feed_forward\.\w+\.weight"),
    # what files may leave out in front of a name; the head's has none
    "prefix": "model.",
    "head": "lm_head.weight",
    "embedding": "model.embed_tokens.weight",
    # RoPE's frequencies, which older files carry along
    "ignored": r"rotary_emb\.inv_freq$",
    # our field -> config.json's
    "fields": {
        "vocab_size": "vocab_size",
        "context_length": "max_position_embeddings",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "kv_heads": "num_key_value_heads",
        "channels": "hidden_size",
        "head_size": "head_dim",
        "hidden": "intermediate_size",
        "tied": "tie_word_embeddings",
        "theta": "rope_theta",
        "eps": "rms_norm_eps",
    },
    # objects in config.json whose fields are read as "object.field"
    "nested": ("rope_parameters", "rope_scaling"),
    # config.json's field -> its other name, which counts where both stand
    "also": {"rope_theta": "rope_parameters.rope_theta"},
    # what a file means that leaves a field out, as in `transformers`
    "defaults": {"vocab_size": 32000, "context_length": 2048, "layers": 32,
                 "heads": 32, "kv_heads": None, "channels": 4096,
                 "head_size": None, "hidden": 11008, "tied": False,
                 "theta": 10_000.0, "eps": 1e-6},
    # fields that change the arithmetic: the values that are known here,
    # the first where the field is left out
    "known": {
        "hidden_act": ("silu", "swish"),
        "rope_scaling": (None,),
        "rope_scaling.rope_type": ("default",),
        "rope_scaling.type": ("default",),
        "rope_parameters.rope_type": ("default",),
        "rope_parameters.partial_rotary_factor": (1.0,),
        "partial_rotary_factor": (1.0,),
        "attention_bias": (False,),
        "mlp_bias": (False,),
    },
    # fields that are written for other readers
    "written": {
        "hidden_act": "silu",
        "initializer_range": STD,
        "attention_dropout": 0.0,
        "bos_token_id": None,
        "eos_token_id": None,
    },
    # model_type -> what it has that others lack, and what differs above
    "variants": {
        "llama": {"has": {"qkv_bias": False, "qk_norm": False}},
        "qwen2": {
            "has": {"qkv_bias": True, "qk_norm": False},
            "architectures": ["Qwen2ForCausalLM"],
            "defaults": {"vocab_size": 151936, "context_length": 32768,
                         "kv_heads": 32, "hidden": 22016},
            "known": ALL_LAYERS_SEE_ALL,
        },
        "qwen3": {
            "has": {"qkv_bias": False, "qk_norm": True},
            "architectures": ["Qwen3ForCausalLM"],
            "defaults": {"vocab_size": 151936, "context_length": 32768,
                         "kv_heads": 32, "head_size": 128,
                         "hidden": 22016},
            "known": ALL_LAYERS_SEE_ALL,
        },
    },
}
