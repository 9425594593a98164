"""One page for each source file of the two packages, with a link target a line."""

import inspect
from html import escape
from pathlib import Path

from highlight import code_line, tokens_of

ROOT = Path(__file__).parents[2]


def pages(app):
    for package in ("npgpt", "torchgpt"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
            rows = tokens_of(lines, 1)
            body = "".join(
                f'<div class="ln" id="L{i}"><a class="no" href="#L{i}" tabindex="-1" '
                f'aria-label="Link to line {i}">{i}</a>'
                f"<code>{code_line(rows.get(i, []))}</code></div>"
                for i in range(1, len(lines) + 1))
            yield (f"source/{name.removesuffix('.py')}",
                   {"title": name, "body": f'<h1 class="path">{escape(name)}</h1>'
                    f'<div class="cell"><div class="code">{body}</div></div>'}, "page.html")


def resolve(domain, info):
    """The source link beside a documented function."""
    from importlib import import_module

    if domain != "py" or not info["module"]:
        return None
    thing = import_module(info["module"])
    for part in info["fullname"].split("."):
        thing = getattr(thing, part, None)
    try:
        thing = inspect.unwrap(thing)
        path = Path(inspect.getsourcefile(thing)).relative_to(ROOT).with_suffix(".html")
        return f"source/{path.as_posix()}#L{inspect.getsourcelines(thing)[1]}"
    except (TypeError, ValueError, OSError):
        return None


def setup(app):
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
