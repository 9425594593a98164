"""`{exhibit} NAME`: a mistake of docs/records/museum.json, with its lines, its cost and the
checks that see it; the text below it says what happens, with «numbers» of the page's
worked(). The right line must stand in the file that it is quoted from."""

import json
import math
from html import escape

from block import DOCS, Block
from docutils.parsers.rst import directives
from teaching import example_of
from worked import inserted

RECORD = DOCS / "records" / "museum.json"


def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def cost(found, exhibit):
    """What it costs: loud, as the loss of the first text; quiet, as differences of all."""
    right, wrong = found["losses"], exhibit["losses"]
    if abs(wrong[0] - right[0]) > 0.3:
        words = f"a loss of {wrong[0]:.3f}, not {right[0]:.3f}"
    else:
        changes = [signed(b - a) for a, b in zip(right, wrong)]
        words = f"{', '.join(changes)} nats on the four texts"
    return (f"{words}; the logits move by up to {plain(exhibit['logits'])}"
            f" (rounding: {plain(found['rounding'])})")


def plain(value):
    """Two digits, and no power of ten: 0.00006, 0.013, 4.4, 3780."""
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"


def signed(value):
    text = f"{value:+.4f}".replace("-", "−")
    return "0.0000" if text[1:] == "0.0000" else text


class Exhibit(Block):
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"title": directives.unchanged_required,
                   "source": directives.unchanged}

    def run(self):
        self.env.note_dependency(str(RECORD))
        found = record()
        exhibit = next((each for each in found["exhibits"]
                        if each["name"] == self.arguments[0]), None)
        if exhibit is None:
            self.fail(f"the record has no exhibit {self.arguments[0]!r}")
        path = DOCS.parent / exhibit["file"]
        if path.read_text(encoding="utf-8").count(exhibit["right"]) != 1:
            self.fail(f"{exhibit['file']} no longer holds: {exhibit['right']}")
        lines = "".join(
            f'<span class="{kind}">{escape(bare(line))}</span>'
            for kind, key in (("bad", "wrong"), ("good", "right"))
            for line in exhibit[key].split("\n"))
        up = "../" * self.env.docname.count("/")
        page = exhibit["file"].removesuffix(".py")
        words = inserted(" ".join(self.content), example_of(self), self.get_location())
        rows = [("What happens", self.inline(words)),
                ("What it costs", escape(cost(found, exhibit))),
                ("Who sees it", escape(checks_of(exhibit)))]
        if "source" in self.options:
            rows.append(("Where", self.inline(self.options["source"])))
        about = "".join(f"<dt>{words}</dt><dd>{text}</dd>" for words, text in rows)
        return [self.html(
            f'<article class="mistake"><h3>{self.inline(self.options["title"])}</h3>'
            f"<pre>{lines}</pre><dl>{about}<dt>In our code</dt>"
            f'<dd><a href="{up}source/{page}.html">{escape(exhibit["file"])}</a></dd></dl>'
            "</article>")]


def bare(line):
    """A line of code without the shape that its comment says."""
    return line.partition("  #")[0].strip()


def checks_of(exhibit):
    """The checks in words; the step that is named."""
    if not exhibit["checks"]:
        return "no check: it is no mistake"
    words = [each for each in exhibit["checks"] if not each.startswith("the law: ")]
    laws = [each.removeprefix("the law: ") for each in exhibit["checks"]
            if each.startswith("the law: ")]
    words += [f"the law “{laws[0]}”"] if laws else []
    text = " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    step = exhibit["step"]
    return f"{text}; named: {step['function']}, step ({step['step']})" if step else text


def setup(app):
    app.add_directive("exhibit", Exhibit)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
