"""Blocks: made of layers, with no arithmetic but sums."""

from npgpt.blocks.block import block, block_backward
from npgpt.blocks.mlp import mlp, mlp_backward
from npgpt.blocks.multi_head_attention import (
    multi_head_attention,
    multi_head_attention_backward,
)

__all__ = [
    "block", "block_backward", "mlp", "mlp_backward",
    "multi_head_attention", "multi_head_attention_backward",
]
