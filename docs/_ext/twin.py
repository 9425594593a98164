"""The `twin` directive: one function of each package, side by side.

    ```{twin} layer_norm
    x = normals(2, 4, 8)            the example, for forward; \\d{x} … for backward
    ```

Rows are aligned by the `# (n)` step labels; only the words that differ are
tinted; the gutter holds what `measure` measured while the page was built. A
label without partner, a shape comment that lies, a difference or a gradient
beyond its budget is an error with file and line, and the build fails.
"""

import ast
import inspect
import io
import keyword
import re
import sys
import tokenize
from difflib import SequenceMatcher
from html import escape

import katex
import measure
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

NAMES = {"np": "NumPy", "pt": "PyTorch"}
SHOWN = re.compile(r"(npgpt|torchgpt)\.(layers|blocks|models|families|training|generation"
                   r"|random_stream|tree)")
SKIP = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
TICK = '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 6.5 5 9.3 10.2 3"/></svg>'


def tokens_of(lines, first=1, variables=None):
    """{line: [(column, text, class, variable)]} of some Python."""
    rows, depth, previous = {}, 0, None
    found = [t for t in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline)
             if t.type not in SKIP]
    for i, token in enumerate(found):
        text, kind, name = token.string, "", None
        if token.type == tokenize.COMMENT:
            kind = "shape" if token.start[1] and token.line[: token.start[1]].strip() else "c-com"
        elif token.type == tokenize.STRING and text.startswith('"""'):
            kind = "c-doc"
        elif token.type == tokenize.OP:
            depth += (text in "([{") - (text in ")]}")
            kind = "c-op"
        elif token.type == tokenize.NAME:
            follows = found[i + 1].string if i + 1 < len(found) else ""
            argument = depth and follows == "=" and not token.line.lstrip().startswith("def ")
            if keyword.iskeyword(text) and text not in ("None", "True", "False"):
                kind = "c-kw"
            elif previous != "." and not argument and text in (variables or ()):
                name = text
        row, column = token.start
        for j, piece in enumerate(text.split("\n")):
            rows.setdefault(first + row - 1 + j, []).append((0 if j else column, piece, kind, name))
        previous = text
    return rows


def names_in(tree):
    """The parameters and local variables of a function."""
    own = {a.arg for a in [*tree.args.args, *tree.args.kwonlyargs]}
    stored = {n.id for n in ast.walk(tree)
              if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return (own | stored) - {"_"}


def differing(ours, theirs):
    """For each side the set of token indices that the other does not have."""
    a, b = ([text for _, text, _, _ in side] for side in (ours, theirs))
    left, right = set(), set()
    for kind, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            left.update(range(i, j))
            right.update(range(k, m))
    return left, right


def code_line(tokens, marked=()):
    """One line as HTML; `marked`: indices of the tokens to tint."""
    out, at = [], 0
    for i, (column, text, kind, name) in enumerate(tokens):
        if column > at:
            space = " " * (column - at)
            if at == 0:  # a phone shrinks each level of indent
                out += [f'<span class="ind">{space[i:i + 4]}</span>'
                        for i in range(0, len(space), 4)]
            else:
                out.append(f'<span class="pad">{space}</span>' if kind == "shape" else space)
        at = column + len(text)
        if kind == "c-doc" and text.startswith("    "):
            inner = len(text) - len(text.lstrip())
            out.append(f'<span class="ind">{text[:inner]}</span>')
            text = text[inner:]
        if kind == "c-com" and measure.LABEL.match(text):
            out.append(f'<span class="hash"># </span><b>{escape(text[2:])}</b>')
            continue
        classes = " ".join(filter(None, (kind, "d" if i in marked else "", "v" if name else "")))
        data = f' data-v="{name}"' if name else ""
        out.append(f'<span class="{classes}"{data}>{escape(text)}</span>' if classes
                   else escape(text))
    return "".join(out)


def plain_code(text, variables=()):
    """Lines of highlighted HTML for code that has no twin."""
    lines = text.split("\n")
    rows = tokens_of(lines, 1, variables)
    return [code_line(rows.get(i + 1, [])) for i in range(len(lines))]


def half_of_row(side, half, step, rows, marked):
    """The lines of one step in one pane."""
    key, out, at = half.path.stem, [], 0
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


def prelude(half, others=()):
    """The imports and constants that a pasted function needs; `others` come along with it."""
    module = inspect.unwrap(half.function).__module__
    return needed([half.tree], half.path, module, {half.tree.name, *others})


def needed(trees, path, module, own):
    """What the file of `trees` defines or imports for them, but for `own`, as lines to paste."""
    used = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}
    kept = []
    for node in reversed(ast.parse(path.read_text(encoding="utf-8")).body):
        bound = []
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            node.names = [a for a in node.names if (a.asname or a.name.split(".")[0]) in used]
            bound = node.names
        elif isinstance(node, ast.Assign):
            bound = [t.id for t in node.targets if isinstance(t, ast.Name) and t.id in used]
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in used - own:
            kept.insert(0, f"from {module} import {node.name}")
        if bound:
            kept.insert(0, absolute(node, module))
            used |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return "\n".join(kept) + "\n\n\n" if kept else ""


