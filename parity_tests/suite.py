"""What the parity tests share: the arms in play, the tallies of a run, and
the one way to fail."""

from npgpt.checking.tally import Tally
from npgpt.checking.trace import first_difference, first_other_dtype
from torchgpt.checking import candidate_arm, in_few_bits, witnesses

TALLIES = {}
MUTANTS = {}
VERDICTS = {}


def tally(component):
    return TALLIES.setdefault(component, Tally(component))


def arms(case, device, candidate=None):
    """-> the arms that must agree, the (dtype, arm) pairs held to them."""
    if candidate is None:
        return witnesses(case, device), in_few_bits(case, device)
    own = candidate_arm(candidate, device)
    precise = [("float32", own)] if case.d_y is not None else []
    return [*witnesses(case, device), own], precise


class Wrong(AssertionError):
    """Findings; where they come from is looked for when they are printed."""

    def __init__(self, findings, involved):
        super().__init__(findings)
        self.findings, self.involved = findings, involved

    def __str__(self):
        return explain(self.findings, self.involved)


def explain(findings, involved):
    """The first findings, and the step at which the suspect parts from the
    rest."""
    lines = [str(finding) for finding in findings[:3]]
    difference = locate(findings, involved)
    if difference:
        lines.append(f"  first value that differs: {difference}")
    return "\n".join(lines)


def locate(findings, involved):
    """-> the first Difference between the suspect and an arm that is not,
    or None where no step gives one away."""
    steps = [arm for arm in involved if arm.packages]
    suspect, finding = blame(findings, involved), findings[0]
    named = [arm for arm in steps if arm.name == suspect]
    if finding.other_dtype and named:
        return first_other_dtype(finding.case, named[0], finding.other_dtype)
    if finding.layout and named:
        return first_difference(finding.case, named[0], named[0], finding.layout)
    trusted = [arm for arm in steps if arm.name != suspect]
    suspects = named or steps[1:2]
    if not trusted or not suspects:
        return None
    return first_difference(findings[0].case, suspects[0], trusted[0])


def blame(findings, involved):
    """The arm that most findings are about."""
    counts = {arm.name: 0 for arm in involved}
    for finding in findings:
        for name in finding.arms:
            name = name.split(" on ")[0]
            if name in counts:
                counts[name] += 1
    return max(counts, key=counts.get)
