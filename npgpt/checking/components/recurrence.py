from dataclasses import replace

import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def recurrence(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 7)), draw("C", range(1, 5))
    carried, several = draw("carried", [True, False]), draw("several_texts", [False, True])
    truncate, regime = draw("truncate", [None, 1, 2, 3]), draw("regime", REGIMES)
    frozen = draw("frozen", [False, True])
    numbers = draw.numbers()
    # under stress some channels saturate
    sizes = 1.0 if regime == "benign" else np.where(np.arange(C) % 2, 1.0, 30.0)
    inputs = {"x": numbers.normal(B, T, C) * sizes}
    if carried:
        inputs["state"] = np.float32(np.tanh(numbers.normal(B, C))).astype(np.float64)
    begins = numbers.uniform(B, T) < 0.3 if several else None
    return PairCase(
        component="recurrence", inputs=inputs, params={"weight": numbers.weight(C, C)},
        options={"begins": begins, "truncate": truncate}, d_y=numbers.normal(B, T, C),
        frozen=("",) if frozen else (), scale=recurrence_scale,
        laws=(a_linear_one_fades_by_g, cut_after_the_end_is_not_cut, in_two_pieces,
              later_tokens_change_nothing, batch_independent, linear_in_the_upstream_gradient),
        edges=(two_tokens_by_hand, a_saturated_state_hands_nothing_back,
               a_new_text_knows_nothing, nan_stays_in_its_text, no_rows),
        no_complex_step=no_step_where_it_is_cut(truncate, T))


def no_step_where_it_is_cut(truncate, T):
    cut = truncate is not None and truncate < T
    return "a gradient that is cut is not the derivative" if cut else ""


def recurrence_scale(case):
    """An error of a state is carried on, smaller by the slope of tanh; one of a gradient
    is that of the gradient behind it, and of the slope."""
    x, d_y, weight = case.inputs["x"], case.d_y, case.params["weight"]
    begins, truncate = case.options["begins"], case.options["truncate"]
    (B, T, C), sizes = x.shape, np.abs(weight)
    state, error = case.inputs.get("state", np.zeros((B, C))), np.zeros((B, C))
    steps = []
    for t in range(T):
        if begins is not None:
            state, error = (np.where(begins[:, t, None], 0, each) for each in (state, error))
        before = np.abs(state) + error
        mixed, last = x[:, t] + state @ weight, state
        state, slope = np.tanh(mixed), 1 / np.cosh(mixed) ** 2
        error = slope * (np.abs(x[:, t]) + before @ sizes) + np.abs(state)
        steps.append((last, before, state, error, slope))
    d_state, d_error = np.zeros((B, C)), np.zeros((B, C))
    d_x, d_weight = np.zeros(x.shape), np.zeros(weight.shape)
    for t in reversed(range(T)):
        last, before, state, error, slope = steps[t]
        d_after = d_y[:, t] + d_state
        d_mixed = d_after * slope
        d_error = (slope * (np.abs(d_y[:, t]) + d_error) + np.abs(d_mixed)
                   + 2 * np.abs(d_after * state) * error)
        d_x[:, t], d_weight = d_error, d_weight + before.T @ d_error
        d_state, d_error = d_mixed @ weight.T, d_error @ sizes.T
        cut = truncate is not None and t > 0 and t % truncate == 0
        goes_on = np.full((B, 1), not cut)
        if begins is not None:
            goes_on &= ~begins[:, t, None]
        d_state, d_error = d_state * goes_on, d_error * goes_on
    return {"y": np.max([np.abs(step[2]) + step[3] for step in steps]), "d_x": d_x,
            "d_state": np.abs(d_state) + d_error, "d_weight": d_weight}


def a_linear_one_fades_by_g(case, compute, g=0.75):
    """Around 0 tanh is linear: with g · (an orthogonal matrix) for weight, a gradient is
    shorter by g for each token that it goes back."""
    (B, T, C) = case.d_y.shape
    orthogonal = np.linalg.qr(case.params["weight"])[0]
    only_last = np.where(np.arange(T)[:, None] == T - 1, case.d_y, 0.0)
    zeros = {"x": np.zeros((B, T, C)), "state": np.zeros((B, C))}
    linear = replace(case, inputs=zeros, params={"weight": g * orthogonal}, d_y=only_last,
                     options={"begins": None, "truncate": None})
    found, length = compute(linear), np.linalg.norm(case.d_y[:, -1], axis=-1)
    yield "d_state", np.linalg.norm(found["d_state"], axis=-1), g ** T * length, linear
    for t in range(T):
        yield ("d_x", np.linalg.norm(found["d_x"][:, t], axis=-1), g ** (T - 1 - t) * length,
               linear)


def cut_after_the_end_is_not_cut(case, compute):
    """A gradient that may go back T tokens, or more, is the whole gradient."""
    T = case.d_y.shape[1]
    whole = with_values(case, truncate=None)
    before = compute(whole)
    after = compute(with_values(case, truncate=T + len(case.d_y) - 1))
    for name in before:
        yield name, after[name], before[name], whole


