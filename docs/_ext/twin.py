"""The `twin` directive: one function of each package, side by side.

    ```{twin} layer_norm
    x = normals(2, 4, 8)            arrays on which the two halves are compared
    ---
    (1) Why the step is there       above each step its reason (see `reasons`)
    ```

With `:backward:` the content is the reasons alone. A pair whose two texts are
equal is drawn as one pane.

Rows are aligned by the `# (n)` step labels; only the words that differ are
tinted; the gutter holds what `measure` measured while the page was built. A
label without partner, a shape comment that lies, a difference or a gradient
beyond its budget is an error with file and line, and the build fails.
"""

import inspect
import re
import sys
from html import escape

import measure
import reasons
from block import DOCS
from docutils import nodes
from docutils.parsers.rst import directives
from highlight import code_line, differing, names_in, tokens_of
from inline import TICK, Inline
from pasting import prelude
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from worked import space_of

NAMES = {"np": "NumPy", "pt": "PyTorch"}
SHIPPED = re.compile(r"(npgpt|torchgpt)\.(foundations|layers|blocks|models|families|training"
                   r"|generation|random_stream|tree)")


def pane_of_row(side, excerpt, step, rows, marked):
    """The lines of one step in one pane."""
    key, out, at = excerpt.path.stem, [], 0
    for line in range(step.first, step.last + 1):
        tokens = rows.get(line, [])
        mine = {i - at for i in marked if at <= i < at + len(tokens)}
        at += len(tokens)
        if not tokens and line == step.last:
            continue
        band = " band" if step.numbers and line == step.first else ""
        out.append(
            f'<div class="ln{band}" id="{side}-{key}-{line}"><a class="no" '
            f'href="#{side}-{key}-{line}" tabindex="-1" '
            f'aria-label="Link to {NAMES[side]} line {line}">{line}</a>'
            f"<code>{code_line(tokens, mine)}</code></div>")
    return f'<div class="half {side}">{"".join(out)}</div>', len(out)


def slug(name):
    """gpt2.forward -> gpt2-forward, as ids and selectors have it."""
    return name.replace(".", "-")


def number(value):
    return "0" if value == 0 else f"{value:.1e}".replace("e-0", "e-")


def facts_html(fact, anchor, step, bare):
    """The gutter of one step: shape and max|Δ|, as a link to the step.
    `bare`: the function has no steps, and the facts are those of its result."""
    if not fact["names"] or fact["worst"] is None or not (step.numbers or bare):
        return '<div class="facts" aria-hidden="true"></div>'
    shape = f"({', '.join(map(str, fact['shape'][1]))}{',' * (len(fact['shape'][1]) == 1)})" \
        if fact["shape"] else "number"
    first = f"{fact['shape'][0]} has shape {shape}; " if fact["shape"] else ""
    names = ", ".join(fact["names"])
    said = (f"{first}{names}: the two halves differ by at most {number(fact['worst'])}")
    words = f"Step {', '.join(map(str, step.numbers))}: " if step.numbers else ""
    return (f'<a class="facts" href="#{anchor}" title="{escape(said)}" '
            f'aria-label="{escape(words + said)}">'
            f'<span>{shape}</span><b>{number(fact["worst"])}</b></a>')


