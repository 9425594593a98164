"""Layers: one file, one idea, forward beside backward, and beside both
PyTorch's own operator as the reference."""

from torchgpt.layers.attention import (
    attention,
    attention_backward,
    attention_reference,
)
from torchgpt.layers.blockwise_attention import (
    blockwise_attention,
    blockwise_attention_backward,
    blockwise_attention_reference,
)
from torchgpt.layers.cross_entropy import (
    cross_entropy,
    cross_entropy_backward,
    cross_entropy_reference,
)
from torchgpt.layers.dropout import (
    dropout,
    dropout_backward,
    dropout_reference,
)
from torchgpt.layers.embedding import (
    embedding,
    embedding_backward,
    embedding_reference,
)
from torchgpt.layers.flash_attention import (
    flash_attention,
    flash_attention_backward,
    flash_attention_reference,
)
from torchgpt.layers.gelu import gelu, gelu_backward, gelu_reference
from torchgpt.layers.heads import (
    merge_heads,
    merge_heads_backward,
    merge_heads_reference,
    repeat_heads,
    repeat_heads_backward,
    repeat_heads_reference,
    split_heads,
    split_heads_backward,
    split_heads_reference,
    split_qkv,
    split_qkv_backward,
    split_qkv_reference,
)
from torchgpt.layers.kv_cache import extend_cache
from torchgpt.layers.layer_norm import (
    layer_norm,
    layer_norm_backward,
    layer_norm_reference,
)
from torchgpt.layers.linear import (
    linear,
    linear_backward,
    linear_reference,
)
from torchgpt.layers.masks import (
    causal_mask,
    padded_positions,
    padding_mask,
)
from torchgpt.layers.position_embedding import (
    position_embedding,
    position_embedding_backward,
    position_embedding_reference,
)
from torchgpt.layers.recurrence import (
    recurrence,
    recurrence_backward,
    recurrence_reference,
)
from torchgpt.layers.rms_norm import (
    rms_norm,
    rms_norm_backward,
    rms_norm_reference,
)
from torchgpt.layers.rope import (
    rope,
    rope_angles,
    rope_backward,
    rope_interleaved,
    rope_interleaved_backward,
    rope_interleaved_reference,
    rope_reference,
)
from torchgpt.layers.silu import silu, silu_backward, silu_reference
from torchgpt.layers.sinusoids import sinusoids
from torchgpt.layers.softmax import (
    softmax,
    softmax_backward,
    softmax_reference,
)
from torchgpt.layers.swiglu import (
    swiglu,
    swiglu_backward,
    swiglu_reference,
)

__all__ = [
    "attention", "attention_backward", "attention_reference",
    "blockwise_attention", "blockwise_attention_backward",
    "blockwise_attention_reference", "causal_mask", "cross_entropy",
    "cross_entropy_backward", "cross_entropy_reference", "dropout",
    "dropout_backward", "dropout_reference", "embedding",
    "embedding_backward", "embedding_reference", "extend_cache",
    "flash_attention", "flash_attention_backward",
    "flash_attention_reference", "gelu", "gelu_backward",
    "gelu_reference", "layer_norm", "layer_norm_backward",
    "layer_norm_reference", "linear", "linear_backward",
    "linear_reference", "merge_heads", "merge_heads_backward",
    "merge_heads_reference", "padded_positions", "padding_mask",
    "position_embedding", "position_embedding_backward",
    "position_embedding_reference", "recurrence",
    "recurrence_backward", "recurrence_reference", "repeat_heads",
    "repeat_heads_backward", "repeat_heads_reference", "rms_norm",
    "rms_norm_backward", "rms_norm_reference", "rope", "rope_angles",
    "rope_backward", "rope_interleaved", "rope_interleaved_backward",
    "rope_interleaved_reference", "rope_reference", "silu",
    "silu_backward", "silu_reference", "sinusoids", "softmax",
    "softmax_backward", "softmax_reference", "split_heads",
    "split_heads_backward", "split_heads_reference", "split_qkv",
    "split_qkv_backward", "split_qkv_reference", "swiglu",
    "swiglu_backward", "swiglu_reference",
]
