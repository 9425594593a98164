"""The checker is checked: it is red for what it must not let pass."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch

from npgpt.checking.blame import blame
from npgpt.checking.budgets import budgets, scales
from npgpt.checking.case import call_pair
from npgpt.checking.comparison import error_between
from npgpt.checking.components import CASES, make_case
from npgpt.checking.draw import Numbers, seeded_draw, telling_draw, telling_first
from npgpt.checking.guess import guess
from npgpt.checking.implementations import Stopped, numpy_implementation
from npgpt.checking.layouts import check_layouts
from npgpt.checking.recorder import Recorder
from npgpt.checking.trace import first_difference
from npgpt.checking.verdict import Verdict, other_bits, verdict
from npgpt.checking.witnesses import against, finite_difference, random_directions
from npgpt.layers import extend_cache, gelu_backward
from torchgpt.checking import stepwise_autograd_implementation, torch_implementation, witnesses


def case_of(component="layer_norm", **given):
    given = {"B": 2, "T": 3, "C": 4, "regime": "benign", **given}
    return make_case(component, seeded_draw(3, given))


def check(case, implementations):
    return verdict(case, implementations).findings


def one_that(change, name="other"):
    """NumPy's implementation, its results changed."""
    def run(case):
        return change(dict(case.call(numpy_implementation().find, case)))

    return replace(numpy_implementation(), name=name, run=run, packages=())


def words(findings):
    return "\n".join(map(str, findings))


def test_an_error_of_ours_is_no_candidate_s():
    """It comes as it is; one of another package says whose it is."""
    def fail(case):
        raise IndexError("here")

    case, ours = case_of(), replace(numpy_implementation(), run=fail)
    with pytest.raises(IndexError):
        ours.compute(case)
    with pytest.raises(Stopped, match="numpy stops with IndexError: here"):
        replace(ours, packages=("theirs",)).compute(case)


def test_green_for_itself():
    case = case_of()
    found = verdict(case, witnesses(case))
    assert found.findings == []
    assert set(found.ran) == {"numpy", "torch", "autograd", "complex step",
                              "numpy float32", "torch float32", "torch bfloat16"}


def test_red_for_not_a_number():
    no_number = one_that(lambda r: r | {"d_x": r["d_x"] * np.nan})
    findings = check(case_of(), [numpy_implementation(), no_number])
    assert "is not a number" in words(findings)


def test_red_for_an_array_compared_with_itself():
    kept = {}

    def remember(results):
        return {name: kept.setdefault(name, value) for name, value in results.items()}

    one = replace(one_that(remember, "one"), leave=lambda value: value)
    two = replace(one_that(remember, "two"), leave=lambda value: value)
    findings = check(case_of(), [one, two])
    assert "it would be compared with itself" in words(findings)


@pytest.mark.parametrize("component", ["layer_norm", "gelu", "softmax", "linear"])
def test_red_for_a_gradient_of_zeros(component):
    zero = one_that(lambda r: r | {"d_x": 0 * r["d_x"]})
    findings = check(case_of(component), [numpy_implementation(), zero])
    assert any(finding.value == "d_x" for finding in findings)


def test_red_for_a_witness_that_did_not_run():
    def forget(results):
        results.pop("d_weight")
        return results

    assert "did not run" in words(check(case_of(), [numpy_implementation(), one_that(forget)]))
    nothing = one_that(lambda results: results | {"d_x": None})
    assert "did not run" in words(check(case_of(), [numpy_implementation(), nothing]))


def test_red_for_another_shape_dtype_or_infinity():
    for change, what in (
            (lambda r: r | {"d_weight": r["d_weight"][:, None]}, "in shape"),
            (lambda r: r | {"y": r["y"].astype(np.float32)}, "is float32, not float64"),
            (lambda r: r | {"y": r["y"] * np.where(r["y"] > 0, np.inf, 1)}, "finite")):
        assert what in words(check(case_of(), [numpy_implementation(), one_that(change)]))


@pytest.mark.parametrize("factor", [0, 1 + 1e-15])
def test_red_for_an_input_that_is_written_to(factor):
    def run(case):
        results = call_pair(numpy_implementation().find, case)
        case.inputs["x"][:] *= factor
        return results

    other = replace(numpy_implementation(), name="other", run=run, packages=())
    assert "has been written to" in words(check(case_of(), [numpy_implementation(), other]))


def test_red_for_an_error_just_above_its_budget_and_green_below():
    case = case_of()
    for off, green in ((1e-16, True), (1e-13, False)):
        other = one_that(lambda r, off=off: r | {"y": r["y"] * (1 + off)})
        assert (check(case, [numpy_implementation(), other]) == []) == green


