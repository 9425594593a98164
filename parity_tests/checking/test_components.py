"""Every component: all witnesses agree, laws hold, layouts do not matter, and
at its edges it does what it must.

The cases are in npgpt/checking/components, one file a component."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npgpt.checking.case import is_pair
from npgpt.checking.components import CASES, make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.verdict import check_edges, verdict
from parity_tests.strategies import cases
from parity_tests.suite import Wrong, implementations, tally

pytestmark = pytest.mark.component

# of a composite in the profile `dev`: 50 of them would take longer than its parts together
FEWER = 15


@pytest.mark.parametrize("component", CASES)
def test_verdict(component, device, candidate, request):
    @settings(max_examples=examples(component, request.config.getoption("--profile")))
    @given(data=st.data())
    def holds(data):
        case = data.draw(cases(component))
        involved, own = implementations(case, device, candidate)
        found = verdict(case, involved, own)
        tally(component).add(found)
        if found.findings:
            raise Wrong(found.findings, involved)

    holds()


def examples(component, profile):
    case = make_case(component, seeded_draw(0))
    composite = getattr(case, "nested", False) or (not is_pair(case) and case.params)
    return FEWER if composite and profile == "dev" else settings().max_examples


@pytest.mark.parametrize("component", CASES)
def test_edges(component, candidate):
    """On the processor: a GPU that is asked for an id beyond a table stops for good."""
    case = make_case(component, seeded_draw(0))
    involved, own = implementations(case, "cpu", candidate)
    for each in [own] if own else [each for each in involved if each.packages]:
        _, findings = check_edges(case, each)
        if findings:
            raise Wrong(findings, involved)
