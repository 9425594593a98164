"""What the parity tests share: the implementations in play, the tallies of a
run, and the one way to fail."""

import pytest

from npgpt.checking.blame import explain
from npgpt.checking.implementations import numpy_implementation
from npgpt.checking.tally import Tally
from torchgpt.checking import candidate_implementation, torch_implementation, witnesses

TALLIES = {}
MUTANTS = {}
FUZZED = {}         # {"in process": {kind: {"right": n, "refused": n}}, "as processes": …}
BOTH = [numpy_implementation(), torch_implementation()]
in_both = pytest.mark.parametrize("package", BOTH, ids=["numpy", "torch"])


def tally(component):
    return TALLIES.setdefault(component, Tally(component))


def implementations(case, device="cpu", candidate=None):
    """-> those that must agree, the candidate among them or None."""
    if candidate is None:
        return witnesses(case, device), None
    own = candidate_implementation(candidate, device)
    return [*witnesses(case, device), own], own


class Wrong(AssertionError):
    """Findings; where they come from is looked for when they are printed."""

    def __init__(self, findings, involved):
        super().__init__(findings)
        self.findings, self.involved = findings, involved

    def __str__(self):
        return explain(self.findings, self.involved)
