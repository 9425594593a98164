"""Options: those that several commands share, and those made from a run's settings."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.families.setting import default_of
from npgpt.runs.settings import declared

METAVARS = {int: "N", float: "X", str: "NAME", bool: None}


def option(
    flag: str, text: str, metavar: str | None = "N", default: Any = None, *also: str
) -> Any:
    """An option that is None unless given; its default stands in `text`."""
    if default is not None:
        text = f"{text} [{default:g}]" if isinstance(default, float) else f"{text} [{default}]"
    return typer.Option(flag, *also, help=text, metavar=metavar, show_default=False)


def with_settings(*, without: tuple[str, ...] = ()) -> Callable:
    """A decorator that gives a command an option for each setting of a run.

    The options stand where the command has its keyword argument `settings`, and
    those that are given on the command line come as that dict.
    """

    def decorate(command: Callable) -> Callable:
        offered = [each for each in declared() if each.name not in without]

        @functools.wraps(command)
        def called(**values: Any) -> Any:
            found = {each.name: values.pop(each.name) for each in offered}
            given = {name: value for name, value in found.items() if value is not None}
            return command(settings=given, **values)

        # typer makes the command line from the signature
        parameters = []
        for parameter in inspect.signature(command).parameters.values():
            options = [as_parameter(each) for each in offered]
            parameters += options if parameter.name == "settings" else [parameter]
        called.__dict__["__signature__"] = inspect.Signature(parameters)
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return decorate


def as_parameter(setting: Field) -> inspect.Parameter:
    """The argument of a command that takes a setting; None where it is not given."""
    about, kind = setting.metadata, plain_type(setting)
    default = about["unset"] if "unset" in about else default_of(setting)
    flag = about.get("flag", "--" + setting.name.replace("_", "-"))
    if kind is bool:
        on, off = flag.split("/--")
        default = on.removeprefix("--") if default else off
    also = [about["alias"]] if "alias" in about else []
    metavar = about.get("metavar", METAVARS[kind])
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=None,
        annotation=Annotated[kind | None, option(flag, about["help"], metavar, default, *also)])


def plain_type(setting: Field) -> Any:
    """int of int and of int | None."""
    return next(kind for kind in METAVARS if setting.type in (kind, kind | None))


Whole = int | None
Real = float | None
Text = str | None

Out = Annotated[Path | None, option("--out", "Run directory.", "DIR", "runs/…-1, -2, …")]
Resume = Annotated[bool, option("--resume", "Continue the run in --out.", None)]
Check = Annotated[bool, option("--check", "Check the model before training, then stop.", None)]
AsJson = Annotated[bool, option("--json", "Print one JSON object.", None)]
Device = Annotated[Text, option("--device", "Device: auto, cpu, cuda or mps.", "NAME", "auto")]

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run's directory, or its best/.")]
Prompts = Annotated[
    list[str] | None,
    typer.Option("--prompt", help="The text to continue; repeat. [a line end]", metavar="TEXT",
                 show_default=False),
]
Ids = Annotated[Text, option("--ids", "Or its token ids: 1,2,3.", "LIST")]
Tokens = Annotated[int, typer.Option(help="Tokens to add.", metavar="N")]
Temperature = Annotated[float, typer.Option(help="0: always the likeliest.", metavar="X")]
TopK = Annotated[Whole, option("--top-k", "Only the K likeliest.", "K")]
TopP = Annotated[Real, option("--top-p", "Only those that make up P.", "P")]
Penalty = Annotated[
    float, typer.Option("--repetition-penalty", help="Above 1: repeat less.", metavar="X")
]
Stop = Annotated[
    list[str] | None,
    typer.Option("--stop", help="End before this text; repeat.", metavar="TEXT",
                 show_default=False),
]
LogProbs = Annotated[
    bool, typer.Option("--logprobs", help="A line a token, with its log-probability.")
]
Stream = Annotated[bool, typer.Option("--stream", help="With --json: an object a token, too.")]
SampleSeed = Annotated[int, typer.Option("--seed", help="Of the draws.", metavar="N")]
