"""The verdict on one case: all that must hold, for every implementation.

Command line, tests, exercises and book ask for it here, so that none of
them can call right what another calls wrong."""

from dataclasses import dataclass, field

import numpy as np

from npgpt.checking.budgets import budgets, scales
from npgpt.checking.case import FunctionCase, PairCase, differentiated, is_pair, mapped, parts
from npgpt.checking.comparison import Comparison, Finding, compared, error_between
from npgpt.checking.implementations import fitting, telling_where
from npgpt.checking.layouts import check_layouts
from npgpt.checking.witnesses import derivatives_compared
from npgpt.tree import tree_leaves


@dataclass
class Verdict:
    """values: implementation -> its results by name, in float64; size: the
    largest term of each result; ran: the witnesses that had a say."""

    case: PairCase | FunctionCase
    comparisons: list = field(default_factory=list)
    findings: list = field(default_factory=list)
    values: dict = field(default_factory=dict)
    size: dict = field(default_factory=dict)
    ran: list = field(default_factory=list)

    def worst(self, way):
        """The largest error in units of its budget, "forward" or "backward"."""
        return max((found.ratio for found in self.comparisons
                    if found.kind in ("witness", "derivative", "precision")
                    if way == way_of(found)), default=0.0)


def way_of(found):
    gradient = found.kind == "derivative" or found.result.startswith("d_")
    return "backward" if gradient else "forward"


def verdict(case, implementations, candidate=None, apart=False, edges=False):
    """-> Verdict, without findings where all is well.

    implementations: all pairs of them must agree in float64; the first also
    measures. candidate: the one among them that alone is held to fewer bits,
    other layouts, the same bits twice, laws and, if asked for, edges (which
    are the same for every case of a component); without it, all that are
    written by hand are. apart: see witnesses.py. Looks no further than the
    first kind of check that finds something."""
    first = implementations[0]
    case = fitting(case, candidate) if candidate else case
    found, own = Verdict(case), {}
    for each in implementations:
        found.values[each.name], own[each.name], findings = observed(case, each)
        found.findings += findings
    if found.findings:
        return found
    truth = found.values[first.name]
    found.size = scales(case, first, truth)
    examined = [candidate] if candidate else [each for each in implementations if each.packages]
    for comparisons, findings in checks(found, implementations, examined, own,
                                        apart, edges):
        found.comparisons += comparisons
        found.findings += findings
        if found.findings:
            break
    return found


def checks(found, implementations, examined, own, apart, edges):
    """Yields comparisons, findings of one kind of check after another."""
    case, first = found.case, implementations[0]
    yield agreement(found, implementations, apart)
    if is_pair(case):
        yield precisions(found, first, examined)
    yield layouts(found, first, examined, own)
    yield [], [finding for each in examined for finding in other_bits(case, each)]
    yield laws(found, first, examined)
    if edges:
        yield from (check_edges(case, each) for each in examined)


def observed(case, implementation, dtype="float64"):
    """-> results as NumPy, (own case, own results), findings: results that
    are missing, of another dtype or not numbers, and inputs that were
    written to."""
    own = implementation.native(case, dtype)
    results = implementation.results(own)
    findings, values = [], {}

    def find(name, what, **more):
        findings.append(Finding(case, name, (implementation.name,),
                                f"{implementation.name}'s {name} {what}", **more))

    wanted = dtype if is_pair(case) else case.result_dtype or dtype
    for name, result in results.items():
        if result is None:
            find(name, "is missing: the witness did not run")
            continue
        kind = str(getattr(result, "dtype", "")).removeprefix("torch.")
        if ("float" in kind or "complex" in kind) and kind != wanted:
            find(name, f"is {kind}, not {wanted}", other_dtype=wanted)
        values[name] = implementation.leave(result)
        if np.isnan(values[name]).any():
            find(name, "is not a number (NaN)")
    for name in differentiated(case):
        if name not in results:
            find(name, "is missing: the witness did not run")
    before = dict(tree_leaves(parts(case)))
    for name, after in tree_leaves(parts(own)):
        if getattr(after, "dtype", None) is not None:
            expected = implementation.leave(implementation.enter(before[name], dtype))
            if not np.array_equal(implementation.leave(after), expected, equal_nan=True):
                find(name, "was an input and has been written to")
    return values, (own, results), findings


