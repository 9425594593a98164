"""Laws: what must hold whatever the right numbers are.

A law takes a case and `compute` (case -> results by name, in any half) and
yields (result, one way, another way): two arrays that must agree within
that result's budget, and, where the budget is not the case's own, the case
whose it is. It yields nothing where it does not apply."""

import numpy as np

from npgpt.checking.case import arguments, with_values
from npgpt.tree import tree_map


def row(tree, i):
    """Sequence i of everything that begins with the batch axis."""
    return tree_map(lambda array: array[i:i + 1], tree)


def batch_independent(case, compute):
    """A sequence computed alone gives what it gives in company."""
    names = [name for name in ("x", "q", "k", "v", "ids", "positions", "dropout_mask",
                               "dropout_masks", "state", "begins")
             if name in arguments(case) and arguments(case)[name] is not None]
    both = {name: arguments(case)[name] for name in names}
    for name in ("mask", "cos", "sin"):     # of one row where they are the same for all
        array = case.options.get(name)
        if array is not None and array.ndim == 4 and array.shape[0] > 1:
            both[name] = array
    whole = compute(case)
    for i in {0, len(case.d_y) - 1}:
        alone = with_values(case, **row(both, i), d_y=case.d_y[i:i + 1])
        values = compute(alone)
        yield "y", values["y"], whole["y"][i:i + 1]
        for name in case.inputs:
            yield f"d_{name}", values[f"d_{name}"], whole[f"d_{name}"][i:i + 1]


def shift_invariant(name, amount=3.0):
    """Adding a number to each row changes nothing, forward or backward."""
    def shifted_row_gives_the_same(case, compute):
        shifted = with_values(case, **{name: case.inputs[name] + amount})
        before, after = compute(case), compute(shifted)
        for result in before:
            yield result, after[result], before[result], shifted

    return shifted_row_gives_the_same


def gradient_rows_sum_to_zero(name):
    """A shift of a row changes nothing, so its gradient cannot point along
    the row."""
    def sums(case, compute):
        rows = compute(case)[f"d_{name}"].sum(axis=-1)
        yield f"d_{name}", rows, np.zeros_like(rows)

    return sums


def same_for_any_order_of_keys(case, compute):
    """Attention does not know the order of its keys, unless it is causal."""
    if case.options["causal"]:
        return
    reversed_order = {name: case.inputs[name][:, :, ::-1] for name in ("k", "v")}
    for name in ("mask", "dropout_mask"):
        mask = case.options[name]
        if mask is not None:
            reversed_order[name] = mask[..., ::-1]
    before, after = compute(case), compute(with_values(case, **reversed_order))
    yield "y", after["y"], before["y"]
    yield "d_q", after["d_q"], before["d_q"]
    yield "d_k", after["d_k"][:, :, ::-1], before["d_k"]
    yield "d_v", after["d_v"][:, :, ::-1], before["d_v"]


def blind_to_what_is_hidden(case, compute):
    """Other keys and values in the hidden places change nothing."""
    B, H, T, D = case.inputs["q"].shape
    S = case.inputs["k"].shape[2]
    mask = whole_mask(case.options["mask"], case.options["causal"], T, S)
    if mask is None:
        return
    hidden = ~np.broadcast_to(mask, (B, H, T, S)).any(axis=2)[..., None]
    changed = {name: np.where(hidden, -case.inputs[name] - 1, case.inputs[name])
               for name in ("k", "v")}
    before, after = compute(case), compute(with_values(case, **changed))
    for name in before:
        yield name, after[name], before[name]
    for name in ("d_k", "d_v"):
        yield name, np.where(hidden, before[name], 0.0), np.zeros_like(before[name])


def whole_mask(mask, causal, T, S):
    """mask, and what `causal` hides as well, flushed bottom-right; or None."""
    past = np.tri(T, S, S - T, dtype=bool)
    return mask if not causal else past if mask is None else mask & past


def causal(case, compute):
    """The last token changes nothing that is said before it."""
    tokens = case.options["ids"]
    if tokens.shape[1] < 2:
        return
    changed = tokens.copy()
    changed[:, -1] = 0
    before, after = compute(case), compute(with_values(case, ids=changed))
    yield "y", after["y"][:, :-1], before["y"][:, :-1]


def same_for_any_order_of_positions(case, compute):
    """What works on each position alone does not know their order."""
    reversed_order = {"x": case.inputs["x"][:, ::-1], "d_y": case.d_y[:, ::-1]}
    for name in ("dropout_mask", "dropout_masks"):
        if case.options.get(name) is not None:
            reversed_order[name] = tree_map(lambda mask: mask[:, ::-1], case.options[name])
    before, after = compute(case), compute(with_values(case, **reversed_order))
    for name in before:
        back = after[name][:, ::-1] if name in ("y", "d_x") else after[name]
        yield name, back, before[name]


def linear_in_the_upstream_gradient(case, compute):
    """Twice the upstream gradient gives twice each gradient."""
    before, after = compute(case), compute(with_values(case, d_y=2 * case.d_y))
    for name in before:
        if name.startswith("d_"):
            yield name, after[name] / 2, before[name]
