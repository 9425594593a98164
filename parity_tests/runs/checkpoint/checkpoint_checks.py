"""A small model with its tokenizer, and what two trees of weights have in common."""

import numpy as np
from safetensors.numpy import load_file, save_file

from npgpt.models import gpt2
from npgpt.models.gpt2 import Config
from npgpt.text import CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_leaves, tree_map

TEXT = "hello, world\n"


def rough(config, seed, dtype=np.float32):
    """Weights of which none is 0 or 1, so that a mix-up shows."""
    draw = np.random.default_rng(seed)
    return tree_map(lambda array: (
        array + 0.1 * draw.standard_normal(array.shape)).astype(dtype), init(gpt2, config, seed))


def make(tied, **sizes):
    tokenizer = CharacterTokenizer.train(TEXT)
    config = Config(tokenizer.vocab_size, **{
        "context_length": 16, "layers": 2, "heads": 2, "channels": 8, "tied": tied, **sizes})
    return config, rough(config, 3), tokenizer


def equal(one, other):
    one, other = dict(tree_leaves(one)), dict(tree_leaves(other))
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        assert np.asarray(one[name]).dtype == np.asarray(other[name]).dtype


def edit(path, change):
    tensors = load_file(path / "model.safetensors")
    save_file(change(dict(tensors)), path / "model.safetensors")
