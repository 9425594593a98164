"""The matrix products of a training step and nothing else: the machine's floor."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npgpt.families.gpt2 import Config
from npgpt.layers.blockwise_attention import BLOCK
from npgpt.speed.threads import cut_batch, one_blas_thread, thread_pool


def products(config: Config, ids: np.ndarray) -> Callable[[], Any]:
    """The step's matrix products and nothing else, cut into the same shards,
    on the same threads, written over themselves."""
    B, T = ids.shape
    shards = [[(a, b, a @ b) for a, b in factors(config, part.stop - part.start, T)]
              for part in cut_batch(B, T)]

    def multiply(work: list) -> None:
        for a, b, out in work:
            np.matmul(a, b, out=out)

    def run() -> None:
        with one_blas_thread():
            list(thread_pool().map(multiply, shards))

    return run


def factors(config: Config, rows: int, T: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """What a shard multiplies: as much, and laid out, as the compiled step does."""
    R, C, H, D = rows * T, config.channels, config.heads, config.head_size
    normal = np.random.default_rng(0).standard_normal
    work: list[tuple[np.ndarray, np.ndarray]] = []
    blocks = [(C, 3 * C), (C, C), (C, 4 * C), (4 * C, C)] * config.layers
    head = (C, config.vocab_size)
    for I, O in [*blocks, head]:
        by_columns = config.tied if head == (I, O) else I >= O
        x, d_y = normal((R, I), dtype="f"), normal((R, O), dtype="f")
        weight = normal((I, O), dtype="f")
        if by_columns:
            weight = np.asfortranarray(weight)
        work += [(x, weight), (d_y.T, x) if by_columns else (x.T, d_y), (d_y, weight.T)]
    for _ in range(config.layers):
        qkv = normal((rows, T, 3, H, D), dtype="f").transpose(2, 0, 3, 1, 4)
        q, k, v = qkv
        for start in range(0, T, BLOCK):
            end = min(start + BLOCK, T)
            some, keys, values = q[:, :, start:end], k[:, :, :end], v[:, :, :end]
            probs = normal((rows, H, end - start, end), dtype="f")
            work += [(some, keys.swapaxes(-1, -2)), (probs, values),
                     (some, values.swapaxes(-1, -2)), (probs.swapaxes(-1, -2), some),
                     (probs, keys), (probs.swapaxes(-1, -2), some)]
    return work
