"""Every random draw of a run, the same in both halves and, rounded to
float32, on each machine.

A draw is named by (seed, step, name): the name of a weight, "batch",
"dropout.blocks.0.attention", "sample". Each name has a stream of its own,
so drawing one thing more or less never shifts another.
"""

from hashlib import blake2b
from math import prod

import numpy as np

AT_ONCE = 64  # draws that a stream makes together


def raw_draws(count, seed, step, name):
    """`count` random 64-bit integers for this seed, step and name."""
    return generator(seed, step, name).random_raw(count)


def generator(seed, step, name):
    """-> a bit generator at the start of its stream."""
    key = blake2b(f"{seed}/{step}/{name}".encode(), digest_size=16)
    words = np.frombuffer(key.digest(), dtype="<u8").astype(np.uint64)
    return np.random.Philox(key=words)


def uniforms(shape, seed, step, name):
    """float64 in [0, 1): the top 53 bits of each raw draw."""
    return unit(raw_draws(prod(shape), seed, step, name)).reshape(shape)


def uniform_stream(seed, step, name):
    """Yields the numbers of `uniforms` one by one, without end."""
    source = generator(seed, step, name)
    while True:
        yield from unit(source.random_raw(AT_ONCE))


def unit(raw):
    """64-bit integers -> float64 in [0, 1)."""
    return (raw >> np.uint64(11)) * 2.0**-53


def normals(shape, seed, step, name):
    """float64, mean 0 and standard deviation 1 (Box and Muller, 1958)."""
    count = prod(shape)
    pairs = (count + 1) // 2
    u = uniforms((2, pairs), seed, step, name)
    radius = np.sqrt(-2 * np.log1p(-u[0]))
    angle = 2 * np.pi * u[1]
    both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return both[:count].reshape(shape)
