"""Every component: all witnesses agree, laws hold, layouts do not matter.

The cases are in npgpt/checking/components, one file a component; what each
must do at its edges is written down in layers/, model/, training/ and
generation/ beside this file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.checking.arms import numpy_arm
from npgpt.checking.budgets import budgets, error_between, scales
from npgpt.checking.check import Finding, check
from npgpt.checking.components import CASES
from npgpt.checking.layouts import check_determinism, check_layouts
from parity_tests.strategies import cases
from parity_tests.suite import Wrong, arms, tally

pytestmark = pytest.mark.component


@pytest.mark.parametrize("component", CASES)
@given(data=st.data())
def test_witnesses_agree(component, data, device, candidate):
    case = data.draw(cases(component))
    involved, precise = arms(case, device, candidate)
    findings = check(case, involved, precise, tally(component))
    if findings:
        raise Wrong(findings, involved)


@pytest.mark.parametrize("component", CASES)
@given(data=st.data())
def test_laws_hold(component, data, device, candidate):
    case = data.draw(cases(component))
    first = numpy_arm()
    for arm in by_hand(case, device, candidate):
        budget_of = {}
        for law in case.laws:
            for name, one, other, *measured in law(case, arm.compute):
                error, index = error_between(one, other)
                if error == 0:
                    continue
                about = measured[0] if measured else case
                if id(about) not in budget_of:
                    budget_of[id(about)] = about, budgets(about, scales(about, first), "float64")
                allowed = budget_of[id(about)][1]
                if not error <= 2 * allowed[name]:
                    what = (f"{name} of {arm.name} breaks the law {law.__name__} by {error:.2g}"
                            f" ({error / (allowed[name] or 1e-300):.2g} of its budget)"
                            f" at {list(index)}")
                    raise Wrong([Finding(case, name, (arm.name,), what)], [arm])


@pytest.mark.parametrize("component", CASES)
@given(data=st.data())
def test_layout_does_not_matter(component, data, device, candidate):
    case = data.draw(cases(component))
    involved = by_hand(case, device, candidate)
    findings = check_layouts(case, involved, numpy_arm())
    for arm in involved:
        findings += check_determinism(case, arm)
    if findings:
        raise Wrong(findings, involved)


def by_hand(case, device, candidate):
    """The arms that are written by hand: ours, or the candidate."""
    involved, _ = arms(case, device, candidate)
    return [arm for arm in involved if arm.packages][-1 if candidate else 0:]
