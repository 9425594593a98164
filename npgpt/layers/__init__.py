"""Layers: one file, one idea, forward beside backward."""

from npgpt.layers.attention import attention, attention_backward
from npgpt.layers.blockwise_attention import (
    blockwise_attention,
    blockwise_attention_backward,
)
from npgpt.layers.cross_entropy import (
    cross_entropy,
    cross_entropy_backward,
)
from npgpt.layers.dropout import dropout, dropout_backward
from npgpt.layers.embedding import embedding, embedding_backward
from npgpt.layers.flash_attention import (
    flash_attention,
    flash_attention_backward,
)
from npgpt.layers.gelu import gelu, gelu_backward
from npgpt.layers.heads import (
    merge_heads,
    merge_heads_backward,
    repeat_heads,
    repeat_heads_backward,
    split_heads,
    split_heads_backward,
    split_qkv,
    split_qkv_backward,
)
from npgpt.layers.kv_cache import extend_cache
from npgpt.layers.layer_norm import layer_norm, layer_norm_backward
from npgpt.layers.linear import linear, linear_backward
from npgpt.layers.masks import (
    causal_mask,
    padded_positions,
    padding_mask,
)
from npgpt.layers.position_embedding import (
    position_embedding,
    position_embedding_backward,
)
from npgpt.layers.recurrence import recurrence, recurrence_backward
from npgpt.layers.rms_norm import rms_norm, rms_norm_backward
from npgpt.layers.rope import (
    rope,
    rope_angles,
    rope_backward,
    rope_interleaved,
    rope_interleaved_backward,
)
from npgpt.layers.silu import silu, silu_backward
from npgpt.layers.sinusoids import sinusoids
from npgpt.layers.softmax import softmax, softmax_backward
from npgpt.layers.swiglu import swiglu, swiglu_backward

__all__ = [
    "attention", "attention_backward", "blockwise_attention",
    "blockwise_attention_backward", "causal_mask", "cross_entropy",
    "cross_entropy_backward", "dropout", "dropout_backward",
    "embedding", "embedding_backward", "extend_cache",
    "flash_attention", "flash_attention_backward", "gelu",
    "gelu_backward", "layer_norm", "layer_norm_backward", "linear",
    "linear_backward", "merge_heads", "merge_heads_backward",
    "padded_positions", "padding_mask", "position_embedding",
    "position_embedding_backward", "recurrence", "recurrence_backward",
    "repeat_heads", "repeat_heads_backward", "rms_norm",
    "rms_norm_backward", "rope", "rope_angles", "rope_backward",
    "rope_interleaved", "rope_interleaved_backward", "silu",
    "silu_backward", "sinusoids", "softmax", "softmax_backward",
    "split_heads", "split_heads_backward", "split_qkv",
    "split_qkv_backward", "swiglu", "swiglu_backward",
]
