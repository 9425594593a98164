import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def swiglu(draw):
    B, T, F = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("F", range(1, 5))
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    std = 50.0 if regime == "stress" else 1.0
    inputs = {"gate": numbers.normal(B, T, F, std=std), "up": numbers.normal(B, T, F)}
    return PairCase(
        component="swiglu", inputs=inputs, d_y=numbers.normal(B, T, F), scale=swiglu_scale,
        laws=(a_gate_and_its_negative_differ_by_the_product, linear_in_up, one_row_at_a_time,
              linear_in_the_upstream_gradient),
        edges=(far_out,))


def swiglu_scale(case):
    """y = g · σ(g) · u; dy/dg adds g · σ · (1 − σ) to σ, as in silu."""
    gate, up, d_y = (np.abs(array) for array in (*case.inputs.values(), case.d_y))
    return {"y": gate * up, "d_gate": d_y * up * (1 + gate), "d_up": d_y * gate}


def a_gate_and_its_negative_differ_by_the_product(case, compute):
    """silu(g) − silu(−g) = g."""
    gate, up = case.inputs["gate"], case.inputs["up"]
    yield "y", compute(case)["y"] - compute(with_values(case, gate=-gate))["y"], gate * up


def linear_in_up(case, compute):
    """Twice up gives twice y; its gradient does not know how large it is."""
    before, after = compute(case), compute(with_values(case, up=2 * case.inputs["up"]))
    yield "y", after["y"] / 2, before["y"]
    yield "d_gate", after["d_gate"] / 2, before["d_gate"]
    yield "d_up", after["d_up"], before["d_up"]


def one_row_at_a_time(case, compute):
    """A position alone gives what it gives in company."""
    last = {name: array[-1:, -1:] for name, array in case.inputs.items()}
    whole, alone = compute(case), compute(with_values(case, **last, d_y=case.d_y[-1:, -1:]))
    for name in whole:
        yield name, alone[name], whole[name][-1:, -1:]


def far_out(package):
    """Where exp(−gate) overflows, and at 0."""
    gate, up = np.array([-800.0, 0.0, 800.0]), np.array([2.0, 3.0, -1.0])
    y, saved = run(package, "swiglu", gate, up)
    d_gate, d_up = back(package, "swiglu", np.ones(3), saved)
    yield "y", y, [0, 0, -800]
    yield "d_gate", d_gate, [0, 1.5, -1]
    yield "d_up", d_up, [0, 0, 800]
