"""Flash attention makes no array of all scores, forward or backward."""

import tracemalloc

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

import npgpt.layers
import torchgpt.layers

B, H, D, SIZE = 1, 2, 4, 32


def drawn(T):
    rng = np.random.default_rng(T)
    return [rng.standard_normal((B, H, T, D), np.float32) for _ in range(4)]


def peak(attention, backward, T, **options):
    """The largest number of bytes that forward and backward hold at once."""
    q, k, v, d_y = drawn(T)
    tracemalloc.start()
    try:
        _, saved = attention(q, k, v, **options)
        backward(d_y, saved)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("causal", [False, True])
def test_its_memory_grows_as_the_length(causal):
    flash = npgpt.layers.flash_attention, npgpt.layers.flash_attention_backward
    plain = npgpt.layers.attention, npgpt.layers.attention_backward
    bytes_of = {T: peak(*flash, T, causal=causal, size=SIZE) for T in (512, 1024, 2048)}
    assert bytes_of[2048] < 2.1 * bytes_of[1024] < 4.4 * bytes_of[512]
    assert bytes_of[2048] < B * H * 2048 * 2048 * 4 / 4         # no float for each score
    assert peak(*plain, 512, causal=causal) > 3 * peak(*plain, 256, causal=causal)


class LargestTensor(TorchDispatchMode):
    """Notes how many numbers the largest result holds in memory of its own."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for each in tree_flatten(result)[0]:
            if torch.is_tensor(each):
                self.numbers = max(self.numbers, each.untyped_storage().nbytes() // 4)
        return result


def largest(attention, backward, T, **options):
    q, k, v, d_y = map(torch.from_numpy, drawn(T))
    with LargestTensor() as found:
        _, saved = attention(q, k, v, **options)
        backward(d_y, saved)
    return found.numbers


@pytest.mark.parametrize("causal", [False, True])
def test_no_tensor_holds_all_scores(causal):
    flash = torchgpt.layers.flash_attention, torchgpt.layers.flash_attention_backward
    plain = torchgpt.layers.attention, torchgpt.layers.attention_backward
    for T in (256, 1024):
        assert largest(*flash, T, causal=causal, size=SIZE) == B * H * T * SIZE
    assert largest(*plain, 256, causal=causal) == B * H * 256 * 256


@pytest.mark.parametrize("package", [npgpt, torchgpt], ids=["numpy", "torch"])
def test_causal_skips_what_no_query_sees(package, monkeypatch):
    """Of 4 tiles the last is compared with the last quarter of the queries alone."""
    module = __import__(f"{package.__name__}.layers.flash_attention", fromlist=["x"])
    original, rows = module.tile_scores, []

    def watched(*args):
        found = original(*args)
        rows.append(found[0].shape[2])
        return found

    monkeypatch.setattr(module, "tile_scores", watched)
    q, k, v, _ = drawn(128) if package is npgpt else map(torch.from_numpy, drawn(128))
    module.flash_attention(q, k, v, causal=True, size=32)
    assert rows == [128, 96, 64, 32]
    rows.clear()
    module.flash_attention(q[:, :, 96:], k, v, causal=True, size=32)    # T < S: all see the first
    assert rows == [32, 32, 32, 32]