def test_red_for_a_small_error_of_a_composite_and_a_large_one_in_few_bits():
    case = make_case("block", seeded_draw(3, {"regime": "benign"}))
    off = one_that(lambda r: r | {"y": r["y"] * (1 + 1e-11)})
    found = words(check(case, [numpy_implementation(), off]))
    assert found.startswith("block: y of numpy and of other")
    case = case_of()

    def half_more_in_few_bits(own):
        results = call_pair(sound.find, own)
        return results | {"y": (1.0 if own.d_y.dtype == torch.float64 else 1.5) * results["y"]}

    for dtype in ("float32", "bfloat16"):
        sound = replace(torch_implementation(), few_bits=(dtype,))
        off = replace(sound, run=half_more_in_few_bits)
        assert check(case, [numpy_implementation(), sound]) == []
        assert f"in {dtype}" in words(check(case, [numpy_implementation(), off]))


def test_red_for_a_backward_that_is_wrong_for_one_upstream_entry_alone():
    """What a random upstream gradient, of which no entry is 0, never shows."""
    def find(name):
        def backward(d_y, saved):
            return gelu_backward(d_y, saved) * (2 if np.count_nonzero(d_y) == 1 else 1)

        return backward if name == "gelu_backward" else numpy_implementation().find(name)

    case = make_case("gelu", seeded_draw(3, {"B": 1, "T": 2, "C": 2, "regime": "benign"}))
    assert check(case, [numpy_implementation()]) == []
    assert "from the Jacobian" in words(check(case, [replace(numpy_implementation(), find=find)]))


def test_a_finite_difference_is_the_gradient_along_its_directions():
    case, ours = case_of(), numpy_implementation()
    directions = random_directions(case, Numbers(1))
    tried = finite_difference(case, ours.find, directions)
    assert tried == pytest.approx(against(ours.compute(case), directions), rel=1e-8)


def test_of_two_that_differ_the_last_is_blamed():
    involved = [numpy_implementation(), one_that(lambda r: r | {"y": 2 * r["y"]})]
    assert blame(check(case_of(), involved), involved) == "other"


def test_red_for_the_complex_step_alone():
    """Each has the same mistake; the derivative has not."""
    both = [one_that(lambda r: r | {"d_bias": 2 * r["d_bias"]}, name) for name in ("a", "b")]
    findings = check(case_of(), [replace(both[0], find=numpy_implementation().find), both[1]])
    assert "differs from the complex step" in words(findings)


def test_red_for_a_result_that_shares_memory_and_for_other_bits():
    def share(case):
        return call_pair(numpy_implementation().find, case) | {"d_x": case.d_y}

    case, sharing = case_of(), replace(numpy_implementation(), run=share)
    values, own = sharing.compute(case), sharing.native(case)
    found = Verdict(case, values={sharing.name: values}, size=scales(case, sharing, values))
    _, findings = check_layouts(found, sharing, sharing, own, sharing.results(own))
    assert "shares its memory" in words(findings)
    draws = np.random.default_rng(0)
    restless = one_that(lambda r: r | {"y": r["y"] + np.float32(1e-3) * draws.normal()})
    assert "other bits" in words(other_bits(case_of(), restless))


def test_shape_and_nan_are_infinite_errors():
    assert error_between(np.ones(3), np.ones(4))[0] == np.inf
    assert error_between(np.array([np.nan]), np.array([np.nan]))[0] == np.inf
    assert error_between(np.array([-np.inf]), np.array([-np.inf]))[0] == 0
    assert error_between(np.array([-np.inf]), np.array([np.inf]))[0] == np.inf


def test_what_float32_cannot_hold_is_no_error():
    """All keys but those of probability 1e-60 are dropped: float32 gives 0."""
    case = make_case("attention", seeded_draw(0, {
        "B": 1, "H": 1, "T": 1, "S": 5, "D": 3, "mask": "none", "dropout": True,
        "regime": "stress", "seed": 471}))
    assert 0 < np.abs(numpy_implementation().compute(case)["y"]).max() < 1e-50
    assert check(case, witnesses(case)) == []


