"""`{grown} FOLDER/STEP`: a small program that grows from file to file.

Shows docs/examples/FOLDER/STEP.py with what is new against the file before it, and
below it what the program prints: it is run while the page is built, and the page's cells
know the names that it defines.
"""

import contextlib
import io
import re
import runpy
from difflib import SequenceMatcher
from html import escape

from block import DOCS, Block
from highlight import plain_code
from sphinx.errors import ExtensionError

EXAMPLES = DOCS / "examples"


def steps(folder):
    """The files of a program that grows, in order: step_1_….py, step_2_….py, …"""
    files = list((EXAMPLES / folder).glob("step_*.py"))
    return sorted(files, key=lambda file: int(re.match(r"step_(\d+)", file.stem)[1]))


def lines_of(file):
    return file.read_text(encoding="utf-8").rstrip("\n").split("\n")


def compared(old, new):
    """Yields (kind, index): "gone" with a line of `old`, "same" or "new" with one of `new`."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            yield from (("same", at) for at in range(k, m))
            continue
        yield from (("gone", at) for at in range(i, j))
        yield from (("new", at) for at in range(k, m))


def run_program(file):
    """-> what the program prints, and the names that it defines."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            names = runpy.run_path(str(file), run_name="__main__")
    except Exception as error:
        raise ExtensionError(f"{file}: the program does not run: {error!r}") from error
    return printed.getvalue().rstrip(), names


def source_text(path):
    """The text of `FOLDER/STEP`, for a cell of a notebook."""
    return (EXAMPLES / f"{path}.py").read_text(encoding="utf-8").rstrip()


class Grown(Block):
    required_arguments = 1
    has_content = False

    def run(self):
        folder, _, name = self.arguments[0].partition("/")
        files = {file.stem: file for file in steps(folder)}
        if name not in files:
            self.fail(f"there is no {EXAMPLES / folder / name}.py")
        for file in files.values():
            self.env.note_dependency(str(file))
        at = list(files).index(name)
        new = lines_of(files[name])
        old = lines_of(list(files.values())[at - 1]) if at else new
        new_html, old_html = plain_code("\n".join(new)), plain_code("\n".join(old))
        rows = []
        for kind, i in compared(old, new):
            if kind == "gone":
                rows.append('<div class="ln gone"><span class="no" aria-label="gone">−</span>'
                            f"<del>{old_html[i]}</del></div>")
            else:
                number = f'<span class="no">{i + 1}</span>'
                if kind == "new":
                    number = f'<span class="no" aria-label="new, line {i + 1}">+{i + 1}</span>'
                rows.append(f'<div class="ln {kind}">{number}<code>{new_html[i]}</code></div>')
        printed, names = run_program(files[name])
        space = self.env.temp_data.setdefault("book_space", {"__name__": "__page__"})
        space.update((key, value) for key, value in names.items() if key[:2] != "__")
        before = f"{at} → {at + 1}" if at else "the first"
        return [self.html(
            f'<div class="cell program"><div class="top"><code class="file">docs/examples/{folder}/'
            f'{name}.py</code><span class="grow"></span><span class="file">{before}</span>'
            '<button class="copy needs-js" type="button" data-copy="run">Copy</button></div>'
            f'<div class="code">{"".join(rows)}</div>'
            f'<pre class="out" tabindex="0">{escape(printed)}</pre></div>')]


def setup(app):
    app.add_directive("grown", Grown)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
