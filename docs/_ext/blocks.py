"""The other blocks of a chapter: head, picture, symbols, cells, differences, questions.

Each writes plain HTML; whatever it shows was computed, run or checked while
the page was built. CONTRIBUTING's page on chapters shows how to write them.
"""

import ast
import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import re
import sys
import textwrap
from html import escape
from pathlib import Path

import measure
import numpy as np
import torch
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from twin import TICK, Inline, names_in, needed, plain_code

DOCS = Path(__file__).parents[1]
LOADED = {}
# the record that is kept in the repository, else that of the last run here
REPORT = next((path for path in (DOCS.parent / "parity_tests" / "report.json",
                                 DOCS.parent / ".pytest_cache" / "d" / "parity" / "report.json")
               if path.exists()), DOCS / "none")


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


def load(path, function):
    """A function from a file of docs/pictures, which may import `svg`."""
    for place in (path.parent, Path(__file__).parent):
        if str(place) not in sys.path:
            sys.path.insert(0, str(place))
    key = path, path.stat().st_mtime_ns
    if key not in LOADED:  # once a process: a file's pictures share what they compute
        spec = importlib.util.spec_from_file_location(f"picture_{path.stem}", path)
        LOADED[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(LOADED[key])
    return getattr(LOADED[key], function)


class Chapter(Block):
    """Under the title: one sentence, and chips for the files and the suite's verdict."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self):
        for path in sorted((DOCS / "_ext").glob("*.py")):  # a changed directive draws pages anew
            self.env.note_dependency(str(path))
        lede = self.inline(" ".join(self.content))
        chips, up = [], "../" * self.env.docname.count("/")
        modules = {}
        for name in self.arguments[0].split() if self.arguments else []:
            for side, kind in (("npgpt", "np"), ("torchgpt", "pt")):
                if is_module(name):
                    module = importlib.import_module(name)
                    self.env.note_dependency(module.__file__)
                    modules[name] = "np" if name.startswith("npgpt.") else "pt"
                    break
                with contextlib.suppress(measure.TwinError):
                    function = inspect.unwrap(measure.find(side, name))
                    modules.setdefault(function.__module__, kind)
                    self.env.note_dependency(inspect.getsourcefile(function))
        for module, kind in modules.items():
            path = module.replace(".", "/")
            chips.append(
                f'<li><a class="chip" href="{up}source/{path}.html"><span class="sq {kind}">'
                f"</span><code>{path}.py</code></a></li>")
        self.env.temp_data["book_sources"] = list(modules)
        parts = [n for n in (self.arguments or [""])[0].split() if not is_module(n)]
        if parts and (not suite() or suite_row(parts)):
            chips.append(self.verdict(parts, up))
        return [self.html(f'<p class="lede">{lede}</p>'
                          + (f'<ul class="chips">{"".join(chips)}</ul>' if chips else ""))]

    def verdict(self, names, up):
        if REPORT.exists():
            self.env.note_dependency(str(REPORT))
        row = suite_row(names)
        link = f'{up}proof.html'
        if row is None:
            return (f'<li><a class="chip" href="{link}"><span>the suite’s table: '
                    "not yet measured</span></a></li>")
        tick = TICK.replace("<svg", '<svg class="tick"')
        return (f'<li><a class="chip" href="{link}">{tick}<span>checked by '
                f"<code>parity_tests</code>: {escape(row)}</span></a></li>")


def is_module(name):
    """npgpt.training.loop is one; layer_norm and gpt2.forward are functions."""
    return name.startswith(("npgpt.", "torchgpt."))


def suite():
    """The parity suite's own table, or None where it has not been run."""
    if not REPORT.exists():
        return None
    return json.loads(REPORT.read_text(encoding="utf-8"))


def suite_row(names):
    """One line about a component from the suite's table."""
    rows = (suite() or {}).get("components", {})
    found = [rows[name] for name in names if name in rows]
    if not found:
        return None
    examples = sum(row["examples"] for row in found)
    worst = max(max(row["forward"], row["backward"]) for row in found)
    return f"{examples} examples, worst error {worst:.0%} of its budget"


class Pair(Block):
    """Two blocks side by side, over the columns of the twin."""

    option_spec = {"class": directives.unchanged}

    def run(self):
        return self.wrapped(f'<div class="pair {self.options.get("class", "")}">', "</div>")


class Prose(Block):
    """Text beside a picture: one column of a pair."""

    def run(self):
        return self.wrapped('<div class="prose">', "</div>")


class Picture(Block):
    """A drawing computed by docs/pictures/NAME.py: `picture(width)` or `NAME:other`.
    Drawn twice, wide and for a phone. The content is its caption."""

    required_arguments = 1
    option_spec = {"alt": directives.unchanged_required, "wide": directives.flag}

    def run(self):
        if "alt" not in self.options:
            self.fail("a picture needs :alt:, the words for who cannot see it")
        draw = self.pages_function(self.arguments[0])
        widths = {"wide": 1320 if "wide" in self.options else 640, "narrow": 360}
        images = []
        for kind, width in widths.items():
            image = draw(width)
            text = image if isinstance(image, str) else image.html(kind, self.options["alt"])
            images.append(text)
        caption = self.inline(" ".join(self.content))
        wide = ' class="full"' if "wide" in self.options else ""
        return [self.html(f"<figure{wide}>{''.join(images)}"
                          + (f"<figcaption>{caption}</figcaption>" if caption else "")
                          + "</figure>")]


class Symbols(Block):
    """Rows `LaTeX | variable | shape | meaning`; variable `-` where code has none."""

    def run(self):
        rows, table, checked = [], {}, {}
        source, first = self.get_source_info()
        for i, text in enumerate(line for line in self.content if line.strip()):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", text, maxsplit=3)]
            if len(cells) != 4:
                self.fail(f"a row of symbols has four parts, not {len(cells)}: {text}")
            rows.append(cells)
            if cells[1] != "-":
                table[cells[1]] = cells[0]
                checked[cells[1]] = (cells[2], f"{source}:{first + i + 1}")
        if not hasattr(self.env, "book_symbols"):
            self.env.book_symbols = {}
        self.env.book_symbols[self.env.docname] = {
            **self.env.book_symbols.get(self.env.docname, {}), **table}
        self.env.temp_data.setdefault("book_symbol_rows", {}).update(checked)
        body = []
        for tex, name, shape, meaning in rows:
            data = f' data-v="{name}"' if name != "-" else ""
            button = (f'<button class="v var" type="button" data-v="{name}">{name}</button>'
                      if data else "")
            body.append(
                f'<tr{data}><td class="m">{self.inline(f"${tex}$") if tex != "-" else ""}</td>'
                f'<td>{button}</td><td class="sh">{escape(shape)}</td>'
                f'<td><span class="mean">{self.inline(meaning)}</span></td></tr>')
        head = "".join(f'<th scope="col">{t}</th>' for t in ("Maths", "Code", "Shape", "Meaning"))
        return [self.html(f'<div><table class="sym"><thead><tr>{head}</tr></thead>'
                          f"<tbody>{''.join(body)}</tbody></table></div>")]


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


class Question(Block):
    """A question with its answer folded away."""

    required_arguments = 1
    final_argument_whitespace = True
    kind = "Exercise"

    def run(self):
        if not "".join(self.content).strip():
            self.fail(f"this question has no answer: {self.arguments[0]}")
        counts = self.env.temp_data.setdefault("book_questions", {})
        counts[self.kind] = counts.get(self.kind, 0) + 1
        asked = self.inline(self.arguments[0].replace("\n", " "))
        before = (f'<div class="ex"><h3>{counts[self.kind]}. {asked}</h3>'
                  "<details><summary>Answer</summary>")
        return self.wrapped(before, "</details></div>")


class Review(Question):
    kind = "Review"


def planted(group, name=None):
    """[(what, file, right text, wrong text)] of a file of parity_tests/mutants."""
    if str(DOCS.parent) not in sys.path:
        sys.path.insert(0, str(DOCS.parent))
    found = []
    for mutant in importlib.import_module(f"parity_tests.mutants.{group}").MUTANTS:
        if isinstance(mutant, tuple):
            what, file, old, new = mutant
            found.append((what, f"npgpt/text/{file}", old, new))
        else:
            found.append((mutant.what, mutant.file, mutant.old, mutant.new))
    return [row for row in found if name is None or row[1].split("/")[-1] == name]


class Mutants(Block):
    """The suite's planted mistakes of `layers`, `model`, …, or `layers layer_norm`, those of
    one file: what, the line, the wrong line."""

    required_arguments = 1
    optional_arguments = 1
    has_content = False

    def run(self):
        path = DOCS.parent / "parity_tests" / "mutants" / f"{self.arguments[0]}.py"
        if not path.exists():
            self.fail(f"there is no {path}")
        self.env.note_dependency(str(path))
        found = planted(*self.arguments)
        held = (suite() or {}).get("mutants", {}).values()
        verdicts = {name: killed for part in held for name, killed in part.items()}
        out, last = [], None
        for what, file, old, new in found:
            name = file.split("/")[-1]
            if self.arguments[1:]:
                pass
            elif name != last and (DOCS / "chapters" / f"{name}.md").exists():
                out.append(f'<li class="of"><a href="chapters/{name}.html">{name}</a></li>')
            elif name != last:
                out.append(f'<li class="of">{name}</li>')
            last = name
            killed = verdicts.get(f"{file}: {what}")
            found_it = f'<span class="ok">{TICK}found</span>'
            verdict = {True: found_it, False: "survived"}.get(killed, "")
            kind = "pt" if file.startswith("torchgpt") else "np"
            out.append(
                f'<li><p><span class="sq {kind}"></span> {escape(what)} {verdict}</p>'
                f'<pre tabindex="0"><code>{both(old, new)}</code></pre></li>')
        if not out:
            self.fail(f"there is no mutant of {' '.join(self.arguments)}")
        return [self.html(f'<ul class="mutants">{"".join(out)}</ul>')]


def both(old, new):
    """The right lines and the wrong ones, without the indent they share."""
    old, new = (textwrap.dedent(text.strip("\n")) for text in (old, new))
    right = "\n".join(f"  {escape(line)}" for line in old.split("\n"))
    wrong = "\n".join(f"≠ {escape(line)}" for line in new.split("\n"))
    return f"{right}\n<b>{wrong}</b>"


class SuiteTable(Block):
    """The parity suite's own table, or how to make it."""

    has_content = False

    def run(self):
        table = suite()
        if REPORT.exists():
            self.env.note_dependency(str(REPORT))
        if table is None:
            return [self.html(
                "<p><b>Not yet measured here.</b> Run <code>pytest</code>; it ends with this table "
                "and writes it where the book finds it.</p>")]
        heads = ("component", "examples", "witnesses", "worst error forward", "backward",
                 "mutants found")
        out = []
        from npgpt.checking.components import CASES

        for name in CASES:
            row = table["components"].get(name)
            if row is None:
                out.append(f"<tr><td>{name}</td><td colspan=5>not yet measured</td></tr>")
                continue
            killed = table["mutants"].get(name, {})
            full = [who for who in row["witnesses"]
                    if who.split()[-1] not in ("float32", "bfloat16")]
            page = name.removesuffix(".forward")
            link = (f'<a href="chapters/{page}.html">{name}</a>'
                    if (DOCS / "chapters" / f"{page}.md").exists() else name)
            cells = (link, str(row["examples"]), escape(", ".join(full)), f"{row['forward']:.0%}",
                     f"{row['backward']:.0%}" if "autograd" in row["witnesses"] else "–",
                     f"{sum(killed.values())} of {len(killed)}" if killed else "–")
            out.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        head = "".join(f'<th scope="col">{words}</th>' for words in heads)
        where = (f"{table['profile']} profile, {table['date']}, commit {table['commit']}, on "
                 f"{table['device_name']}, "
                 + ", ".join(f"{name} {number}" for name, number in table["versions"].items()))
        return [self.html(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(out)}</tbody>"
                          f"</table><p>Worst errors as a share of their budget. "
                          f"{escape(where)}.</p>")]


def tint(side):
    """{np}`words` and {pt}`words`: in the colour of one half."""

    def role(name, rawtext, text, lineno, inliner, options=None, content=None):
        html = f'<span class="tint-{side}">{escape(text)}</span>'
        return [nodes.raw("", html, format="html")], []

    return role


def forget(app, env, docname):
    getattr(env, "book_symbols", {}).pop(docname, None)


def merge(app, env, docnames, other):
    if not hasattr(env, "book_symbols"):
        env.book_symbols = {}
    env.book_symbols.update(getattr(other, "book_symbols", {}))


def setup(app):
    for name, block in (("chapter", Chapter), ("pair", Pair), ("prose", Prose),
                        ("picture", Picture), ("symbols", Symbols), ("run", Run),
                        ("listing", Listing), ("differs", Differs), ("exercise", Question),
                        ("review", Review), ("mutants", Mutants), ("suite", SuiteTable)):
        app.add_directive(name, block)
    for side in ("np", "pt"):
        app.add_role(side, tint(side))
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
