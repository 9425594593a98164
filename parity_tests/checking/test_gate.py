"""Nothing public is unproven; and the gate is red where something is."""

import pytest

import npgpt.layers
from npgpt.checking.case import is_pair
from npgpt.checking.components import CASES, make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.implementations import numpy_implementation
from npgpt.checking.tally import Tally
from npgpt.checking.verdict import Verdict, verdict
from parity_tests.checking.gate import complaints
from torchgpt.checking import witnesses


def test_nothing_is_left_unproven():
    assert list(complaints()) == []


@pytest.mark.parametrize("component", CASES)
def test_every_witness_ran(component):
    """A witness that steps aside in one case must have run in another."""
    tally, seen = Tally(component), []
    for seed in range(40):
        case = make_case(component, seeded_draw(seed))
        tally.add(verdict(case, witnesses(case)))
        seen.append(is_pair(case))
        needed = {"numpy", "torch"}
        if any(seen):
            needed |= {"autograd", "complex step", "numpy float32", "torch float32",
                       "torch bfloat16"}
        else:
            needed |= {"expected"}
        if component in ("gpt2.forward", "llama.forward", "recurrent.forward", "loss_and_grads"):
            needed |= {"module"}
        if needed <= tally.witnesses:
            break
    assert needed <= tally.witnesses, needed - tally.witnesses


def test_red_for_a_public_function_without_a_case():
    less = {name: case for name, case in CASES.items() if name in ("linear", "dropout")}
    found = list(complaints(less, examples=3))
    assert "npgpt: gelu has no case" in found
    assert "torchgpt: gelu_backward has no case" in found


def test_red_for_a_branch_and_an_option_without_an_example():
    fewer = {"position_embedding": without_positions(CASES["position_embedding"])}
    found = list(complaints(fewer, examples=12))
    what = "`positions is None` in position_embedding was always true"
    assert any(what in line for line in found), found
    assert "position_embedding: positions was always left at its default" in found


def without_positions(position_embedding):
    def case(draw):
        draw.given["given"] = False
        return position_embedding(draw)

    return case


def test_red_for_trivial_shapes_and_dead_gradients():
    tally = Tally("layer_norm")
    for seed in range(5):
        case = make_case("layer_norm", seeded_draw(seed, {"B": 1, "T": 1, "C": 1}))
        values = {"numpy": numpy_implementation().compute(case)}
        tally.add(Verdict(case, values=values, ran=["numpy"]))
    found = list(tally.complaints())
    assert "layer_norm: only trivial shapes were drawn" in found
    assert "layer_norm: d_x was zero in every example" in found
    assert "layer_norm: C was always 1" in found


def test_an_unknown_public_function_is_seen(monkeypatch):
    monkeypatch.setattr(npgpt.layers, "__all__", [*npgpt.layers.__all__, "padding_mask_backward"])
    monkeypatch.setattr(npgpt.layers, "padding_mask_backward", npgpt.layers.padding_mask,
                        raising=False)
    found = list(complaints({"dropout": CASES["dropout"]}, examples=2))
    assert "npgpt: padding_mask_backward has no case" in found
