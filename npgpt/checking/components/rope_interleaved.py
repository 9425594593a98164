import numpy as np

from npgpt.checking.case import replaced_component
from npgpt.checking.components._rope import case_of
from npgpt.checking.edges import back, run


def rope_interleaved(draw):
    return case_of(
        "rope_interleaved", draw, split_in_two_after_the_permutation, (a_quarter_turn,))


def split_in_two_after_the_permutation(case, compute):
    """The other layout's rotation of the same pairs, put into its order."""
    D = case.inputs["x"].shape[-1]
    theirs = np.arange(D).reshape(D // 2, 2).T.ravel()      # 0, 2, …, 1, 3, …
    before = compute(case)
    after = compute(replaced_component(
        case, "rope", x=case.inputs["x"][..., theirs], d_y=case.d_y[..., theirs]))
    for name in before:
        yield name, after[name], before[name][..., theirs]


def a_quarter_turn(package):
    """Channel 2i moves to 2i + 1; the one there to −2i."""
    x = np.array([1.0, 2, 3, 4]).reshape(1, 1, 1, 4)
    cos, sin = np.array([0.0, 1]).reshape(1, 1, 1, 2), np.array([1.0, 0]).reshape(1, 1, 1, 2)
    y, saved = run(package, "rope_interleaved", x, cos, sin)
    yield "y", y.ravel(), [-2, 1, 3, 4]
    yield "d_x", back(package, "rope_interleaved", y, saved).ravel(), [1, 2, 3, 4]
