"""Code on a page that has no twin: cells that run, listings, single lines."""

import ast
import contextlib
import importlib
import inspect
import io
import re
import sys
import textwrap
from html import escape
from pathlib import Path

import numpy as np
import torch
from block import Block
from docutils.parsers.rst import directives
from highlight import names_in, plain_code
from pasting import needed
from sphinx.errors import ExtensionError


class Run(Block):
    """A cell: its code is executed when the page is built, and what it prints is shown.
    The cells of a page share their variables."""

    option_spec = {"title": directives.unchanged}

    def run(self):
        code = "\n".join(self.content)
        space = self.env.temp_data.setdefault("book_space", {"__name__": "__page__"})
        printed = io.StringIO()
        source, line = self.get_source_info()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(code, f"{source}:{line}", "exec"), space)
        except Exception as error:
            raise ExtensionError(f"{source}:{line}: the cell does not run: {error!r}") from error
        lines = "".join(
            f'<div class="ln"><span class="no">{i}</span><code>{text}</code></div>'
            for i, text in enumerate(plain_code(code), 1))
        sides = [kind for kind, word in (("np", "npgpt"), ("pt", "torchgpt")) if word in code]
        marks = "".join(f'<span class="sq {kind}"></span>' for kind in sides)
        title = escape(self.options.get("title", "Python"))
        out = escape(printed.getvalue().rstrip())
        result = f'<pre class="out" tabindex="0">{out}</pre>' if out else ""
        return [self.html(
            f'<div class="cell"><div class="top">{marks}{title}<span class="grow"></span>'
            '<button class="copy needs-js" type="button" data-copy="run">Copy</button></div>'
            f'<div class="code">{lines}</div>{result}</div>')]


class Listing(Block):
    """Functions that have no twin: `listing npgpt.training.batches draw_batch`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = False

    def run(self):
        name, *functions = self.arguments[0].split()
        module = importlib.import_module(name)
        self.env.note_dependency(module.__file__)
        path, up = name.replace(".", "/"), "../" * self.env.docname.count("/")
        rows, trees = [], []
        for function in functions:
            lines, first = inspect.getsourcelines(
                inspect.unwrap(eval(function, vars(module))))
            text = textwrap.dedent("".join(lines)).rstrip()
            trees.append(ast.parse(text).body[0])
            variables = names_in(trees[-1])
            for i, line in enumerate(plain_code(text, variables)):
                link = f"{up}source/{path}.html#L{first + i}"
                rows.append(f'<div class="ln"><a class="no" href="{link}" tabindex="-1" '
                            f'aria-label="Line {first + i} in its file">{first + i}</a>'
                            f"<code>{line}</code></div>")
            rows.append('<div class="ln"><span class="no"></span><code> </code></div>')
        kind = "np" if name.startswith("npgpt") else "pt"
        before = needed(trees, Path(module.__file__), name, {tree.name for tree in trees})
        return [self.html(
            f'<div class="cell"><div class="top"><span class="sq {kind}"></span>'
            f'<a class="file" href="{up}source/{path}.html">{path}.py</a>'
            '<span class="grow"></span>'
            f'<button class="copy needs-js" type="button" data-copy="run" '
            f'data-before="{escape(before)}">Copy</button></div>'
            f'<div class="code">{"".join(rows[:-1])}</div></div>')]


class Differs(Block):
    """Items "- `numpy` | `torch`" and a paragraph. Code must stand in the chapter's files;
    "`expression → result`" is evaluated and must give that result."""

    def run(self):
        items = []
        for text in self.content:
            if text.startswith("- "):
                items.append([text[2:], []])
            elif items and text.strip():
                items[-1][1].append(text.strip())
        out = []
        for head, words in items:
            codes = re.findall(r"`([^`]+)`", head)
            if len(codes) != 2 or not words:
                self.fail(f"an item is `numpy` | `torch` and its reason: {head}")
            for code, side in zip(codes, ("npgpt", "torchgpt")):
                self.check(code, side)
            spell = "".join(
                f'<span class="spell"><span class="sq {kind}"></span>'
                f"<code>{escape(code)}</code></span>"
                for kind, code in zip(("np", "pt"), codes))
            out.append(f"<li>{spell}<p>{self.inline(' '.join(words))}</p></li>")
        return [self.html(f'<ul class="differs">{"".join(out)}</ul>')]

    def check(self, code, side):
        if "→" in code:
            expression, expected = (part.strip() for part in code.split("→"))
            space = {"np": np, "torch": torch}
            try:
                value = eval(expression, space)
            except Exception as error:
                value = type(error).__name__
            found = str(value)
            if found != expected:
                self.fail(f"`{expression}` gives {found}, not {expected}")
            return
        modules = [m for m in self.env.temp_data.get("book_sources", []) if m.startswith(side)]
        texts = [Path(sys.modules[m].__file__).read_text(encoding="utf-8") for m in modules]
        squeezed = [re.sub(r"\s+", "", text) for text in texts]
        if texts and not any(re.sub(r"\s+", "", code) in text for text in squeezed):
            self.fail(f"`{code}` does not stand in {', '.join(modules)}")
