"""What every block of a chapter is made of."""

import importlib.util
import sys
from pathlib import Path

from docutils import nodes
from inline import Inline
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

DOCS = Path(__file__).parents[1]
LOADED = {}


class Block(SphinxDirective):
    has_content = True

    def html(self, text):
        return nodes.raw("", text, format="html")

    def wrapped(self, before, after, children=None):
        inside = children if children is not None else self.parse_content_to_nodes()
        return [self.html(before), *inside, self.html(after)]

    def inline(self, text):
        symbols = getattr(self.env, "book_symbols", {}).get(self.env.docname, {})
        return Inline(symbols, self.get_location())(text)

    def fail(self, words):
        raise ExtensionError(f"{self.get_location()}: {words}")

    def pages_function(self, name):
        """`layer_norm` or `layer_norm:plot` -> a function of docs/pictures."""
        file, _, function = name.partition(":")
        path = DOCS / "pictures" / f"{file}.py"
        if not path.exists():
            self.fail(f"there is no {path}")
        self.env.note_dependency(str(path))
        return load(path, function or "picture")


def load(path, function, *missing):
    """A function from a file of docs/pictures, which may import `svg` and its neighbours.
    These are found last: one of them is called like a library."""
    for place in (Path(__file__).parent, DOCS / "pictures"):
        if str(place) not in sys.path:
            sys.path.append(str(place))
    key = path, path.stat().st_mtime_ns
    if key not in LOADED:  # once a process: a file's pictures share what they compute
        spec = importlib.util.spec_from_file_location(f"picture_{path.stem}", path)
        LOADED[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(LOADED[key])
    return getattr(LOADED[key], function, *missing)
