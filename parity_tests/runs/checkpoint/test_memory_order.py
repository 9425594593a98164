"""Weights in the file's own memory order: the same numbers, read with one copy."""

import numpy as np

from npgpt.families.llama import Config
from npgpt.generation import generate
from npgpt.models import llama
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.runs.checkpoint.weights import is_transposed
from npgpt.training import init
from npgpt.tree import tree_leaves


def test_what_a_file_has_transposed_may_stay_so(tmp_path):
    config = Config(vocab_size=32, layers=2, heads=2, kv_heads=1, channels=16, tied=False)
    save_checkpoint(tmp_path / "model", config, init(llama, config, 1))
    plain = load_checkpoint(tmp_path / "model").params
    stored = load_checkpoint(tmp_path / "model", as_stored=True).params
    for (path, one), (_, other) in zip(tree_leaves(plain), tree_leaves(stored), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.flags.c_contiguous and one.flags.writeable, path
        assert other.flags.f_contiguous == (is_transposed(path, llama) or other.ndim == 1), path
        assert other.flags.writeable, path
    one, other = (list(generate(llama, params, config, [1, 2, 3], 20, temperature=0))
                  for params in (plain, stored))
    assert one == other
