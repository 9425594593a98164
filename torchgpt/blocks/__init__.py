"""Blocks: made of layers, with no arithmetic but sums."""

from torchgpt.blocks.block import block, block_backward
from torchgpt.blocks.mlp import feed_forward, feed_forward_backward
from torchgpt.blocks.multi_head_attention import (
    multi_head,
    multi_head_backward,
)

__all__ = [
    "block", "block_backward", "feed_forward", "feed_forward_backward",
    "multi_head", "multi_head_backward",
]
