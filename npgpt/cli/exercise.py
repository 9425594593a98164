"""npgpt exercise: a component without its backward pass, and who checks it."""

import ast
import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from npgpt.cli import options
from npgpt.errors import InputError
from npgpt.files import shell_quote, write_atomically

LABEL = re.compile(r"\s*# \(\d+(?:, \d+)*\) ")
CASES = 30


def exercise(
    name: Annotated[str | None, typer.Argument(help="A component.", metavar="NAME")] = None,
    check_it: Annotated[
        bool, options.option("--check", "Check what you wrote; say which step is wrong.", None)
    ] = False,
    file: Annotated[
        Path | None, options.option("--file", "Where it is.", "FILE", "exercise_NAME.py")
    ] = None,
) -> None:
    """Write a backward pass yourself, and have it checked.

    Without --check: write a file with the component's backward pass left out.
    With it: hold the file to the package and to the complex step, on 30
    examples; where it is wrong, name the step. Without a NAME: list the
    components.

    Example: npgpt exercise layer_norm, then npgpt exercise layer_norm --check
    """
    from npgpt.checking.components import ALIASES

    if name is None and (check_it or file):
        raise InputError("give the NAME of the component; npgpt exercise lists them")
    if name is None:
        print("\n".join(exercises()))
        return
    name = ALIASES.get(name, name)
    if name not in exercises():
        raise InputError(f"no exercise {name!r}: give one of {', '.join(exercises())}")
    given = f" --file {shell_quote(file)}" if file else ""
    file = file or Path(f"exercise_{name.replace('.', '_')}.py")
    if check_it:
        raise typer.Exit(report(name, file))
    if file.exists():
        raise InputError(f"{file} is there already: check it with --check, or give another --file")
    write_atomically(file, without_backward(name))
    print(f"{file}: write {pair(name)[1]}, then run npgpt exercise {name} --check{given}")


def exercises() -> list[str]:
    """The components that have a hand-written backward pass."""
    from npgpt.checking.case import backward_of
    from npgpt.checking.components import CASES as known
    from npgpt.checking.implementations import lookup

    find = lookup("npgpt")
    return [name for name in known if find(backward_of(name))]


def pair(name: str) -> tuple[str, str]:
    """What the component's two functions are called in its file."""
    from npgpt.checking.case import backward_of
    from npgpt.checking.implementations import lookup

    find = lookup("npgpt")
    return find(name).__name__, find(backward_of(name)).__name__


def without_backward(name: str) -> str:
    """The component's file; of the backward pass, its labels and the names to find."""
    from npgpt.checking.implementations import lookup

    module = sys.modules[lookup("npgpt")(name).__module__]
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    function = next(node for node in ast.parse(source).body
                    if isinstance(node, ast.FunctionDef) and node.name == pair(name)[1])
    lines, kept = source.splitlines(), []
    after_docstring, end = last_line(function.body[0]), last_line(function)
    labels = [i for i in range(after_docstring, end) if LABEL.match(lines[i])]
    for i in range(after_docstring, end):
        if not labels or i < labels[0]:
            kept.append(lines[i])
        elif i in labels:
            kept += [lines[i], *hints(lines, i, function.body[1:])]
    returned = function.body[-1]
    kept += [f"    # {line.strip()}" for line in lines[returned.lineno - 1 : last_line(returned)]]
    kept.append("    raise NotImplementedError")
    return "\n".join(lines[:after_docstring] + kept + lines[end:]).rstrip() + "\n"


def last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def hints(lines: list[str], label: int, body: list[ast.stmt]) -> list[str]:
    """What a step has to find, as comments: names, with the shapes where they are told."""
    end = next((i for i in range(label + 1, len(lines)) if LABEL.match(lines[i])), len(lines))
    found = []
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and label < node.lineno - 1 < end:
                names = [n.id for target in node.targets for n in ast.walk(target)
                         if isinstance(n, ast.Name) and n.id.startswith("d_")]
                shape = re.search(r"# (\(.*)$", lines[last_line(node) - 1])
                if names:
                    found.append(f"    #     find {', '.join(names)}"
                                 + (f"  {shape[1]}" if shape else ""))
    return list(dict.fromkeys(found))


def report(name: str, file: Path) -> int:
    """Print the verdict; 0 where the exercise is solved, 1 where it is not."""
    from npgpt.checking.implementations import Stopped

    try:
        module = load(file)
        lacking = [each for each in pair(name) if not hasattr(module, each)]
        trouble = f"there is no {lacking[0]} in it" if lacking else what_is_wrong(name, module)
    except Stopped as error:
        trouble = str(error)
        if isinstance(error.__cause__, NotImplementedError):
            trouble = f"{pair(name)[1]} is not written yet"
    if trouble:
        print(f"{file}: {trouble}")
        return 1
    print(f"{file}: right on {CASES} examples, against the package and the complex step")
    return 0


def load(file: Path) -> ModuleType:
    from npgpt.checking.implementations import Stopped, where_in

    if not file.is_file():
        raise InputError(f"there is no file {file}: write it with npgpt exercise NAME")
    name = "exercise_of_reader"
    loader = SourceFileLoader(name, str(file.resolve()))
    module = ModuleType(name)
    module.__file__ = loader.path
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise Stopped(f"{file} stops {where_in({name}, error)}with"
                      f" {type(error).__name__}: {error}") from error
    return module


def what_is_wrong(name: str, module: ModuleType) -> str | None:
    """What is wrong with the reader's pair, or None."""
    from dataclasses import replace

    from npgpt.checking.blame import locate
    from npgpt.checking.components import make_case
    from npgpt.checking.draw import seeded_draw
    from npgpt.checking.implementations import numpy_implementation
    from npgpt.checking.verdict import verdict

    ours = numpy_implementation()

    def find(function: str):
        known = ours.find(function)
        return getattr(module, known.__name__, None) or known

    yours = replace(ours, name="yours", find=find, packages=(module.__name__, "npgpt"))
    trouble = None
    for seed in range(CASES):
        case = make_case(name, seeded_draw(seed))
        findings = verdict(case, [ours, yours], yours, edges=seed == CASES - 1).findings
        if not findings:
            continue
        try:
            difference = locate(findings, [ours, yours])
        except Exception:
            difference = None
        if difference and difference.budget > 0:
            layout = f"{findings[0].what}\n" if findings[0].layout else ""
            return f"{layout}{difference}{not_found(name, findings[0].case, yours, ours)}"
        # an example whose right answer is 0 says little: another may say more
        trouble = trouble or (str(difference) if difference else findings[0].what)
    return trouble


def not_found(name: str, case: Any, yours: Any, ours: Any) -> str:
    """A line of the gradients that the reader's backward pass does not name yet."""
    from npgpt.checking.case import backward_of
    from npgpt.checking.trace import record

    theirs = {(key.function, key.name) for key in record(yours, case)}
    lacking = {key.name: f"{key.name} of step ({key.step})" for key in record(ours, case)
               if key.function == backward_of(name) and key.name.startswith("d_")
               and key.step and not key.is_border and (key.function, key.name) not in theirs}
    return f"\n  not found yet: {', '.join(lacking.values())}" if lacking else ""
