"""What the cases of RoPE share: angles by another formula, and its laws."""

import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient

THETA = 100.0


def rotations(positions, D, theta):
    """exp(i · angle) (B, 1, T, D/2), each frequency as a power of e."""
    frequencies = np.exp(np.arange(D // 2) * -np.log(theta) / (D / 2))
    return np.exp(1j * np.multiply.outer(positions, frequencies))[:, None]


def cos_and_sin(positions, D):
    turns = rotations(positions, D, THETA)
    return {"cos": turns.real.copy(), "sin": turns.imag.copy()}


def case_of(component, draw, other_law, edges):
    """other_law: how it compares with the other order of the channels."""
    B, H, T = draw("B", range(1, 4)), draw("H", range(1, 4)), draw("T", range(1, 5))
    D, regime = draw("D", [2, 4, 6, 8]), draw("regime", REGIMES)
    order = draw("positions", ["counted", "given"])
    numbers = draw.numbers()
    positions = np.arange(T)[None] if order == "counted" else numbers.below(50, B, T)
    std = 30.0 if regime == "stress" else 1.0
    return PairCase(
        component=component, inputs={"x": numbers.normal(B, H, T, D, std=std)},
        options=cos_and_sin(positions, D), d_y=numbers.normal(B, H, T, D),
        scale=rope_scale,
        laws=(keeps_the_norm, scores_depend_on_the_distance, the_position_0_is_the_identity,
              its_gradient_is_rotated_back, other_law, batch_independent,
              linear_in_the_upstream_gradient),
        edges=edges)


def rope_scale(case):
    """Each number is a sum of two, of the size of its pair."""
    return {"y": 2 * np.abs(case.inputs["x"]).max(), "d_x": 2 * np.abs(case.d_y).max()}


def keeps_the_norm(case, compute):
    x, y = case.inputs["x"], compute(case)["y"]
    yield "y", np.sqrt((y * y).mean(axis=-1)), np.sqrt((x * x).mean(axis=-1))


def the_position_0_is_the_identity(case, compute):
    at_0 = with_values(case, **cos_and_sin(np.zeros((1, 1)), case.inputs["x"].shape[-1]))
    found = compute(at_0)
    yield "y", found["y"], case.inputs["x"]
    yield "d_x", found["d_x"], case.d_y


def its_gradient_is_rotated_back(case, compute):
    """The gradient of what has been rotated is what it was before."""
    y = compute(case)["y"]
    yield "y", compute(with_values(case, d_y=y))["d_x"], case.inputs["x"]


def scores_depend_on_the_distance(case, compute):
    """One vector at two positions, both moved along by 3: their product stays."""
    x = case.inputs["x"][:, :, :1]
    B, H, _, D = x.shape
    pair = np.concatenate([x, case.d_y[:, :, :1]], axis=2)
    scores = []
    for start in (0, 3):
        moved = with_values(case, x=pair, d_y=pair,
                            **cos_and_sin(np.array([[start, start + 2]]), D))
        y = compute(moved)["y"]
        scores.append((y[:, :, 0] * y[:, :, 1]).sum(axis=-1))
    size = 2 * D * max(np.abs(pair).max(), 1.0)
    yield "y", scores[0] / size, scores[1] / size, moved
