"""The packages that npgpt and its extras require, as the installed metadata lists them."""

import importlib
import importlib.metadata
import re

# what an extra is for; an extra that is not here is listed all the same
USES = {
    "torch": "duet, torchgpt, the whole gradcheck",
    "data": "near duplicates in prepare",
    "compile": "npgpt train --compile",
    "chat": "npgpt chat",
    "test": "the parity tests",
    "witness": "further witnesses of the acceptance profile",
    "docs": "npgpt book",
    "lint": "checks of the source",
}
Finding = tuple[str, str, str, str]  # ok, note or missing; of what; what was found; the remedy


def requirements() -> dict[str, list[str]]:
    """extra -> names of its packages, "" being those that are always needed. An extra that
    an extra refers to is left out: it is listed by itself. Empty where npgpt is not
    installed."""
    try:
        about = importlib.metadata.metadata("npgpt")
    except importlib.metadata.PackageNotFoundError:
        return {}
    found: dict[str, list[str]] = {"": []}
    found |= {extra: [] for extra in about.get_all("Provides-Extra") or []}
    for line in about.get_all("Requires-Dist") or []:
        name = re.split(r"[^\w.-]", line)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if name != "npgpt":
            found[extra[1] if extra else ""].append(name)
    return found


def required_packages() -> list[Finding]:
    lines: list[Finding] = []
    for name in requirements().get("", []):
        if name == "numpy":  # has a line of its own
            continue
        found = version(name)
        lines.append(("ok", name, found, "") if found else
                     ("missing", name, "not installed", f"pip install {name}"))
    return lines


def extras() -> list[Finding]:
    """A line for each extra: its package and version where it is one package, which is
    loaded as well, else how many it has."""
    known = requirements()
    if not known:
        return [("note", "extras", "unknown: npgpt is not installed, only imported",
                 "in its directory, pip install -e .")]
    lines: list[Finding] = []
    for extra, names in known.items():
        if not extra:
            continue
        trouble = [f"{name} {why}" for name in names
                   if (why := what_is_wrong(name, load=len(names) == 1))]
        what = names[0] if len(names) == 1 else f"[{extra}]"
        if not trouble:
            found = version(names[0]) if len(names) == 1 else f"all {len(names)} packages"
            lines.append(("ok", what, found or "", ""))
            continue
        if len(names) == 1:
            trouble[0] = trouble[0].removeprefix(f"{what} ")
        use = f"; needed for: {USES[extra]}" if extra in USES else ""
        lines.append(("note", what, ", ".join(trouble) + use, f"pip install 'npgpt[{extra}]'"))
    return lines


def version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def what_is_wrong(name: str, load: bool) -> str | None:
    """"not installed" or "does not load (…)", or None."""
    if load:
        try:
            importlib.import_module(name)
        except ImportError as error:
            return "not installed" if error.name == name else f"does not load ({error})"
    return None if version(name) else "not installed"