def agreement(found, implementations, apart):
    """Every two implementations, and each with the derivative that is tried."""
    case, values = found.case, found.values
    allowed = budgets(case, found.size, "float64")
    comparisons, findings = [], []
    names = [each.name for each in implementations]
    for i, left in enumerate(names):
        for right in names[i + 1:]:
            more = compared("witness", case, values[left], values[right], (left, right), allowed)
            comparisons += more[0]
            findings += more[1]
    found.ran += names
    if is_pair(case) and not case.no_complex_step:
        more = derivatives_compared(case, implementations[0], values, found.size, apart)
        comparisons += more[0]
        findings += more[1]
        found.ran.append("complex step")
    return comparisons, findings


def precisions(found, first, examined):
    """In fewer bits, against float64 on the same, rounded, inputs."""
    comparisons, findings = [], []
    for each in examined:
        for dtype in each.few_bits:
            case, truth, size = found.case, found.values[first.name], found.size
            if dtype == "bfloat16":
                case = mapped(case, rounded_by(each, dtype))
                truth = first.compute(case)
                size = scales(case, first) if case.scale else size
            values, _, wrong = observed(case, each, dtype)
            if not wrong:
                more, wrong = compared(
                    "precision", case, values, truth, (each.name, f"{first.name} in float64"),
                    budgets(case, size, dtype), dtype)
                comparisons += more
            findings += wrong
            found.ran.append(f"{each.name} {dtype}")
    return comparisons, findings


def rounded_by(implementation, dtype):
    def change(name, array):
        return implementation.leave(implementation.enter(array, dtype)).astype(array.dtype)

    return change


def layouts(found, first, examined, own):
    comparisons, findings = [], []
    for each in examined:
        more = check_layouts(found, first, each, *own[each.name])
        comparisons += more[0]
        findings += more[1]
    return comparisons, findings


def other_bits(case, implementation, dtype="float32"):
    """The same bits twice, or findings."""
    once, twice = (implementation.compute(case, dtype) for _ in range(2))
    return [Finding(case, name, (implementation.name,),
                    f"{name} of {implementation.name} has other bits the second time")
            for name in once if not np.array_equal(once[name], twice[name], equal_nan=True)]


def laws(found, first, examined):
    """Within twice the budget: both ways round."""
    case, comparisons, findings = found.case, [], []
    allowed_of = {id(case): budgets(case, found.size, "float64")}
    measured_cases = []     # the cases whose ids are keys

    def allowed(about):
        if id(about) not in allowed_of:
            measured_cases.append(about)
            allowed_of[id(about)] = budgets(about, scales(about, first), "float64")
        return allowed_of[id(about)]

    def compute_by(implementation, tried):
        def compute(other):
            if other is case:
                return found.values[implementation.name]
            tried.append(other)
            return implementation.compute(other)

        return compute

    for each, law in [(each, law) for each in examined for law in case.laws]:
        tried = []
        for name, one, other, *about in law(case, compute_by(each, tried)):
            error, index = error_between(one, other)
            budget = 2 * allowed(about[0] if about else case)[name] if error else 0.0
            more = Comparison("law", name, (each.name, law.__name__), error, budget, index)
            comparisons.append(more)
            if not more.agree:
                findings.append(Finding(
                    case, name, (each.name,),
                    f"{name} of {each.name} breaks the law {law.__name__} by {error:.2g}"
                    f" ({2 * more.ratio:.2g} of its budget) at {list(index)}",
                    error, budget, tried=tuple(tried),
                    brief=f"{name} of {each.name} breaks the law {law.__name__}"))
    return comparisons, findings


def check_edges(case, implementation):
    """-> comparisons, findings at the edges of a case's component."""
    comparisons, findings = [], []
    for edge in case.edges:
        with telling_where(implementation):
            rows = list(edge(implementation))
        for what, found, wanted, *allowed in rows:
            found, wanted = np.asarray(found, float), np.asarray(wanted, float)
            error, index = error_between(found, wanted)
            more = Comparison("edge", what, (implementation.name, edge.__name__), error,
                              allowed[0] if allowed else 0.0, index)
            comparisons.append(more)
            if not more.agree:
                where = edge.__name__.replace("_", " ")
                findings.append(Finding(
                    case, what, (implementation.name,),
                    f"edge case {where!r}: {what} of {implementation.name}"
                    f" is {as_text(found)}, not {as_text(wanted)}",
                    error, more.budget, is_edge=True))
    return comparisons, findings


def as_text(value):
    return np.array2string(value, precision=6, threshold=20).replace("\n", "")
