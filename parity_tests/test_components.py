"""Every component: all witnesses agree, laws hold, layouts do not matter.

The cases are in npgpt/checking/components, one file a component."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.checking.components import CASES
from npgpt.checking.verdict import verdict
from parity_tests.strategies import cases
from parity_tests.suite import Wrong, implementations, tally

pytestmark = pytest.mark.component


@pytest.mark.parametrize("component", CASES)
@given(data=st.data())
def test_verdict(component, data, device, candidate):
    case = data.draw(cases(component))
    involved, own = implementations(case, device, candidate)
    found = verdict(case, involved, own)
    tally(component).add(found)
    if found.findings:
        raise Wrong(found.findings, involved)
