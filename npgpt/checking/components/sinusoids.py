import numpy as np

from npgpt.checking.case import FunctionCase, arguments, with_values
from npgpt.checking.edges import entered


def sinusoids(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("C", [2, 4, 6, 8])
    far = draw("far", [False, True])
    numbers = draw.numbers()
    options = {"positions": numbers.below(4000 if far else 9, B, T), "C": C,
               "like": numbers.normal(2)}
    return FunctionCase(
        component="sinusoids", options=options, scale=sinusoids_scale, call=call_sinusoids,
        expected=waves,
        laws=(products_depend_on_the_distance,), edges=(in_few_bits, position_0_and_the_first_pair))


def call_sinusoids(find, case):
    return {"y": find("sinusoids")(**arguments(case))}


def waves(case):
    """Real and imaginary parts of exp(i · angle), each frequency as a power of e."""
    positions, C = case.options["positions"], case.options["C"]
    frequencies = np.exp(np.arange(C // 2) * -np.log(1e4) / (C / 2))
    turns = np.exp(1j * np.multiply.outer(positions, frequencies))
    y = np.empty((*positions.shape, C))
    y[..., ::2], y[..., 1::2] = turns.imag, turns.real
    return {"y": y}


def sinusoids_scale(case):
    """An angle is rounded by u times itself; its frequency, 10000 to a power, by
    u · ln 10000, too."""
    return {"y": 1 + case.options["positions"].max() * np.log(1e4)}


def products_depend_on_the_distance(case, compute):
    """The product of two positions' vectors stays when both move along by 3."""
    found = []
    for start in (0, 3):
        y = compute(with_values(case, positions=np.array([[start, start + 2]])))["y"]
        found.append((y[:, 0] * y[:, 1]).sum(axis=-1) / case.options["C"])
    yield "y", *found, with_values(case, positions=np.array([[3, 5]]))


def in_few_bits(package):
    """The angles are those of float32, whatever the weights are stored in."""
    few = "bfloat16" if "bfloat16" in package.few_bits else "float16"
    positions = np.array([[0, 256, 257, 1000]])
    y = package.find("sinusoids")(
        entered(package, positions), 4, package.enter(np.zeros(1), few))
    angles = np.multiply.outer(positions, [1.0, 0.01])
    wanted = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(1, 4, 4)
    yield "y", package.leave(y), wanted, 2.0 ** -8
    yield "whether its format is that of the weights", str(y.dtype).endswith(few), True


def position_0_and_the_first_pair(package):
    """Position 0 is sine 0 and cosine 1; the first pair's angle is the position, in radians."""
    y = package.leave(package.find("sinusoids")(*entered(
        package, [np.array([[0, 1]]), 4, np.zeros(1)])))
    yield "y of 0", y[0, 0], [0, 1, 0, 1], 1e-15
    yield "y of 1", y[0, 1], [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)], 1e-15
