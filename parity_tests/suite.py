"""What the parity tests share: the arms in play, the tallies of a run, and
the one way to fail."""

from npgpt.checking.blame import explain
from npgpt.checking.case import is_pair
from npgpt.checking.tally import Tally
from torchgpt.checking import candidate_arm, in_few_bits, witnesses

TALLIES = {}
MUTANTS = {}


def tally(component):
    return TALLIES.setdefault(component, Tally(component))


def arms(case, device, candidate=None):
    """-> the arms that must agree, the (dtype, arm) pairs held to them."""
    if candidate is None:
        return witnesses(case, device), in_few_bits(case, device)
    own = candidate_arm(candidate, device)
    precise = [("float32", own)] if is_pair(case) else []
    return [*witnesses(case, device), own], precise


class Wrong(AssertionError):
    """Findings; where they come from is looked for when they are printed."""

    def __init__(self, findings, involved):
        super().__init__(findings)
        self.findings, self.involved = findings, involved

    def __str__(self):
        return explain(self.findings, self.involved)
