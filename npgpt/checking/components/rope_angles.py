import numpy as np

from npgpt.checking.case import FunctionCase, arguments
from npgpt.checking.components._rope import rotations
from npgpt.checking.edges import entered


def rope_angles(draw):
    B, T, D = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("D", [2, 4, 6, 8])
    theta, far = draw("theta", [100.0, 1e4, 5e5]), draw("far", [False, True])
    numbers = draw.numbers()
    options = {"positions": numbers.below(4000 if far else 9, B, T), "D": D, "theta": theta,
               "like": numbers.normal(2)}
    return FunctionCase(
        component="rope_angles", options=options, scale=angles_scale, call=call_angles,
        expected=expected_angles, edges=(in_few_bits, position_0_and_the_first_pair))


def call_angles(find, case):
    cos, sin = find("rope_angles")(**arguments(case))
    return {"cos": cos, "sin": sin}


def expected_angles(case):
    turns = rotations(*(case.options[name] for name in ("positions", "D", "theta")))
    return {"cos": turns.real, "sin": turns.imag}


def angles_scale(case):
    """An angle is rounded by u times itself; its frequency, θ to a power, by
    u · ln θ, too."""
    size = 1 + case.options["positions"].max() * np.log(case.options["theta"])
    return {"cos": size, "sin": size}


def in_few_bits(package):
    """The angles are those of float32, whatever the weights are stored in."""
    few = "bfloat16" if "bfloat16" in package.few_bits else "float16"
    positions = np.array([[0, 256, 257, 1000]])
    cos, sin = package.find("rope_angles")(
        entered(package, positions), 4, 10.0, package.enter(np.zeros(1), few))
    turns = rotations(positions, 4, 10.0)
    yield "cos", package.leave(cos), turns.real, 2.0 ** -8
    yield "sin", package.leave(sin), turns.imag, 2.0 ** -8
    yield "whether its format is that of the weights", str(cos.dtype).endswith(few), True


def position_0_and_the_first_pair(package):
    """Position 0 is not rotated; the first pair by its position, in radians."""
    cos, sin = package.find("rope_angles")(*entered(
        package, [np.array([[0, 1]]), 4, 1e4, np.zeros(1)]))
    yield "cos", package.leave(cos)[0, 0], [[1, 1], [np.cos(1), np.cos(0.01)]], 1e-15
    yield "sin", package.leave(sin)[0, 0], [[0, 0], [np.sin(1), np.sin(0.01)]], 1e-15
