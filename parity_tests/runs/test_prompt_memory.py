"""How much memory it takes to read a long prompt."""

import tracemalloc

import numpy as np

from npgpt.blocks import block
from npgpt.generation import empty_cache
from npgpt.models import gpt2
from npgpt.training import init

TOKENS = 2048


def peak(work):
    """The most bytes that work() held above what was there before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_prompt_that_is_read_with_a_cache_holds_one_block_at_a_time():
    """At M's width: weights and cache aside, six blocks take little more than one."""
    config = gpt2.Config(
        vocab_size=8, context_length=TOKENS, layers=6, heads=6, channels=384)
    params = init(gpt2, config)
    cache = empty_cache(gpt2, config, 1, params)
    ids = np.arange(TOKENS)[None] % 8
    x = np.ones((1, TOKENS, config.channels), np.float32)
    one_block = peak(lambda: block(x, params["blocks"][0], config.heads))
    whole = peak(lambda: gpt2.forward(params, ids, config, cache=cache))
    assert whole <= 1.25 * one_block
