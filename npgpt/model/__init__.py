"""The composites: they call leaves and hold no arithmetic but sums."""

from npgpt.model.block import block, block_backward
from npgpt.model.config import Config
from npgpt.model.feed_forward import feed_forward, feed_forward_backward
from npgpt.model.gpt import gpt, gpt_backward
from npgpt.model.gpt_cached import gpt_cached
from npgpt.model.init import init_gpt
from npgpt.model.multi_head import multi_head, multi_head_backward

__all__ = [
    "Config", "block", "block_backward", "feed_forward",
    "feed_forward_backward", "gpt", "gpt_backward", "gpt_cached",
    "init_gpt", "multi_head", "multi_head_backward",
]
