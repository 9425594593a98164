"""npgpt gradcheck: every gradient, by every witness."""

import importlib.util
import re
import sys
from typing import Annotated

import numpy as np
import typer

from npgpt.cli import common
from npgpt.errors import InputError


def gradcheck(
    layer: Annotated[
        str | None, common.option("--layer", "One component instead of the model.", "NAME")
    ] = None,
    candidate: Annotated[
        str | None, common.option("--candidate", "Check your own package, too.", "PACKAGE")
    ] = None,
    seed: Annotated[int, common.option("--seed", "Of shapes and numbers.", default=1)] = 1,
    at: Annotated[
        str | None, common.option("--at", "The choices that a failed test printed.", "CHOICES")
    ] = None,
    as_json: Annotated[bool, common.option("--json", "One JSON object on stdout.", None)] = False,
) -> None:
    """Check hand-written gradients against each other and by trying.

    A small GPT, or one component with --layer: by hand in NumPy, by hand in
    PyTorch, PyTorch's autograd, the complex step, a finite difference. Each
    row is one tensor, each number its largest error as a share of what
    rounding may do. With --candidate alone: each component that your package
    offers, right or wrong. Leaves with status 1 where something is wrong.
    Without torch, the numerical witnesses remain.

    Example: npgpt gradcheck --layer layer_norm --candidate my_package
    """
    from npgpt.checking.check import check

    sys.path.insert(0, "")
    if candidate and layer is None:
        if at is not None:
            raise InputError("--at needs --layer, the component whose choices it gives")
        with common.clean_stdout(as_json):
            found = verdicts(candidate, seed)
        show_verdicts(found, as_json)
        raise typer.Exit(1 if found["wrong"] else 0)
    with common.clean_stdout(as_json):
        case = asked_for(layer, seed, at)
        ours, own = arms_of(candidate)
        arms = ours(case)
        if own and not offers(own, case):
            raise InputError(f"{candidate} does not offer {case.component} and what belongs to it")
        arms += [own] if own else []
        findings = check(case, arms)
        table = rows(case, arms)
    if as_json:
        common.print_json({"case": repr(case), "rows": table,
                           "findings": [str(finding) for finding in findings]})
    else:
        show(case, table, findings, arms)
    raise typer.Exit(1 if findings else 0)


# a model small enough to read, and large enough to show every tensor
MODEL = {"B": 2, "T": 4, "H": 2, "D": 4, "layers": 2, "V": 7, "tied": True, "spare": 1,
         "dropout": True, "mask": "none"}


def asked_for(layer, seed, at):
    """The case of these choices: of a component, or of the whole model."""
    from npgpt.checking.case import at as choices_of
    from npgpt.checking.components import make_case
    from npgpt.checking.draw import seeded_draw

    asked = choices(at, layer)
    case = make_case(layer or "gpt", seeded_draw(seed, asked))
    unknown = sorted(set(asked) - set(case.chosen))
    if at is not None and unknown:
        raise InputError(f"--at gives {', '.join(unknown)}, which {case.component} does not"
                         f" choose; this case is {choices_of(case)}")
    return case


def choices(at, layer):
    """"B=2 T=1 axes=(1, 2)" -> {"B": "2", ...}."""
    if at is None:
        return {} if layer else MODEL
    if not re.fullmatch(r"\w+=\S.*", at.strip()):
        raise InputError(f"--at is {at!r}: give choices such as B=2 T=3, as a failed test"
                         " printed them")
    return dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", at))


def verdicts(candidate, seed, examples=30):
    """Every component that the candidate offers: right or wrong, and where."""
    from npgpt.checking.arms import Stopped, find_package
    from npgpt.checking.blame import locate
    from npgpt.checking.case import is_pair
    from npgpt.checking.check import check
    from npgpt.checking.components import CASES, functions_of, make_case
    from npgpt.checking.draw import seeded_draw
    from npgpt.checking.layouts import check_layouts

    find, _ = find_package(candidate)
    ours, own = arms_of(candidate)
    found = {"right": [], "wrong": {}, "not_offered": []}

    def examine(case):
        """What is wrong with the candidate in this case: lines, none where all is well."""
        arms = [*ours(case), own]
        try:
            findings = check(case, arms, [("float32", own)] if is_pair(case) else [])
            findings = findings or check_layouts(case, [own], arms[0])
        except Stopped as error:
            return [f"{case.component}: {error}"]
        if not findings:
            return []
        where = locate(findings, arms)
        lines = str(findings[0]).split("\n") + (
            f"first value that differs: {where}".split("\n") if where else [])
        return [line.strip() for line in lines]

    for component in CASES:
        missing = [name for name in functions_of(component) if not find(name)]
        if missing:
            found["not_offered"] += missing
            continue
        cases = (make_case(component, seeded_draw(seed + i)) for i in range(examples))
        lines = next(filter(None, map(examine, cases)), None)
        if lines:
            found["wrong"][component] = lines
        else:
            found["right"].append(component)
    if not found["right"] and not found["wrong"]:
        raise InputError(f"{candidate} offers no component whole; it needs, for example,"
                         " layer_norm and layer_norm_backward")
    return found


