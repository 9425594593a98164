"""The composites: they call leaves and hold no arithmetic but sums."""

from torchgpt.model.block import block, block_backward
from torchgpt.model.feed_forward import (
    feed_forward,
    feed_forward_backward,
)
from torchgpt.model.gpt import gpt, gpt_backward
from torchgpt.model.gpt_cached import gpt_cached
from torchgpt.model.init import init_gpt
from torchgpt.model.multi_head import multi_head, multi_head_backward

__all__ = [
    "block", "block_backward", "feed_forward", "feed_forward_backward",
    "gpt", "gpt_backward", "gpt_cached", "init_gpt", "multi_head",
    "multi_head_backward",
]
