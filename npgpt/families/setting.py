"""setting: a dataclass field that says what it is for and what it may be."""

import math
from dataclasses import MISSING, field

from npgpt.errors import InputError, quote

LARGEST = 2**63 - 1  # of the whole numbers that arrays count with
WORDS = {"least": "at least", "above": "above",
         "most": "at most", "below": "below"}


def setting(default, help, **more):
    """-> a field with its help text and, in `more`, any of

    least, above, most, below   bounds of a number
    choices     the values of a string
    unset       in words: what None stands for
    new_run     the default in a run, where it is another
    before      the value in a run.json that is older than the setting
    metavar, flag, alias        how the command line calls it
    hidden      True for an option that works, and for which a screen of
                help has no room
    """
    return field(default=default, metadata={"help": help, **more})


def default_of(setting):
    """What a new run takes."""
    return setting.metadata.get("new_run", setting.default)


def flag_of(setting):
    """Its option on the command line."""
    return setting.metadata.get("flag", "--" + setting.name.replace("_", "-"))


def before(setting):
    """What a run.json without the setting stands for; MISSING where
    every run.json has it."""
    return setting.metadata.get("before", MISSING)


def check_setting(setting, value):
    """Raise InputError where the value is outside the setting's bounds."""
    name, about = setting.name, setting.metadata
    if "choices" in about and value not in about["choices"]:
        *others, last = about["choices"]
        raise InputError(
            f"{name} is {quote(value)}: give {', '.join(others)} or {last}")
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        about = {"most": LARGEST, **about}
    fits = {"least": lambda bound: value >= bound,
            "above": lambda bound: value > bound,
            "most": lambda bound: value <= bound,
            "below": lambda bound: value < bound}
    bounds = {kind: about[kind] for kind in fits if kind in about}
    finite = isinstance(value, int) or math.isfinite(value)
    if finite and all(fits[kind](bounds[kind]) for kind in bounds):
        return
    if bounds.get("most") == LARGEST and value <= LARGEST:
        del bounds["most"]
    said = " and ".join(f"{WORDS[kind]} {bound:.15g}" if
                        isinstance(bound, float) else
                        f"{WORDS[kind]} {bound}"
                        for kind, bound in bounds.items())
    raise InputError(f"{name} is {quote(value)}: give a number {said}")
