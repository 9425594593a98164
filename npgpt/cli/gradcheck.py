"""npgpt gradcheck: every gradient, by every witness."""

import importlib.util
import sys
from typing import Annotated

import typer

from npgpt.cli.gradcheck_model import gradcheck_model
from npgpt.cli.options import AsJson, option
from npgpt.cli.output import clean_stdout, print_json
from npgpt.cli.run import INSTALL
from npgpt.cli.tables import print_table
from npgpt.cli.trace_model import TEXT
from npgpt.errors import InputError

Layer = Annotated[
    str | None, option("--layer", "One component instead of the whole model.", "NAME")
]
CaseSeed = Annotated[int, option("--seed", "Random seed of the shapes and numbers.", default=1)]
At = Annotated[
    str | None, option("--at", "The choices that a failed test printed.", "CHOICES")
]


def gradcheck(
    run: Annotated[str | None, typer.Argument(
        help="Check this model's gradients over a text instead.", metavar="RUN")] = None,
    layer: Layer = None,
    candidate: Annotated[
        str | None, option("--candidate", "Check this package of yours as well.", "PACKAGE")
    ] = None,
    seed: CaseSeed = 1,
    at: At = None,
    text: Annotated[str | None, option("--text", "With RUN: the text.", "TEXT", TEXT)] = None,
    as_json: AsJson = False,
) -> None:
    """Check the hand-written gradients in several independent ways.

    A small GPT, or one component with --layer, is computed by hand in NumPy, by
    hand in PyTorch and by PyTorch's autograd; the complex step and a finite
    difference try its gradients out. Each row is one tensor, each number its
    largest error as a percentage of what rounding may cause. With --candidate
    alone, each component that your package offers is checked. The exit status is
    1 if something is wrong. Without torch, the numerical derivatives remain.

    \b
    npgpt gradcheck --layer layer_norm --candidate my_package
    npgpt gradcheck smollm2 --text "A short text is enough."
    """
    from npgpt.checking.asked import asked_for
    from npgpt.checking.candidates import as_lines
    from npgpt.checking.error_table import error_table
    from npgpt.checking.implementations import offers
    from npgpt.checking.verdict import verdict

    sys.path.insert(0, "")
    if run is not None:
        if layer or candidate or at:
            raise InputError("with a RUN, --layer, --candidate and --at have no meaning: leave"
                             " them out")
        gradcheck_model(run, text, as_json)
    if text is not None:
        raise InputError("--text is what a model reads: give its RUN, too")
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
        table = error_table(found, involved)
    if as_json:
        print_json({"case": repr(found.case), "rows": table,
                           "findings": [str(finding) for finding in found.findings]})
    else:
        show(found, table, involved)
    raise typer.Exit(1 if found.findings else 0)


def judge(candidate, seed):
    """Which of the components that the candidate offers are right, and what is wrong with
    the others."""
    from npgpt.checking.candidates import judged

    witnesses, own = implementations(candidate)
    found = judged(own, witnesses, seed)
    if not found["right"] and not found["wrong"]:
        raise InputError(f"{candidate} offers no component whole; it needs, for example,"
                         " layer_norm and layer_norm_backward")
    return found


def implementations(candidate):
    """-> the function that gives a case's witnesses, and the candidate's implementation or
    None."""
    if importlib.util.find_spec("torch"):
        from torchgpt.checking import candidate_implementation, witnesses

        return witnesses, candidate_implementation(candidate) if candidate else None
    from npgpt.checking.implementations import witnesses_without_torch

    print("torch is not installed: NumPy is compared with the numerical derivatives alone",
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


def show(found, table, involved):
    from npgpt.checking.blame import locate
    from npgpt.checking.error_table import cells

    print(f"{found.case}\n\n{involved[0].name} by hand, compared with the others. Errors are"
          " a percentage of what\nrounding may cause; those of the finite difference are relative,"
          " accurate to\nabout 1e-9.")
    print_table(*cells(table))
    if not found.findings:
        print(f"all {len(table)} results agree")
        return
    difference = locate(found.findings, involved)
    first_of = {finding.value: finding for finding in found.findings[::-1]}
    for finding in [*first_of.values()][::-1][:5]:  # the step has the one figure
        print(f"{finding.case.component}: "
              f"{(difference and finding.brief) or finding.what}")
    if difference:
        print(f"first value that differs: {difference}")
