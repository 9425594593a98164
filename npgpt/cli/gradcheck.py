"""npgpt gradcheck: every gradient, by every witness."""

import importlib.util
import re
import sys
from typing import Annotated

import numpy as np
import typer

from npgpt.cli import options
from npgpt.cli.output import clean_stdout, print_json
from npgpt.cli.run import INSTALL
from npgpt.errors import InputError


def gradcheck(
    layer: Annotated[
        str | None, options.option("--layer", "One component instead of the model.", "NAME")
    ] = None,
    candidate: Annotated[
        str | None, options.option("--candidate", "Check your own package, too.", "PACKAGE")
    ] = None,
    seed: Annotated[int, options.option("--seed", "Of shapes and numbers.", default=1)] = 1,
    at: Annotated[
        str | None, options.option("--at", "The choices that a failed test printed.", "CHOICES")
    ] = None,
    as_json: Annotated[bool, options.option("--json", "One JSON object on stdout.", None)] = False,
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
    from npgpt.checking.candidates import as_lines
    from npgpt.checking.implementations import offers
    from npgpt.checking.verdict import verdict

    sys.path.insert(0, "")
    if candidate and layer is None:
        if at is not None:
            raise InputError("--at needs --layer, the component whose choices it gives")
        with clean_stdout(as_json):
            found = judge(candidate, seed)
        if as_json:
            print_json(found)
        else:
            print(*as_lines(found), sep="\n")
        raise typer.Exit(1 if found["wrong"] else 0)
    with clean_stdout(as_json):
        case = asked_for(layer, seed, at)
        witnesses, own = implementations(candidate)
        involved = witnesses(case)
        if own and not offers(own, case.component):
            raise InputError(f"{candidate} does not offer {case.component} and what belongs to it")
        involved += [own] if own else []
        found = verdict(case, involved, own, apart=True, edges=True)
        table = rows(found, involved)
    if as_json:
        print_json({"case": repr(found.case), "rows": table,
                           "findings": [str(finding) for finding in found.findings]})
    else:
        show(found, table, involved)
    raise typer.Exit(1 if found.findings else 0)


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
    frozen = case.chosen.get("frozen")
    if frozen and "frozen" not in asked:  # unasked, every gradient is shown
        nothing = {"frozen": type(frozen)()}
        case = make_case(layer or "gpt", seeded_draw(seed, {**asked, **nothing}))
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


def judge(candidate, seed):
    """Every component that the candidate offers: right or wrong, and where."""
    from npgpt.checking.candidates import judged

    witnesses, own = implementations(candidate)
    found = judged(own, witnesses, seed)
    if not found["right"] and not found["wrong"]:
        raise InputError(f"{candidate} offers no component whole; it needs, for example,"
                         " layer_norm and layer_norm_backward")
    return found


def implementations(candidate):
    """-> case -> the witnesses, the candidate's implementation or None."""
    if importlib.util.find_spec("torch"):
        from torchgpt.checking import candidate_implementation, witnesses

        return witnesses, candidate_implementation(candidate) if candidate else None
    from npgpt.checking.implementations import witnesses_without_torch

    print("torch is not installed: NumPy against the numerical derivatives alone",
          file=sys.stderr)
    return witnesses_without_torch, candidate_without_torch(candidate)


def candidate_without_torch(candidate):
    if candidate is None:
        return None
    from npgpt.checking.implementations import find_package, numpy_implementation, uses_torch

    _, offered = find_package(candidate)
    if uses_torch(offered):
        raise InputError(f"{candidate} needs torch: {INSTALL['torch']}")
    return numpy_implementation(candidate, candidate)


def rows(found, involved):
    """[{"tensor", "size", implementation: ratio of the budget, ...}, ...], the
    first implementation being what the others are held to."""
    from npgpt.checking.case import is_pair
    from npgpt.checking.witnesses import finite_differences

    first = involved[0]
    truth = found.values[first.name]
    table = {name: {"tensor": name, "size": float(np.abs(value).max(initial=0))}
             for name, value in truth.items()}
    for each in found.comparisons:
        if each.kind in ("witness", "derivative") and each.between[0] == first.name:
            table.setdefault(each.result, {})[each.between[1]] = each.ratio
    if is_pair(found.case) and found.size:
        for name, error in finite_differences(found.case, first, truth, found.size).items():
            table[name]["finite difference"] = error
    return list(table.values())


def show(found, table, involved):
    names = [each.name for each in involved[1:]]
    names += [name for name in ("complex step", "finite difference")
              if any(name in row for row in table)]
    wide = max(len(row["tensor"]) for row in table)
    print(f"{found.case}\n\n{involved[0].name} by hand, held to the others: errors as a share of"
          " what rounding may do\n(finite difference: relative, good to about 1e-9)\n")
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
    if not found.findings:
        print(f"all {len(table)} results agree")
        return
    from npgpt.checking.blame import locate

    for finding in found.findings[:5]:
        print(str(finding).split("\n")[0])
    difference = locate(found.findings, involved)
    if difference:
        print(f"first value that differs: {difference}")