class Twin(SphinxDirective):
    """Draw the forward twin (content: the example's code) or, with
    `:backward:`, the backward one (content: derivations, `(3) $…$`)."""

    required_arguments = 1
    has_content = True
    option_spec = {
        "backward": directives.flag,
        "seed": directives.nonnegative_int,
        "not-gradients": directives.unchanged,
        "inset": directives.unchanged,
    }

    def run(self):
        name = self.arguments[0]
        try:
            html = self.backward(name) if "backward" in self.options else self.forward(name)
        except measure.TwinError as error:
            raise ExtensionError(str(error)) from error
        return [nodes.raw("", html, format="html")]

    def forward(self, name):
        source, line = self.get_source_info()
        content = list(self.content)
        cut = content.index("---") if "---" in content else len(content)
        pair = measure.measure(
            name, "\n".join(content[:cut]), self.options.get("seed", 1),
            self.options.get("not-gradients", "").split(), f"{source}:{line}")
        self.env.temp_data.setdefault("book_pairs", {})[name] = pair
        self.check_symbols(pair)
        for module in list(sys.modules.values()):
            if SHIPPED.match(module.__name__):
                self.env.note_dependency(module.__file__)
        left, right = pair["forward"]
        return self.draw(left, right, pair["facts"], name, "forward",
                         self.reasons(left, content[cut + 1:]))

    def backward(self, name):
        pair = self.env.temp_data.get("book_pairs", {}).get(name)
        if not pair or "backward" not in pair:
            raise ExtensionError(f"{self.get_location()}: no forward twin of {name} before this")
        left, right = pair["backward"]
        return self.draw(left, right, pair["backward_facts"], name, "backward",
                         self.reasons(left, self.content))

    def reasons(self, left, lines):
        """{step numbers: lines}: of every step, or of none."""
        found = reasons.parsed(lines)
        steps = [step.numbers for step in left.labels()] or [()]
        for numbers in set(found) - set(steps):
            raise ExtensionError(f"{self.get_location()}: there is no step {numbers} to explain")
        for numbers in steps:
            if found and numbers not in found:
                raise ExtensionError(f"{self.get_location()}: step {numbers} has no reason")
        return found

    def space(self, name, way, step):
        """The names of the page's worked example after a step."""
        page = self.env.docname.rpartition("/")[2]
        if (path := DOCS / "pictures" / f"{page}.py").exists():
            self.env.note_dependency(str(path))
        return space_of(page, name, way, step.numbers)

    def check_symbols(self, pair):
        """The shapes in the page's table of symbols are the measured ones."""
        table = self.env.temp_data.get("book_symbol_rows", {})
        left = pair["forward"][0]
        values = dict(left.args)
        for excerpt in (left, *pair.get("backward", ())[:1]):
            for _, names in sorted(excerpt.records.items()):
                values.update(names)
        for name, (shape, line) in table.items():
            dims, real = measure.read_shape(shape), measure.shape_of(values.get(name))
            if dims is None or real is None or not shape.startswith("("):
                continue
            if not measure.fits(real, dims, dict(pair["sizes"])):
                raise ExtensionError(f"{line}: the table says {name} is {shape}; it is {real}")

    def draw(self, left, right, facts, name, way, words):
        symbols = getattr(self.env, "book_symbols", {}).get(self.env.docname, {})
        self.inline = Inline(symbols, self.get_location())
        rows = [tokens_of(each.lines, each.first, names_in(each.tree)) for each in (left, right)]
        first = "book_view" not in self.env.temp_data
        self.env.temp_data["book_view"] = True
        marked = []
        for mine, other in zip(left.steps, right.steps):
            flat = [[token for line in range(step.first, step.last + 1)
                     for token in side.get(line, [])]
                    for step, side in zip((mine, other), rows)]
            marked.append(differing(*flat))
        one = not any(np_marks or pt_marks for np_marks, pt_marks in marked)
        out = [view(first, bool(words)),
               f'<div class="twin{" one" if one else ""}" id="{way}-{slug(name)}">',
               self.head(left, right, one)]
        bare = not left.labels()
        for mine, other, fact, marks in zip(left.steps, right.steps, facts, marked):
            np_pane, n = pane_of_row("np", left, mine, rows[0], marks[0])
            pt_pane, m = pane_of_row("pt", right, other, rows[1], marks[1])
            steps = " ".join(f"{slug(name)}-{k}" for k in mine.numbers)
            anchor = "-".join([way, slug(name), *map(str, mine.numbers)])
            why = self.reason(name, way, mine, fact, words) if mine.numbers in words else ""
            same = "" if marks[0] or marks[1] else " same"
            out.append(
                f'<div class="seg{" step" if steps else ""}{same}"'
                + (f' data-step="{steps}" id="{anchor}"' if steps else "")
                + f' style="--n:{max(n, m)}">{why}{np_pane}'
                + f"{facts_html(fact, anchor, mine, bare)}{pt_pane * (not one)}</div>")
            out.append(self.inset(mine))
        out.append("</div>")
        out.append(self.lights(name, left))
        return "".join(out)

    def inset(self, step):
        """The helper that a step calls, in both halves, below its call."""
        name = self.options.get("inset")
        if not name or not any(f"{name}(" in line for line in step.lines):
            return ""
        pair = [measure.cut(side, measure.find(side, name)) for side in ("npgpt", "torchgpt")]
        rows = [tokens_of(each.lines, each.first, names_in(each.tree)) for each in pair]
        flat = [[token for line in sorted(side) for token in side[line]] for side in rows]
        panes = []
        for side, excerpt, tokens, marks in zip(NAMES, pair, rows, differing(*flat)):
            whole = measure.Step((), "", excerpt.first, excerpt.first + len(excerpt.lines) - 1, [])
            panes.append(pane_of_row(side, excerpt, whole, tokens, marks))
        links = " ∥ ".join(self.module_link(inspect.unwrap(each.function).__module__)
                           for each in pair)
        rows = max(n for _, n in panes)
        return (f'<div class="seg inset" style="--n:{rows}"><div class="reason">'
                f'<div class="why"><p class="fwdline">called above: <code>{name}</code></p></div>'
                f'<div class="mid" aria-hidden="true">↳</div><div class="calc">'
                f'<p class="fwdline">{links}</p></div></div>{panes[0][0]}'
                f'<div class="facts" aria-hidden="true"></div>{panes[1][0]}</div>')

    def head(self, left, right, one=False):
        parts = []
        if one:
            links = " and ".join(self.module_link(inspect.unwrap(each.function).__module__)
                                 for each in (left, right))
            parts = [f'<div class="pane"><span class="sq np"></span><span class="sq pt"></span>'
                     f'The same text in both {links}<span class="grow"></span>'
                     f'<button class="copy needs-js" type="button" data-copy="np" '
                     f'data-before="{escape(prelude(left))}" aria-label="Copy the code">Copy'
                     "</button></div>", ""]
        for side, excerpt in (("np", left), ("pt", right)) if not one else ():
            module = inspect.unwrap(excerpt.function).__module__
            link = self.module_link(module)
            parts.append(
                f'<div class="pane {side}"><span class="sq {side}"></span>{NAMES[side]} {link}'
                f'<span class="grow"></span><button class="copy needs-js" type="button" '
                f'data-copy="{side}" data-before="{escape(prelude(excerpt))}" '
                f'aria-label="Copy the {NAMES[side]} code">Copy</button></div>')
        middle = '<div class="mid"><span>shape</span><span>max |Δ|</span></div>'
        return (f'<div class="bar-top">{parts[0]}{middle}{parts[1]}'
                '<div class="whyhead" aria-hidden="true">why</div></div>')

    def module_link(self, module):
        path = module.replace(".", "/")
        up = "../" * self.env.docname.count("/")
        self.env.temp_data.setdefault("book_modules", set()).add(module)
        return f'<a href="{up}source/{path}.html">{path}.py</a>'

    def reason(self, name, way, step, fact, words):
        """Above a step: why, how, and the example's numbers; above a backward
        one also the forward lines that it differentiates, and autograd's verdict."""
        before = verdict = ""
        if way == "backward":
            before = self.differentiated(name, step)
            good, worst = fact.get("autograd", ([], 0.0))
            if good:
                said = f"{', '.join(good)}: at most {number(worst)} from PyTorch's autograd"
                verdict = (f'<p class="ok" title="{escape(said)}">{TICK}matches autograd, to '
                           f'{number(worst)}<span class="off">: {escape(said)}</span></p>')
        return reasons.reason_html(
            ", ".join(map(str, step.numbers)), words[step.numbers], self.inline,
            self.space(name, way, step), self.get_location(), before, verdict)

    def differentiated(self, name, step):
        left = self.env.temp_data["book_pairs"][name]["forward"][0]
        rows = tokens_of(left.lines, left.first, names_in(left.tree))
        lines, links = [], []
        for number_ in sorted(step.numbers):
            forward = next(s for s in left.labels() if number_ in s.numbers)
            key = "-".join(map(str, forward.numbers))
            links.append(f'<a href="#forward-{slug(name)}-{key}">forward ({number_})</a>')
            for line in range(forward.first + 1, forward.last + 1):
                tokens = [t for t in rows.get(line, []) if t[2] not in ("shape", "c-com")]
                if tokens:
                    lines.append(code_line([(c - min(4, tokens[0][0]), *rest)
                                            for c, *rest in tokens]))
        code = "".join(f"<code>{line}</code>" for line in lines)
        return f'<div class="fwdline"><span>{" ".join(links)}</span><div>{code}</div></div>'

    def lights(self, name, left):
        """The hover rules of this pair: no script lights a step."""
        drawn = self.env.temp_data.setdefault("book_lights", set())
        if name in drawn:
            return ""
        drawn.add(name)
        rules = []
        for n in sorted({n for step in left.labels() for n in step.numbers}):
            of = f'[data-step~="{slug(name)}-{n}"]'
            rules.append(f"main:has({of}:is(:hover,:focus-within,:target)) {of}")
        if not rules:
            return ""
        return f"<style>{','.join(rules)}{{{LIT}}}</style>"


LIT = ("--np-on:var(--np-lit);--pt-on:var(--pt-lit);--np-bar:var(--np);--pt-bar:var(--pt);"
       "--th:1;--lab:var(--ink)")


def view(first, with_reasons):
    """NumPy | both | PyTorch, and code only: the page's first toggle holds the buttons."""
    labels = {"np": "NumPy", "both": "both", "pt": "PyTorch"}
    switch = ('<label class="switch" for="code-only"><span></span>code only</label>'
              if with_reasons else "")
    if not first:
        inside = "".join(f'<label for="v-{k}">{text}</label>' for k, text in labels.items())
        return (f'<div class="tools" aria-hidden="true">{switch}<div class="view">{inside}</div>'
                "</div>")
    inside = "".join(
        f'<input class="off" type="radio" name="view" id="v-{k}"{" checked" * (k == "both")}>'
        f'<label for="v-{k}">{text}</label>' for k, text in labels.items())
    box = ('<input class="off" type="checkbox" id="code-only" aria-label="Code only: hide the '
           'explanations between the lines">')
    return (f'<div class="tools">{box}{switch}<fieldset class="view"><legend class="off">Show'
            f"</legend>{inside}</fieldset></div>")


def setup(app):
    app.add_directive("twin", Twin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
