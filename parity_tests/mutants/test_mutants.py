"""Each mistake is found within 50 examples, by a number that differs, and
the step it sits in is named."""

import pytest

from parity_tests.mutants import (
    foundations,
    generation,
    layers,
    llama,
    model,
    planting,
    training,
    word2vec,
)
from parity_tests.mutants.planting import components, hunt
from parity_tests.suite import MUTANTS


def slow(mutant):
    """Llama's and the foundations', but the first of each file: a second or more each, for
    the acceptance profile."""
    room = mutant.file.split("/")[1]
    later = [*llama.MUTANTS, *foundations.MUTANTS, *word2vec.MUTANTS]
    first = next((m for m in later if m.file == mutant.file), None)
    return mutant in later and (room not in ("layers", "foundations") or mutant != first)


ALL = [*foundations.MUTANTS, *layers.MUTANTS, *llama.MUTANTS, *model.MUTANTS,
       *training.MUTANTS, *generation.MUTANTS, *word2vec.MUTANTS]


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
                                    for m in (*foundations.EQUIVALENT, *llama.EQUIVALENT)])
def test_what_is_equivalent_survives(change, monkeypatch):
    monkeypatch.setattr(planting, "EXAMPLES", 15)
    assert hunt(change)[1] == []


def test_there_are_enough():
    assert len(ALL) >= 60
    assert {m.package for m in ALL} == {"npgpt", "torchgpt"}
    hit = {m.place()[0] for m in ALL}
    assert hit >= set(components().values()) - {"generate_batch"}, set(components().values()) - hit
