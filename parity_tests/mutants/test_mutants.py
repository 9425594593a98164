"""Each mistake is found within 50 examples, by a number that differs, and
the step it sits in is named."""

import pytest

from parity_tests.mutants import (
    encoder_decoder,
    foundations,
    generation,
    layers,
    llama,
    lora,
    model,
    planting,
    preferences,
    recurrent,
    training,
    word2vec,
)
from parity_tests.mutants.planting import components, hunt
from parity_tests.suite import MUTANTS

LATER = (
    encoder_decoder,
    foundations,
    llama,
    lora,
    preferences,
    recurrent,
    word2vec,
)
ALL = [*layers.MUTANTS, *model.MUTANTS, *training.MUTANTS, *generation.MUTANTS,
       *(mutant for part in LATER for mutant in part.MUTANTS)]
EQUIVALENT = [mutant for part in LATER for mutant in getattr(part, "EQUIVALENT", [])]


def slow(mutant):
    """Of later parts all but the first of each layer: a second or more each, for the
    acceptance profile."""
    if not any(mutant in part.MUTANTS for part in LATER):
        return False
    room = mutant.file.split("/")[1]
    first = next(m for m in ALL if m.file == mutant.file)
    return room not in ("foundations", "layers", "finetuning") or mutant != first


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # mistakes may make NaN
@pytest.mark.parametrize("mutant", [pytest.param(
    m, id=f"{m.file}: {m.what}", marks=[pytest.mark.acceptance] if slow(m) else []) for m in ALL])
def test_killed(mutant):
    component, step = mutant.place()
    killed = MUTANTS.setdefault(component, {})
    killed[f"{mutant.file}: {mutant.what}"] = False
    _, findings, difference = hunt(mutant)
    assert findings, "survived: no check noticed within 50 examples"
    killed[f"{mutant.file}: {mutant.what}"] = True
    assert difference, f"killed, but no step named:\n{findings[0]}"
    named = components().get(difference.key.function, component)
    assert (named, difference.key.step) == (component, step), str(difference)


@pytest.mark.acceptance
@pytest.mark.parametrize("change", [pytest.param(m, id=f"{m.file}: {m.what}")
                                    for m in EQUIVALENT])
def test_what_is_equivalent_survives(change, monkeypatch):
    monkeypatch.setattr(planting, "EXAMPLES", 15)
    assert hunt(change)[1] == []


@pytest.mark.parametrize("mutant", [pytest.param(
    m, id=m.file, marks=[] if m == lora.FROZEN[0] else [pytest.mark.acceptance])
    for m in lora.FROZEN])
def test_a_gradient_of_what_is_frozen_is_found(mutant):
    findings = hunt(mutant)[1]
    assert findings and "returns no d_weight" in findings[0].what, findings


def test_there_are_enough():
    assert len(ALL) >= 60
    assert {m.package for m in ALL} == {"npgpt", "torchgpt"}
    hit = {m.place()[0] for m in ALL}
    assert hit >= set(components().values()) - {"generate_batch"}, set(components().values()) - hit