def absolute(node, module):
    """An import as it reads outside its package."""
    if isinstance(node, ast.ImportFrom) and node.level:
        package = module.split(".")[: -node.level]
        node.module, node.level = ".".join([*package, *filter(None, [node.module])]), 0
    return ast.unparse(node)


class Twin(SphinxDirective):
    """Draw the forward twin (content: the example's code) or, with
    `:backward:`, the backward one (content: derivations, `(3) $…$`)."""

    required_arguments = 1
    has_content = True
    option_spec = {
        "backward": directives.flag,
        "seed": directives.nonnegative_int,
        "not-gradients": directives.unchanged,
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
        pair = measure.measure(
            name, "\n".join(self.content), self.options.get("seed", 1),
            self.options.get("not-gradients", "").split(), f"{source}:{line}")
        self.env.temp_data.setdefault("book_pairs", {})[name] = pair
        self.check_symbols(pair)
        for module in list(sys.modules.values()):
            if SHOWN.match(module.__name__):
                self.env.note_dependency(module.__file__)
        left, right = pair["forward"]
        return self.draw(left, right, pair["facts"], name, "forward", {})

    def backward(self, name):
        pair = self.env.temp_data.get("book_pairs", {}).get(name)
        if not pair or "backward" not in pair:
            raise ExtensionError(f"{self.get_location()}: no forward twin of {name} before this")
        words, now = {}, None
        for text in self.content:
            if match := re.match(r"\((\d+(?:, \d+)*)\)\s*(.*)", text):
                now = tuple(int(n) for n in match[1].split(", "))
                text = match[2]
            if now is not None:
                words.setdefault(now, []).append(text)
        left, right = pair["backward"]
        for numbers in set(words) - {step.numbers for step in left.labels()}:
            raise ExtensionError(
                f"{self.get_location()}: {measure.backward_of(name)} has no step {numbers}"
                " to derive")
        return self.draw(left, right, pair["backward_facts"], name, "backward",
                         {key: " ".join(lines).strip() for key, lines in words.items()})

    def check_symbols(self, pair):
        """The shapes in the page's table of symbols are the measured ones."""
        table = self.env.temp_data.get("book_symbol_rows", {})
        left = pair["forward"][0]
        values = dict(left.args)
        for held in (left, *pair.get("backward", ())[:1]):
            for _, names in sorted(held.records.items()):
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
        rows = [tokens_of(half.lines, half.first, names_in(half.tree)) for half in (left, right)]
        first = "book_view" not in self.env.temp_data
        self.env.temp_data["book_view"] = True
        out = [view(first), f'<div class="twin" id="{way}-{slug(name)}">', self.head(left, right)]
        bare = not left.labels()
        for mine, other, fact in zip(left.steps, right.steps, facts):
            flat = [[token for line in range(step.first, step.last + 1)
                     for token in side.get(line, [])]
                    for step, side in zip((mine, other), rows)]
            marks = differing(*flat)
            np_half, n = half_of_row("np", left, mine, rows[0], marks[0])
            pt_half, m = half_of_row("pt", right, other, rows[1], marks[1])
            steps = " ".join(f"{slug(name)}-{k}" for k in mine.numbers)
            anchor = "-".join([way, slug(name), *map(str, mine.numbers)])
            strip = self.strip(name, mine, fact, words) if way == "backward" and steps else ""
            same = "" if marks[0] or marks[1] else " same"
            out.append(
                f'<div class="seg{" step" if steps else ""}{same}"'
                + (f' data-step="{steps}" id="{anchor}"' if steps else "")
                + f' style="--n:{max(n, m)}">{strip}{np_half}'
                + f"{facts_html(fact, anchor, mine, bare)}{pt_half}</div>")
        out.append("</div>")
        out.append(self.lights(name, left))
        return "".join(out)

    def head(self, left, right):
        parts = []
        for side, half in (("np", left), ("pt", right)):
            module = inspect.unwrap(half.function).__module__
            link = self.module_link(module)
            parts.append(
                f'<div class="pane {side}"><span class="sq {side}"></span>{NAMES[side]} {link}'
                f'<span class="grow"></span><button class="copy needs-js" type="button" '
                f'data-copy="{side}" data-before="{escape(prelude(half))}" '
                f'aria-label="Copy the {NAMES[side]} code">Copy</button></div>')
        middle = '<div class="mid"><span>shape</span><span>max |Δ|</span></div>'
        return f'<div class="bar-top">{parts[0]}{middle}{parts[1]}</div>'

    def module_link(self, module):
        path = module.replace(".", "/")
        up = "../" * self.env.docname.count("/")
        self.env.temp_data.setdefault("book_modules", set()).add(module)
        return f'<a href="{up}source/{path}.html">{path}.py</a>'

    def strip(self, name, step, fact, words):
        """Above a backward step: the forward lines, the derivation, the verdict."""
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
                    indent = min(4, tokens[0][0])
                    lines.append(code_line([(c - indent, *rest) for c, *rest in tokens]))
        good, worst = fact.get("autograd", ([], 0.0))
        verdict = ""
        if good:
            said = f"{', '.join(good)}: at most {number(worst)} from PyTorch's autograd"
            verdict = (f'<span class="ok" title="{escape(said)}">{TICK}matches autograd'
                       f'<span class="off">: {escape(said)}</span></span>')
        derived = self.inline(words.get(step.numbers, ""))
        code = "".join(f"<code>{line}</code>" for line in lines)
        return (f'<div class="strip"><div class="fwd"><span>{" ".join(links)}</span>'
                f'<div>{code}</div></div><div class="mid" aria-hidden="true">∂</div>'
                f'<div class="deriv"><span class="m">{derived}</span>{verdict}</div></div>')

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


def view(first):
    """NumPy | both | PyTorch: the page's first toggle holds the radio buttons."""
    labels = {"np": "NumPy", "both": "both", "pt": "PyTorch"}
    if not first:
        inside = "".join(f'<label for="v-{k}">{text}</label>' for k, text in labels.items())
        return f'<div class="view" aria-hidden="true">{inside}</div>'
    inside = "".join(
        f'<input class="off" type="radio" name="view" id="v-{k}"{" checked" * (k == "both")}>'
        f'<label for="v-{k}">{text}</label>' for k, text in labels.items())
    return f'<fieldset class="view"><legend class="off">Show</legend>{inside}</fieldset>'


class Inline:
    """`code`, $maths$, **bold** and [links](page.md) in one line, as HTML."""

    PARTS = re.compile(
        r"\$([^$]+)\$|`([^`]+)`|\*\*([^*]+)\*\*|\[([^]]+)\]\(([^)]+)\)")

    def __init__(self, symbols, where):
        self.symbols, self.where = symbols, where

    def __call__(self, text):
        out, at = [], 0
        for match in self.PARTS.finditer(text):
            out.append(escape(text[at : match.start()], quote=False))
            maths, code, bold, link, target = match.groups()
            try:
                out.append(
                    katex.render(maths, self.symbols) if maths
                    else f"<code>{escape(code)}</code>" if code
                    else f"<b>{escape(bold)}</b>" if bold
                    else f'<a href="{re.sub(r"[.]md(?=#|$)", ".html", target)}">{escape(link)}</a>')
            except ValueError as error:
                raise ExtensionError(f"{self.where}: {error}") from error
            at = match.end()
        out.append(escape(text[at:], quote=False))
        return "".join(out)


def setup(app):
    app.add_directive("twin", Twin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
