"""Options: those that several commands share, and those made from a run's settings."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.families.setting import default_of, flag_of
from npgpt.runs.settings import declared

METAVARS = {int: "N", float: "X", str: "NAME", bool: None}


def option(
    flag: str, text: str, metavar: str | None = "N", default: Any = None, *also: str,
    hidden: bool = False,
) -> Any:
    """An option that is None unless given; its default stands in `text`."""
    if default is not None:
        text = f"{text} [{default:g}]" if isinstance(default, float) else f"{text} [{default}]"
    return typer.Option(flag, *also, help=text, metavar=metavar, show_default=False,
                        hidden=hidden)


def with_settings(*, without: tuple[str, ...] = ()) -> Callable:
    """A decorator: in place of its keyword argument `settings`, a command has an option
    for each setting of a run. It gets a dict of those that the command line gives."""
    offered = [as_parameter(each) for each in declared() if each.name not in without]

    def settings(**values: Any) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value is not None}

    return in_place_of("settings", offered, settings)


def with_options(name: str, options: type) -> Callable:
    """A decorator: in place of its keyword argument `name`, a command has an option for
    each field of the dataclass `options`. It gets an instance of that."""
    offered = [inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default,
                                 annotation=each.type) for each in fields(options)]
    return in_place_of(name, offered, options)


def in_place_of(name: str, offered: list[inspect.Parameter], make: Callable) -> Callable:
    """A decorator: a command has the parameters `offered` in place of `name`, for which it
    gets make(**their values). typer reads a command's options from its signature."""

    def decorate(command: Callable) -> Callable:
        @functools.wraps(command)
        def called(**values: Any) -> Any:
            made = make(**{each.name: values.pop(each.name) for each in offered})
            return command(**{name: made}, **values)

        own = inspect.signature(command).parameters.values()
        parameters = [each for one in own for each in (offered if one.name == name else [one])]
        called.__dict__["__signature__"] = inspect.Signature(parameters)
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return decorate


def as_parameter(setting: Field) -> inspect.Parameter:
    """The argument of a command that takes a setting; None where it is not given."""
    about, kind = setting.metadata, plain_type(setting)
    default = about["unset"] if "unset" in about else default_of(setting)
    flag = flag_of(setting)
    if kind is bool:
        on, _, off = flag.partition("/--")
        default = on.removeprefix("--") if default else off or "off"
    also = [about["alias"]] if "alias" in about else []
    metavar = about.get("metavar", METAVARS[kind])
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=None,
        annotation=Annotated[kind | None, option(
            flag, about["help"], metavar, default, *also, hidden=about.get("hidden", False))])


def plain_type(setting: Field) -> Any:
    """int of int and of int | None."""
    return next(kind for kind in METAVARS if setting.type in (kind, kind | None))


Out = Annotated[Path | None, option("--out", "Run directory.", "DIR", "runs/…-1, -2, …")]
Resume = Annotated[bool, option("--resume", "Continue the run in --out.", None)]
Model = Annotated[
    str | None, option("--model", "Model family: gpt2, llama or recurrent.", "NAME", "gpt2")
]
Check = Annotated[bool, option("--check", "Check the model before training, then stop.", None)]
AsJson = Annotated[bool, option("--json", "Print one JSON object.", None)]
Device = Annotated[
    str | None, option("--device", "Device: auto, cpu, cuda or mps.", "NAME", "auto")
]


def print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"npgpt {version('npgpt')}")
        raise typer.Exit


def whole_command(version: Annotated[bool, typer.Option(
    "--version", help="Print the version and exit.", callback=print_version, is_eager=True,
)] = False) -> None:
    """The options of `npgpt` and `torchgpt` themselves."""


RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory, or its best/.")]
