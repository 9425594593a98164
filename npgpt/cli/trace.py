"""npgpt trace: the first value in which two implementations differ."""

import importlib.util
import sys
from typing import Annotated

import typer

from npgpt.cli.gradcheck import At, CaseSeed, Layer
from npgpt.cli.options import AsJson, option
from npgpt.cli.output import clean_stdout, print_json
from npgpt.cli.run import INSTALL
from npgpt.cli.trace_model import TEXT, trace_model
from npgpt.errors import InputError


def trace(
    first: Annotated[str, typer.Argument(help="numpy, torch, torch-autograd, or a package.",
                                         metavar="A")],
    second: Annotated[str, typer.Argument(help="What A is compared with; or transformers.",
                                          metavar="B")],
    model: Annotated[str | None, typer.Argument(
        help="With transformers: the run directory that both read.",
        metavar="RUN")] = None,
    layer: Layer = None,
    seed: CaseSeed = 1,
    at: At = None,
    text: Annotated[str | None, option("--text", "With transformers: what both read.",
                                       "TEXT", TEXT)] = None,
    original: Annotated[str | None, option(
        "--original", "Directory that transformers reads, if another.", "DIR")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the first value in which two implementations differ.

    Both compute a small GPT, forward and then backward, or one component with
    --layer; the values that their steps have in common, by label and name, are
    compared. In a package of yours without a gpt, your layers are used in ours.
    The exit status is 1 if a value differs.

    With transformers as B, a model reads a text and goes back over it, in float32,
    and each of its layers is compared with the module of transformers.

    \b
    npgpt trace my_package numpy --layer layer_norm
    npgpt trace numpy transformers smollm2
    """
    from npgpt.checking.asked import asked_for
    from npgpt.checking.implementations import fitting
    from npgpt.checking.trace import first_difference, record

    sys.path.insert(0, "")
    if second == "transformers" or model is not None:
        check_alone(second, layer, at)
        trace_model(first, model, original, text, as_json, implementation_named)
    if text is not None or original is not None:
        raise InputError("--text and --original are for: npgpt trace numpy transformers RUN")
    with clean_stdout(as_json):
        case = asked_for(layer, seed, at)
        suspect, trusted = implementation_named(first, case), implementation_named(second, case)
        case = fitting(fitting(case, suspect), trusted)
        difference = first_difference(case, suspect, trusted)
        compared = len(record(trusted, case))
    if as_json:
        found = None if difference is None else {
            "calls": difference.key.calls, "step": difference.key.step,
            "words": difference.key.words, "name": difference.key.name,
            "error": difference.error, "budget": difference.budget,
            "index": difference.index, "guess": difference.guess}
        print_json({"case": repr(case), "values": compared, "difference": found})
    elif difference is None:
        print(f"{case}: {first} and {second} agree in each of the values that they have in"
              f" common, of {compared}")
    else:
        print(f"{case}\n{first} differs from {second}: {difference}")
    raise typer.Exit(1 if difference else 0)


def check_alone(second, layer, at):
    """InputError where the options are of the other kind of trace."""
    if second != "transformers":
        raise InputError(f"a MODEL is compared with transformers alone, not with {second}")
    if layer is not None or at is not None:
        raise InputError("--layer and --at choose one component: leave them out with transformers")


def implementation_named(name, case):
    """The implementation of that name: numpy, torch, torch-autograd, or a package."""
    from npgpt.checking.implementations import (
        find_package,
        numpy_implementation,
        uses_torch,
        with_own_layers,
    )

    if name == "numpy":
        return numpy_implementation()
    if name in ("torch", "torch-autograd"):
        need_torch(name)
        from torchgpt.checking import stepwise_autograd_implementation, torch_implementation

        return torch_implementation() if name == "torch" else stepwise_autograd_implementation()
    _, offered = find_package(name)
    if uses_torch(offered):
        need_torch(name)
        from torchgpt.checking import torch_implementation

        own, ours = torch_implementation(package=name, name=name), torch_implementation()
    else:
        own, ours = numpy_implementation(name, name), numpy_implementation()
    if case is None or own.find(case.component):
        return own
    return with_own_layers(own, ours)


def need_torch(name):
    if not importlib.util.find_spec("torch"):
        raise InputError(f"{name} needs torch: {INSTALL['torch']}")