def show_verdicts(found, as_json):
    if as_json:
        common.print_json(found)
        return
    for component in found["right"]:
        print(f"right        {component}")
    for lines in found["wrong"].values():
        for i, line in enumerate(lines):
            print(f"wrong        {line}" if i == 0 else f"             {line}")
    print(f"not offered  {', '.join(found['not_offered'])}")


def arms_of(candidate):
    """-> case -> our arms, the candidate's arm."""
    if importlib.util.find_spec("torch"):
        from torchgpt.checking import candidate_arm, witnesses

        return witnesses, candidate_arm(candidate) if candidate else None
    from npgpt.checking.arms import expected_arm, numpy_arm
    from npgpt.checking.case import is_pair

    print("torch is not installed: NumPy against the numerical derivatives alone",
          file=sys.stderr)
    return (lambda case: [numpy_arm(), *([] if is_pair(case) else [expected_arm()])],
            candidate_without_torch(candidate))


def candidate_without_torch(candidate):
    if candidate is None:
        return None
    from npgpt.checking.arms import find_package, numpy_arm, uses_torch

    _, offered = find_package(candidate)
    if uses_torch(offered):
        raise InputError(f"{candidate} needs torch: {common.INSTALL['torch']}")
    return numpy_arm(candidate, candidate)


def offers(arm, case):
    from npgpt.checking.components import functions_of

    return all(arm.find(name) for name in functions_of(case.component))


def rows(case, arms):
    """[{"tensor", "size", arm: share of the budget, ...}, ...], the first
    arm being what the others are held to."""
    from npgpt.checking.budgets import UNIT, budgets, error_between, scales, share
    from npgpt.checking.case import is_pair
    from npgpt.checking.check import derivative_constant
    from npgpt.checking.draw import Numbers
    from npgpt.checking.witnesses import against, complex_step, finite_difference, random_directions

    first, *others = arms
    truth = first.compute(case)
    size = scales(case, first, truth)
    allowed = budgets(case, size, "float64")
    values = {arm.name: arm.compute(case) for arm in others}
    table = []
    numeric = is_pair(case)
    if numeric:
        directions = random_directions(case, Numbers(case.chosen.get("seed", 0) + 1))
    for name, value in truth.items():
        row = {"tensor": name, "size": float(np.abs(value).max(initial=0))}
        for arm, results in values.items():
            error = error_between(value, results[name])[0] if name in results else np.inf
            row[arm] = share(error, allowed.get(name, 0.0))
        if numeric and name in directions:
            one = {name: directions[name]}
            length = np.abs(directions[name]).sum()
            if not case.no_complex_step:
                error = abs(against(truth, one) - complex_step(case, first.find, one))
                budget = derivative_constant(case) * UNIT["float64"] * size[name] * length
                row["complex step"] = share(error, budget)
            tried = finite_difference(case, first.find, one)
            row["finite difference"] = abs(against(truth, one) - tried) / max(
                abs(tried), size[name], 1e-300)
        table.append(row)
    return table


def show(case, table, findings, arms):
    from npgpt.checking.case import is_pair

    names = [arm.name for arm in arms[1:]]
    if is_pair(case):
        names += ["finite difference"] if case.no_complex_step else [
            "complex step", "finite difference"]
    wide = max(len(row["tensor"]) for row in table)
    print(f"{case}\n\n{arms[0].name} by hand, held to the others: errors as a share of what"
          " rounding may do\n(finite difference: relative, good to about 1e-9)\n")
    print("  ".join(["tensor".ljust(wide), *[name.rjust(max(len(name), 8)) for name in names]]))
    for row in table:
        cells = []
        for name in names:
            value = row.get(name)
            text = "" if value is None else (
                f"{value:.0e}" if name == "finite difference" else f"{value:.1%}"
                if value < 10 else "wrong")
            cells.append(text.rjust(max(len(name), 8)))
        print("  ".join([row["tensor"].ljust(wide), *cells]))
    print()
    if not findings:
        print(f"all {len(table)} results agree")
        return
    for finding in findings[:5]:
        print(str(finding).split("\n")[0])
    from npgpt.checking.blame import locate

    difference = locate(findings, arms)
    if difference:
        print(f"first value that differs: {difference}")
