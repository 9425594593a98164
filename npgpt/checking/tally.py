"""What a component's examples have shown so far, for the report and for
the completeness gate."""

import numpy as np

from npgpt.checking.case import differentiated

TRIVIAL = 0.9


class Tally:
    """Counts for one component."""

    def __init__(self, component):
        self.component = component
        self.examples = 0
        self.witnesses = set()
        self.forward = self.backward = 0.0
        self.alive = {}      # gradient -> examples where it is not all zero
        self.choices = {}    # choice -> values drawn
        self.trivial = 0     # examples with no dimension above 1

    def add(self, found):
        """Count a Verdict."""
        case, values = found.case, next(iter(found.values.values()))
        self.examples += 1
        self.witnesses |= set(found.ran)
        self.forward = max(self.forward, found.worst("forward"))
        self.backward = max(self.backward, found.worst("backward"))
        for name in differentiated(case):
            self.alive[name] = self.alive.get(name, 0) + bool(np.any(values.get(name, 0)))
        for name, value in case.chosen.items():
            self.choices.setdefault(name, set()).add(value)
        sizes = [value for name, value in case.chosen.items()
                 if name.isupper() and isinstance(value, int)]
        self.trivial += bool(sizes) and max(sizes) <= 1

    def complaints(self):
        """What these examples leave unproven, one line each."""
        if not self.examples:
            yield f"{self.component}: no example ran"
            return
        for name, count in self.alive.items():
            if not count:
                yield f"{self.component}: {name} was zero in every example"
        if self.trivial > TRIVIAL * self.examples:
            yield f"{self.component}: only trivial shapes were drawn"
        for name, values in self.choices.items():
            if name.isupper() and len(values) < 2:
                yield f"{self.component}: {name} was always {next(iter(values))}"
