"""Each mistake is found within 50 examples, by a number that differs, and
the step it sits in is named."""

import pytest

from parity_tests.mutants import generation, layers, llama, lora, model, planting, training
from parity_tests.mutants.planting import components, hunt
from parity_tests.suite import MUTANTS


def slow(mutant):
    """Llama's, but the first of each layer, and LoRA's, but the first and the last: a
    second or more each, for the acceptance profile."""
    room = mutant.file.split("/")[1]
    first = next((m for m in llama.MUTANTS if m.file == mutant.file), None)
    if mutant in lora.MUTANTS:
        return mutant not in (lora.MUTANTS[0], lora.MUTANTS[-1])
    return mutant in llama.MUTANTS and (room != "layers" or mutant != first)


ALL = [*layers.MUTANTS, *llama.MUTANTS, *model.MUTANTS, *training.MUTANTS, *generation.MUTANTS,
       *lora.MUTANTS]


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
@pytest.mark.parametrize("change", llama.EQUIVALENT,
                         ids=[f"{m.file}: {m.what}" for m in llama.EQUIVALENT])
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