def in_two_pieces(case, compute):
    """The second half of a text goes on from the state that the first one left; its
    gradient goes back through that state, unless it is cut there."""
    T, truncate = case.d_y.shape[1], case.options["truncate"]
    middle = T // 2 if truncate is None else (T // 2) // truncate * truncate
    if middle == 0:
        return

    def piece(rows, d_y, **more):
        begins = case.options["begins"]
        return replace(case, d_y=d_y, inputs={
            **case.inputs, "x": case.inputs["x"][:, rows], **more}, options={
                "truncate": truncate, "begins": None if begins is None else begins[:, rows]})

    first, rest = slice(0, middle), slice(middle, None)
    states = compute(piece(first, case.d_y[:, first]))["y"]
    last = compute(piece(rest, case.d_y[:, rest], state=states[:, -1]))
    d_first = case.d_y[:, first].copy()
    if truncate is None:
        d_first[:, -1] += last["d_state"]
    earlier, whole = compute(piece(first, d_first)), compute(case)
    for name in ("y", "d_x"):
        yield name, np.concatenate([earlier[name], last[name]], axis=1), whole[name]
    if "d_weight" in whole:
        yield "d_weight", earlier["d_weight"] + last["d_weight"], whole["d_weight"]


def later_tokens_change_nothing(case, compute):
    changed = case.inputs["x"].copy()
    changed[:, -1] = 3.0
    before, after = compute(case), compute(with_values(case, x=changed))
    yield "y", after["y"][:, :-1], before["y"][:, :-1]


def two_tokens_by_hand(package):
    """One channel: h₁ = tanh(x₁ + 2h₀), h₂ = tanh(x₂ + 2h₁)."""
    x, state = np.array([[[0.5], [-1.0]]]), np.array([[0.25]])
    states, saved = run(package, "recurrence", x, np.array([[2.0]]), state)
    d_x, d_state, grads = back(package, "recurrence", np.array([[[0.0], [1.0]]]), saved)
    first = np.tanh(1.0)
    second = np.tanh(2 * first - 1)
    slope_1, slope_2 = 1 - first ** 2, 1 - second ** 2
    yield "the states", states.ravel(), [first, second], 1e-15
    yield "d_x", d_x.ravel(), [2 * slope_1 * slope_2, slope_2], 1e-15
    yield "d_state", d_state, [[4 * slope_1 * slope_2]], 1e-15
    yield "d_weight", grads["weight"], [[first * slope_2 + 0.25 * 2 * slope_1 * slope_2]], 1e-15


def a_saturated_state_hands_nothing_back(package):
    x = np.array([[[50.0, -50.0], [50.0, 50.0]]])
    states, saved = run(package, "recurrence", x, np.eye(2))
    d_x, d_state, grads = back(package, "recurrence", np.ones((1, 2, 2)), saved)
    yield "the states", states, [[[1, -1], [1, 1]]]
    yield "d_x", d_x, np.zeros((1, 2, 2))
    yield "d_state", d_state, np.zeros((1, 2))
    yield "d_weight", grads["weight"], np.zeros((2, 2))


def a_new_text_knows_nothing(package):
    """What begins in the middle gives what it gives alone."""
    numbers = Numbers(1)
    x, weight, d_y = numbers.normal(1, 5, 3), numbers.weight(3, 3), numbers.normal(1, 5, 3)
    begins = np.arange(5)[None] == 2
    together, saved = run(package, "recurrence", x, weight, numbers.normal(1, 3), begins)
    d_together = back(package, "recurrence", d_y, saved)[0]
    alone, saved = run(package, "recurrence", x[:, 2:], weight)
    yield "the states", together[:, 2:], alone, 1e-15
    yield "d_x", d_together[:, 2:], back(package, "recurrence", d_y[:, 2:], saved)[0], 1e-15


def nan_stays_in_its_text(package):
    x, begins = np.zeros((2, 3, 2)), np.arange(3)[None] == [[2], [0]]
    x[:, 1] = np.nan
    states, _ = run(package, "recurrence", x, np.eye(2), None, begins)
    yield "where a state is NaN", np.isnan(states).all(axis=2), [[0, 1, 0], [0, 1, 1]]


def no_rows(package):
    weight = Numbers(2).weight(3, 3)
    states, saved = run(package, "recurrence", np.zeros((0, 4, 3)), weight)
    d_x, d_state, grads = back(package, "recurrence", np.zeros((0, 4, 3)), saved)
    yield "the shape of the states", states.shape, (0, 4, 3)
    yield "the shape of d_x", d_x.shape, (0, 4, 3)
    yield "the shape of d_state", d_state.shape, (0, 3)
    yield "d_weight", grads["weight"], np.zeros((3, 3))
