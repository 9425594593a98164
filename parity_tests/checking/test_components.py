"""Every component: all witnesses agree, laws hold, layouts do not matter, and
at its edges it does what it must.

The cases are in npgpt/checking/components, one file a component."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npgpt.checking.components import CASES, make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.verdict import check_edges, verdict
from parity_tests.strategies import cases
from parity_tests.suite import Wrong, implementations, tally

pytestmark = pytest.mark.component
# made of blocks that others check, and slow: a fifth of the examples
COMPOSED = ("cross_attention", "decoder", "decoder_block", "encoder", "encoder_block",
            "encoder_decoder.forward", "post_norm_block")


@pytest.mark.parametrize("component", [name for name in CASES if name not in COMPOSED])
@given(data=st.data())
def test_verdict(component, data, device, candidate):
    check_verdict(component, data, device, candidate)


@pytest.mark.parametrize("component", COMPOSED)
@settings(max_examples=settings().max_examples // 5)
@given(data=st.data())
def test_verdict_of_what_is_composed(component, data, device, candidate):
    check_verdict(component, data, device, candidate)


def check_verdict(component, data, device, candidate):
    case = data.draw(cases(component))
    involved, own = implementations(case, device, candidate)
    found = verdict(case, involved, own)
    tally(component).add(found)
    if found.findings:
        raise Wrong(found.findings, involved)


@pytest.mark.parametrize("component", CASES)
def test_edges(component, candidate):
    """On the processor: a GPU that is asked for an id beyond a table stops for good."""
    case = make_case(component, seeded_draw(0))
    involved, own = implementations(case, "cpu", candidate)
    for each in [own] if own else [each for each in involved if each.packages]:
        _, findings = check_edges(case, each)
        if findings:
            raise Wrong(findings, involved)
