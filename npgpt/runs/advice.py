"""Command lines that continue a run as it is."""

from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import shell_quote
from npgpt.runs.checkpoint import read_settings, saved_step
from npgpt.runs.settings import CHANGEABLE, flags


def resume_line(program: str, path: Path, changes: dict[str, Any] | None = None) -> str:
    """What continues the run at `path`, with the settings that it is given anew."""
    command = "finetune" if "finetune" in (read_settings(path) or {}) else "train"
    line = f"{program} {command} --out {shell_quote(path)} --resume"
    for name, value in (changes or {}).items():
        line += f" {flags([name])} {value}"
    return line


def changes_of(run: Any) -> dict[str, Any]:
    """The settings of the run that are not those of its run.json."""
    stored = (read_settings(run.path) or {}).get("settings", {})
    return {name: getattr(run.settings, name) for name in CHANGEABLE
            if getattr(run.settings, name) != stored.get(name)}


def how_to_continue(program: str, path: Path) -> str:
    """What continues whatever is at `path`, a longer run where it has done its steps;
    "" where that is no run."""
    try:
        settings, step = (read_settings(path) or {})["settings"], saved_step(path)
        steps = int(settings["steps"])
    except (InputError, KeyError, TypeError, ValueError):
        return ""
    more = {"steps": 2 * step} if step and step >= steps else None
    return f", or continue that run with {resume_line(program, path, more)}"


def at_the_minimum(run: Any) -> str | None:
    """What to know of a run that goes on after its learning rate has come down."""
    settings = run.settings
    if settings.steps <= settings.decay_steps:
        return None
    first = max(run.step, settings.decay_steps) + 1
    return (f"steps {first} to {settings.steps} run at the final learning rate,"
            f" {settings.minimum_rate:g}: --decay-steps {settings.steps} would lower it over"
            " all of them")