def test_the_recorder_keeps_copies_parts_and_what_stood_before_each_statement():
    past = {"keys": np.zeros((1, 1, 3, 2)), "values": np.zeros((1, 1, 3, 2)), "start": 1}
    recorder = Recorder(("npgpt",), snapshots=[extend_cache.__code__])
    recorder.run(lambda: extend_cache(past, np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 2))))
    part = next(event for event in recorder.events if event.kind == "part")
    assert part.name == "keys[:, :, start:S]" and part.value.tolist() == [[[[1, 1]]]]
    lines = inspect.getsource(inspect.getmodule(extend_cache)).splitlines()
    assert lines[part.line - 1].strip().startswith(part.name)
    (call,) = recorder.calls
    assert call.path == "extend_cache" and call.result[0].shape == (1, 1, 2, 2)
    filled = [locals_["keys"].any() for locals_ in call.before.values() if "keys" in locals_]
    assert filled == [False, False, True, True]     # copies: what is written later is not there


def test_what_is_zero_whatever_the_numbers_has_no_room():
    for dtype in ("float64", "float32", "bfloat16"):
        allowed = budgets(case_of(), {"y": 0.0, "d_x": 1e-300}, dtype)
        assert allowed["y"] == 0 < allowed["d_x"]


# an eigenvector is one of two, and the libraries need not choose alike; step (4) of pca does
EITHER_WAY_ROUND = {"pca"}


@pytest.mark.parametrize("component", sorted(set(CASES) - EITHER_WAY_ROUND))
def test_the_halves_share_their_steps(component):
    """trace finds no difference where there is none, and something to
    compare."""
    case = make_case(component, seeded_draw(11))
    assert first_difference(case, torch_implementation(), numpy_implementation()) is None


def test_trace_against_autograd_step_by_step():
    for component in ("attention", "block", "gpt2.forward"):
        case = make_case(component, seeded_draw(1))
        by_autograd = stepwise_autograd_implementation()
        assert first_difference(case, by_autograd, numpy_implementation()) is None


def test_every_case_has_more_than_one_witness():
    for component in CASES:
        assert len(witnesses(make_case(component, seeded_draw(0)))) >= 3, component


RIGHT = np.arange(1.0, 13).reshape(3, 4)
SQUARE = np.arange(1.0, 10).reshape(3, 3) ** 2


@pytest.mark.parametrize(("wrong", "right", "what"), [
    (SQUARE.T, SQUARE, "transposed"),
    (RIGHT.T, RIGHT, "transposed"),
    (RIGHT / 8, RIGHT, "scaled by a constant, 0.125"),
    (-RIGHT, RIGHT, "opposite sign"),
    (0 * RIGHT, RIGHT, "all zero"),
    (RIGHT.sum(axis=0), RIGHT, "summed over one axis too many, axis 0"),
    (RIGHT.sum(axis=1, keepdims=True) + 0 * RIGHT, RIGHT, "summed over one axis too many, axis 1"),
    (RIGHT + 3, RIGHT, "shifted by a constant, 3"),
    (np.where(np.arange(4) == 2, 0, RIGHT), RIGHT, "right except for [2] on axis 1"),
    (RIGHT[::-1] * 1, RIGHT, "the right numbers in the wrong order"),
    (RIGHT * np.nan, RIGHT, "NaN"),
])
def test_guesses(wrong, right, what):
    assert what in guess(wrong, right)


@pytest.mark.parametrize(("factor", "what"), [
    (1 / 6, "1/6 = 1/(B·T): a mean for a sum?"), (3, "3 = T: a sum for a mean?"),
    (1 / 5, "1/5 = 1/C: a mean for a sum?"), (30, "30 = B·T·C: a sum for a mean?"),
    (5 ** 0.5, "√5 = √C: a division left out?"), (2 ** -0.5, "1/√2 = 1/√B: a division too many?"),
    (0.17, "0.17"), (7, "7"), (1 / 6 + 1e-5, "0.166677")])
def test_a_constant_is_explained_by_the_sizes(factor, what):
    found = guess(factor * RIGHT, RIGHT, {"B": 2, "T": 3, "C": 5})
    assert found == f"scaled by a constant, {what}"


def test_an_example_for_people_tells_sizes_apart():
    for component in CASES:
        case = make_case(component, telling_draw(3))
        sizes = [value for name, value in case.chosen.items()
                 if len(name) == 1 and type(value) is int]
        assert case.chosen.get("regime", "benign") == "benign"
        assert min(sizes, default=2) > 1, case
    sizes = make_case("linear", telling_draw(4)).chosen
    assert len({sizes[name] for name in "BIO"}) == 3


def test_options_that_tell_stand_first_and_none_is_lost():
    for options, first in ((range(1, 5), [2, 3, 4]), (["stress", "benign"], ["benign"]),
                           ([1], [1]), ([None, 3], [None, 3]), (range(1000), [0, 1]),
                           ([False, True], [False, True])):
        found = telling_first(list(options))
        assert found[:len(first)] == first and sorted(map(str, found)) == sorted(map(str, options))
