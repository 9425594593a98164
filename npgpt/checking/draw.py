"""Where a case's shape, regime and seed come from.

A case asks `draw("T", range(1, 7))` for each choice by name. The command
line picks from a seed, the tests let Hypothesis pick, and a failure is
replayed by giving the choices themselves."""

import random

import numpy as np

from npgpt.errors import InputError
from npgpt.random_stream import normals, uniforms

REGIMES = ("benign", "stress")


class Draw:
    """pick(options) chooses one; `given` names choices that are fixed; `sizes` those that
    may lie outside the options."""

    def __init__(self, pick, given=None, sizes=None):
        self.pick, self.given, self.sizes = pick, given or {}, sizes or {}
        self.chosen = {}

    def __call__(self, name, options):
        options = list(options)
        if name in self.given:
            value = as_option(name, self.given[name], options)
        elif name in self.sizes:
            value = self.sizes[name]
        else:
            value = self.pick(options)
        self.chosen[name] = value
        return value

    def numbers(self):
        """The arrays' source: all that is random and not a choice."""
        return Numbers(self("seed", range(1000)))


def seeded_draw(seed, given=None):
    return Draw(random.Random(seed).choice, given)


def telling_draw(seed, given=None):
    """An example for people: benign numbers, and sizes that are small, above 1 and all
    different, so that no two axes and no two mistakes look alike."""
    source, used = random.Random(seed), set()

    def pick(options):
        options = telling(options)
        if are_sizes(options):
            options = [size for size in options if size not in used] or options
            options = options[:3]
        option = source.choice(options)
        if are_sizes(options):
            used.add(option)
        return option

    return Draw(pick, given)


# of an exercise's example: all different, and none is 1, 2, 3 or the square of one of them,
# which are factors that formulas have as well
MIDDLE = {"B": 5, "T": 7, "S": 10, "H": 6, "D": 8, "C": 6, "I": 6, "O": 10, "V": 11, "F": 12,
          "M": 13, "G": 14,
          "K": 3, "group": 2, "axes": 3, "start": 2, "spare": 1, "earlier": 2, "size": 3,
          "layers": 2}
# what its first one has: each part of the component, and nothing odd
PLAIN = {"dropout": True, "causal": True, "bias": True, "ignored": True, "skipped": True,
         "rate": 0.25}


def middle_draw(seed):
    """An example for an exercise: benign numbers, sizes in the middle; the first, of seed 0,
    has all parts."""
    def pick(options):
        options = [option for option in telling(options) if option != 1.0]
        return source.choice(options) if seed else options[0]

    source = random.Random(seed)
    return Draw(pick, {} if seed else PLAIN, MIDDLE)


def telling(options):
    """The options that show a mistake: benign numbers, sizes above 1."""
    if "benign" in options:
        return ["benign"]
    return [size for size in options if size > 1] or options if are_sizes(options) else options


def telling_first(options):
    """The same options, those that show a mistake before the others."""
    first = telling(options)
    return [*first, *(option for option in options if option not in first)]


def are_sizes(options):
    """True for a range such as 1 to 6, no numbers to choose a seed from."""
    return len(options) < 20 and all(type(option) is int and option > 0 for option in options)


def as_option(name, text, options):
    """The option that is written like `text`. Raises InputError."""
    for option in options:
        if str(option) == str(text):
            return option
    raise InputError(f"{name}={text} is none of {', '.join(map(str, options))}")


class Numbers:
    """Random arrays from a seed. Floats are float64 that float32 holds
    exactly, so that both precisions compute on the same numbers."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def normal(self, *shape, std=1.0, mean=0.0):
        self.count += 1
        drawn = mean + std * normals(shape, self.seed, 0, f"case.{self.count}")
        return drawn.astype(np.float32).astype(np.float64)

    def uniform(self, *shape):
        self.count += 1
        return uniforms(shape, self.seed, 0, f"case.{self.count}")

    def weight(self, inputs, outputs):
        """Standard deviation 1/√inputs: sums stay of order one."""
        return self.normal(inputs, outputs, std=inputs ** -0.5)

    def below(self, high, *shape):
        """Whole numbers from 0 to high - 1."""
        return (self.uniform(*shape) * high).astype(np.int64)

    def dropout_mask(self, *shape, rate=0.25):
        """A dropout mask: 0, or 1/(1 - rate)."""
        scale = 1 / (1 - rate) if rate < 1 else 0.0
        return (self.uniform(*shape) >= rate) * np.float64(np.float32(scale))
