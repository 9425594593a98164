"""The blocks that teach: an example's numbers, mistakes of real projects, figures that move."""

import json
import re
from html import escape

import numpy as np
from block import DOCS, Block
from docutils import nodes
from docutils.parsers.rst import directives
from reasons import decimals, number_table
from worked import evaluated, inserted, space_of

from chapters import lede, road, title_of


class Numbers(Block):
    """Tables of the worked example side by side, a line each:
    `q | what it looks for | rows | columns [| format]`, the last parts names of `worked()`.
    `shares := probs[2:4] | …` shows another name than the expression."""

    optional_arguments = 1

    def run(self):
        space, out = self.example(), []
        for line in filter(str.strip, self.content):
            parts = [part.strip() for part in line.split("|")]
            if len(parts) < 4:
                self.fail(f"a table is `value | what it is | rows | columns`: {line}")
            value, words, rows, columns, *form = parts
            name, _, value = value.rpartition(" := ")
            array = np.asarray(evaluated(value, space, self.get_location()))
            names = evaluated(rows, space, self.get_location()) or [""] * len(array)
            heads = evaluated(columns, space, self.get_location()) if columns else None
            table = number_table(
                [(str(row_name), row, form[0] if form else decimals(array.ravel()))
                 for row_name, row in zip(names, array)],
                heads, f"<code>{escape(name or value)}</code> {self.inline(words)}", "heat",
                signed=value.startswith("d_"))
            out.append(f"<div>{table}</div>")
        kind = "three" if len(out) > 1 else "alone"
        return [self.html(f'<div class="{kind}">{"".join(out)}</div>')]

    def example(self):
        return example_of(self, self.arguments[0] if self.arguments else None)


class Results(Block):
    """A table of words: `results NAME`, a list of rows in `worked()`, the first one the heads."""

    required_arguments = 1
    has_content = False

    def run(self):
        heads, *rows = evaluated(self.arguments[0], example_of(self), self.get_location())
        top = "".join(f'<th scope="col">{self.inline(word)}</th>' for word in heads)
        body = "".join(
            f'<tr><th scope="row">{self.inline(first)}</th>'
            + "".join(f"<td>{self.inline(word)}</td>" for word in rest) + "</tr>"
            for first, *rest in rows)
        return [self.html(f'<table class="results"><thead><tr>{top}</tr></thead>'
                          f"<tbody>{body}</tbody></table>")]


def example_of(block, name=None):
    """The names of the page's worked example, all steps done; of the page's first function."""
    page = block.env.docname.rpartition("/")[2]
    space = space_of(page, name)
    if not space:
        block.fail(f"docs/pictures/{page}.py has no worked()")
    block.env.note_dependency(str(DOCS / "pictures" / f"{page}.py"))
    return space


class Example(Block):
    """A paragraph with «numbers» of the worked example."""

    optional_arguments = 1

    def run(self):
        space = example_of(self, self.arguments[0] if self.arguments else None)
        text = inserted("\n".join(self.content), space, self.get_location())
        parts = [f"<p>{self.inline(' '.join(part.split()))}</p>"
                 for part in re.split(r"\n\s*\n", text) if part.strip()]
        return [self.html(f'<div class="prose">{"".join(parts)}</div>')]


class Mistake(Block):
    """What a real project got wrong: `:bad:` and `:good:` lines, the cost, where it is told."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"bad": directives.unchanged, "good": directives.unchanged,
                   "cost": directives.unchanged_required, "source": directives.unchanged_required}

    def run(self):
        for key in ("cost", "source"):
            if key not in self.options:
                self.fail(f"a mistake says its :{key}:")
        lines = "".join(
            f'<span class="{kind}">{escape(line)}</span>'
            for kind in ("bad", "good") for line in self.options.get(kind, "").split("\n") if line)
        rows = "".join(f"<dt>{words}</dt><dd>{self.inline(text)}</dd>" for words, text in (
            ("What happens", " ".join(self.content)), ("What it costs", self.options["cost"]),
            ("Where", self.options["source"])))
        return [self.html(
            f'<article class="mistake"><h3>{self.inline(self.arguments[0])}</h3>'
            + (f"<pre>{lines}</pre>" if lines else "") + f"<dl>{rows}</dl></article>")]


class Play(Block):
    """A figure that the reader moves: docs/pictures/play/NAME.py draws it still and gives its
    data (`play() -> html, data`), docs/_theme/book/static/play/NAME.js moves it."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        html, data = self.pages_function(f"play/{name}:play")()
        script = DOCS / "_theme" / "book" / "static" / "play" / f"{name}.js"
        if not script.exists():
            self.fail(f"there is no {script}")
        self.env.note_dependency(str(script))
        up = "../" * self.env.docname.count("/")
        data_text = json.dumps(data).replace("</", "<\\/")
        return [self.html(
            f'<div class="play" id="play-{name}">{html}'
            '<noscript><p class="cap">With scripts on, these numbers can be moved.</p></noscript>'
            f'<script type="application/json">{data_text}</script>'
            f'<script src="{up}_static/play.js" defer></script>'
            f'<script src="{up}_static/play/{name}.js" defer></script></div>')]


class Tries(Block):
    """What to see in the figure beside it: a numbered list, with {do} buttons."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self):
        title = self.arguments[0] if self.arguments else "Three things to see"
        return self.wrapped(f'<div class="prose tries"><h3>{escape(title)}</h3>', "</div>")


def button(name, rawtext, text, lineno, inliner, options=None, content=None):
    """{do}`preset: words`: a button that puts the section's figure into one of its presets."""
    preset, _, words = text.partition(": ")
    html = (f'<button class="do needs-js" type="button" data-do="{escape(preset)}">'
            f"{escape(words)}</button>")
    return [nodes.raw("", html, format="html")], []


class Road(Block):
    """The pages under a caption of the table of contents, in order, and their notebook."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = False

    def run(self):
        from notebooks import file_of, repository

        caption, up = self.arguments[0], "../" * self.env.docname.count("/")
        if caption not in road():
            self.fail(f"index.md has no caption {caption}")
        self.env.note_dependency(str(DOCS / "index.md"))
        items = []
        for page in road()[caption]:
            if page == self.env.docname:
                continue
            self.env.note_dependency(str(DOCS / f"{page}.md"))
            items.append(f'<li><a href="{up}{page}.html">{escape(title_of(page))}</a>'
                         f"<p>{self.inline(lede(page))}</p></li>")
        path = file_of(caption).relative_to(DOCS.parent).as_posix()
        home = repository()
        colab = (f' (<a href="https://colab.research.google.com/github/{home}/blob/main/{path}">'
                 "open in Colab</a>)" if home else "")
        return [self.html(f'<ol class="road">{"".join(items)}</ol><p class="note">The notebook of '
                          f"these pages, every cell runs: <code>{path}</code>{colab}.</p>")]
