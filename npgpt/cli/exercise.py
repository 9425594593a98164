"""npgpt exercise: write a backward pass or a function yourself, and have it checked."""

from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli.options import option
from npgpt.errors import InputError
from npgpt.files import shell_quote, write_atomically


def exercise(
    name: Annotated[
        str | None, typer.Argument(help="The component to write.", metavar="NAME")] = None,
    check_it: Annotated[
        bool, option("--check", "Check what you wrote; name the wrong step.", None)] = False,
    file: Annotated[
        Path | None, option("--file", "Your file.", "FILE.py", "exercise_NAME.py")] = None,
) -> None:
    """Write a backward pass yourself, and have it checked.

    Without --check: write a file with the component's backward pass left out,
    or, where there is none, the functions themselves.
    With --check: compare your file with the package and with the complex step
    on 30 examples; say which steps are right, and of the first that is not
    your line, two numbers and the cause. Without a NAME: list the components.

    Example: npgpt exercise layer_norm, then npgpt exercise layer_norm --check
    """
    from npgpt.checking import exercises
    from npgpt.checking.components import ALIASES

    known = exercises.exercises()
    if name is None and (check_it or file):
        raise InputError("give the NAME of the component; npgpt exercise lists them")
    if name is None:
        for each in known:
            print(f"{each:<24}{exercises.summary(each, 55)}")
        return
    name = ALIASES.get(name, name)
    if name not in known:
        raise InputError(f"no exercise {name!r}: give one of {', '.join(known)}")
    more = f" --file {shell_quote(file)}" if file else ""
    file = file or Path(f"exercise_{name.replace('.', '_')}.py")
    if check_it:
        raise typer.Exit(report(name, file))
    if file.exists():
        raise InputError(f"{file} is there already: check it with --check, or give another --file")
    write_atomically(file, exercises.unwritten(name))
    what = " and ".join(exercises.to_write(name))
    print(f"{file}: write {what}, then run npgpt exercise {name} --check{more}")


def report(name: str, file: Path) -> int:
    """Print the verdict; 0 where the exercise is solved, 1 where it is not."""
    from npgpt.checking import exercises

    trouble = exercises.trouble_in(name, file)
    if trouble:
        print(f"{file}: {trouble}")
        return 1
    witness = "" if name in exercises.FUNCTIONS else " and the complex step"
    print(f"{file}: correct on {exercises.EXAMPLES} examples, compared with the package{witness}")
    return 0
