import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def lora(draw):
    I, O = draw("I", range(1, 6)), draw("O", range(1, 6))
    # never as large as the rank: a forgotten 1/r would not show
    rank, alpha = draw("rank", [1, 2, 3]), draw("alpha", [16, 0.5, 6.0])
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    std = 100.0 if regime == "stress" else 1.0
    return PairCase(
        component="lora", params={"A": numbers.weight(I, rank), "B": numbers.normal(rank, O)},
        options={"weight": numbers.normal(I, O, std=std), "alpha": alpha},
        d_y=numbers.normal(I, O), scale=lora_scale,
        laws=(linear_in_the_upstream_gradient, unmerged_again, ranks_add_up),
        edges=(as_it_begins, one_input, no_rank_hides_alpha))


def lora_scale(case):
    A, B = np.abs(case.params["A"]), np.abs(case.params["B"])
    d_y, factor = np.abs(case.d_y), case.options["alpha"] / A.shape[1]
    return {"y": np.abs(case.options["weight"]) + factor * (A @ B),
            "d_A": factor * (d_y @ B.T), "d_B": factor * (A.T @ d_y)}


def unmerged_again(case, compute):
    """What was added can be taken off again: with -A, the weight is there."""
    merged = compute(case)["y"]
    back_again = with_values(case, weight=merged, A=-case.params["A"])
    yield "y", compute(back_again)["y"], case.options["weight"], back_again


def ranks_add_up(case, compute):
    """Each pair of a column and a row adds its own, by alpha / r."""
    A, B, weight = case.params["A"], case.params["B"], case.options["weight"]
    rank = A.shape[1]
    total = weight
    for i in range(rank):
        one = with_values(case, A=A[:, i:i + 1], B=B[i:i + 1], alpha=case.options["alpha"] / rank)
        total = total + (compute(one)["y"] - weight)
    yield "y", total, compute(case)["y"]


def as_it_begins(package):
    """B = 0: the weight as it is; nothing moves A yet, and B moves."""
    numbers = Numbers(1)
    weight, A = numbers.normal(3, 4), numbers.normal(3, 2)
    y, saved = run(package, "lora", weight, A, np.zeros((2, 4)), 6)
    grads = back(package, "lora", numbers.normal(3, 4), saved)
    yield "y", y, weight
    yield "d_A", grads["A"], np.zeros((3, 2))
    yield "whether each number of d_B moves", (grads["B"] != 0).all(), True


def one_input(package):
    y, saved = run(package, "lora", np.full((1, 1), 5.0), np.full((1, 1), 2.0),
                   np.full((1, 1), 3.0), 4)
    grads = back(package, "lora", np.ones((1, 1)), saved)
    yield "y", y, [[29]]
    yield "d_A", grads["A"], [[12]]
    yield "d_B", grads["B"], [[8]]


def no_rank_hides_alpha(package):
    """Four times the rank of the same columns is four times the update, by a quarter of it."""
    numbers = Numbers(2)
    weight, A, B = np.zeros((3, 4)), numbers.normal(3, 1), numbers.normal(1, 4)
    one, _ = run(package, "lora", weight, A, B, 8)
    four, _ = run(package, "lora", weight, np.repeat(A, 4, axis=1), np.repeat(B, 4, axis=0), 8)
    yield "y", four, one, 1e-13
