"""The blocks of a chapter beside the twins: head, pictures, symbols, questions.

Each writes plain HTML; whatever it shows was computed, run or checked while
the page was built. CONTRIBUTING's page on chapters shows how to write them.
"""

import contextlib
import importlib
import inspect
import re
from html import escape

import measure
from axes import AXES
from block import DOCS, Block
from cells import Differs, Listing, Run
from docutils import nodes
from docutils.parsers.rst import directives
from inline import TICK
from sphinx import addnodes
from suite import REPORT, Mutants, SuiteTable, suite, suite_row
from teaching import Example, Mistake, Numbers, Play, Results, Road, Tries, button

from chapters import heads, titles, used_by


class Chapter(Block):
    """Under the title: one sentence, chips for the files and the suite's verdict, what comes
    before and what uses it; beside it the usual names, `name | what it means here`, and the
    papers, `from: …`."""

    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = {"before": directives.unchanged}

    def run(self):
        for path in sorted((DOCS / "_ext").glob("*.py")):  # a changed directive draws pages anew
            self.env.note_dependency(str(path))
        lines = [line for line in self.content if line.strip()]
        names = [line.split("|", 1) for line in lines if "|" in line]
        papers = [line.removeprefix("from: ") for line in lines if line.startswith("from: ")]
        lede = self.inline(" ".join(line for line in lines
                                    if "|" not in line and not line.startswith("from: ")))
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
        head = (f'<p class="lede">{lede}</p>'
                + (f'<ul class="chips">{"".join(chips)}</ul>' if chips else "") + self.ways())
        if not names:
            return [self.html(head)]
        rows = "".join(f"<dt>{self.inline(name.strip())}</dt><dd>{self.inline(words.strip())}</dd>"
                       for name, words in names)
        cited = "".join(f'<p class="cite">{self.inline(paper)}</p>' for paper in papers)
        return [self.searchable(names),
                self.html(f'<div class="pair head"><div>{head}</div><div class="names">'
                          f"<h2>Names you will meet elsewhere</h2><dl>{rows}</dl>{cited}</div>"
                          "</div>")]

    def searchable(self, names):
        """Entries by which the search finds this page first: the names, and what their rows
        set in bold."""
        found = []
        for name, words in names:
            found += [part.strip(" *`") for part in name.split(",")]
            found += re.findall(r"\*\*([^*]+)\*\*", words)
        return addnodes.index(entries=[("single", name, "", "main", None) for name in found])

    def ways(self):
        """Before this, used by."""
        page = self.env.docname.rpartition("/")[2]
        before = self.options.get("before", "").split()
        if "before" not in self.options:
            return ""
        heads.cache_clear()
        for name in [*before, *used_by(page)]:
            self.env.note_dependency(str(DOCS / "chapters" / f"{name}.md"))
        links = {}
        for words, pages in (("Before this", before), ("Used by", used_by(page))):
            for name in pages:
                if name not in titles():
                    self.fail(f":before: {name}: there is no such chapter")
            links[words] = "".join(f'<a href="{name}.html">{escape(titles()[name])}</a>'
                                   for name in pages)
        rows = "".join(f"<dt>{words}</dt><dd>{found}</dd>" for words, found in links.items()
                       if found)
        return f'<dl class="ways">{rows}</dl>' if rows else ""

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
        full_width = ' class="full"' if "wide" in self.options else ""
        return [self.html(f"<figure{full_width}>{''.join(images)}"
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
                          f"<tbody>{''.join(body)}</tbody></table>"
                          f"{self.axes_of(row[2] for row in rows)}</div>")]

    def axes_of(self, shapes):
        """What each letter of the shapes counts."""
        used = dict.fromkeys(re.findall(r"\b[A-Z]\b", " ".join(shapes)))
        if not used:
            return ""
        up = "../" * self.env.docname.count("/")
        for axis in used:
            if axis not in AXES:
                self.fail(f"docs/_ext/axes.py does not say what {axis} counts")
        known = "glossary" in self.env.found_docs
        rows = "".join(
            '<tr><th scope="row">'
            + (f'<a href="{up}glossary.html#letters">{axis}</a>' if known else axis) + "</th>"
            f"<td>{AXES[axis]}</td></tr>" for axis in used)
        return ('<table class="letters"><caption>The letters in a shape</caption>'
                f"<tbody>{rows}</tbody></table>")


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
                        ("review", Review), ("numbers", Numbers),
                        ("example", Example), ("mistake", Mistake), ("play", Play),
                        ("tries", Tries), ("road", Road), ("results", Results),
                        ("mutants", Mutants), ("suite", SuiteTable)):
        app.add_directive(name, block)
    for side in ("np", "pt"):
        app.add_role(side, tint(side))
    app.add_role("do", button)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
