"""The field's words: the glossary, and what the search page shows beside a title.

A term of the glossary belongs to the page that its definition links last; the search
puts that page first. `searchlines.js` in the built site holds the terms and, for each
page, its part of the road, its sentence, the names in its head, the functions that it
shows, and its sentences.
"""

import json
import re
from pathlib import Path

from axes import AXES
from block import Block
from blocks import is_module
from docutils import nodes
from sphinx import addnodes

from chapters import stretch_of

MARKS = {r"\cdot": "·", r"\times": "×", r"\approx": "≈", r"\to": "→", r"\infty": "∞", r"\ln": "ln",
         r"\sigma": "σ", r"\mu": "μ", r"\gamma": "γ", r"\beta": "β", r"\eta": "η", r"\top": "T",
         r"\varepsilon": "ε", r"\partial": "∂", r"\sum": "Σ", r"\leftarrow": "←", r"\log": "log",
         r"\le": "≤", r"\ge": "≥", r"\max": "max", r"\sqrt": "√", r"\lambda": "λ", r"\pm": "±"}


class CharacterParser(Block):
    """What each letter of a shape counts."""

    has_content = False

    def run(self):
        rows = "".join(f'<tr><th scope="row">{character}</th><td>{self.inline(words)}</td></tr>'
                       for character, words in AXES.items())
        return [self.html(f'<table class="letters"><tbody>{rows}</tbody></table>')]


def plain(latex):
    """A short formula as plain text; None where it has more than signs and indices."""
    text = re.sub(r"\\(?:text|mathrm|operatorname|mathbf)\{([^{}]*)\}", r"\1", latex)
    text = re.sub(r"\\[vd]\{(\w+)\}", r"\1", text)
    for mark, character in MARKS.items():
        text = re.sub(re.escape(mark) + r"(?![A-Za-z])", character, text)
    text = re.sub(r"\\[,; ]", " ", text)
    text = re.sub(r"([_^])\{([^{}]*)\}", lambda m: m[1] + (
        m[2] if m[2].isalnum() else f"({m[2]})"), text)
    text = text.translate(str.maketrans("", "", "{}"))
    return None if "\\" in text else " ".join(text.split()).replace("√ ", "√")


def text_of(node):
    """A node's text with its formulas in plain signs; None where one is too long for that."""
    parts = []
    for child in node.findall(lambda n: isinstance(n, nodes.Text | nodes.math | nodes.math_block)):
        if isinstance(child, nodes.Text):
            if not isinstance(child.parent, nodes.math | nodes.math_block):
                parts.append(child.astext())
            continue
        parts.append(plain(child.astext()))
    return None if None in parts else " ".join("".join(parts).split())


def without_marks(markdown):
    """A line of a head without its markup; None where it holds a long formula."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)
    formulas = [plain(found) for found in re.findall(r"\$([^$]*)\$", text)]
    if None in formulas:
        return None
    for formula in formulas:
        text = re.sub(r"\$[^$]*\$", lambda m, f=formula: f, text, count=1)
    return re.sub(r"[`*]", "", text).strip()


def head_of(markdown):
    """The sentence of a page's {chapter}, its rows of names, and the functions it shows."""
    match = re.search(r"^```\{chapter\}(.*?)\n(.*?)^```", markdown, re.M | re.S)
    printed = [name for name in (match[1] if match else "").split() if not is_module(name)]
    lines = [line for line in (match[2] if match else "").split("\n")
             if line.strip() and not line.startswith((":", "from: "))]
    names = [[without_marks(part) for part in line.split("|", 1)] for line in lines if "|" in line]
    lede = without_marks(" ".join(line for line in lines if "|" not in line)) or ""
    return {"lede": lede, "names": [row for row in names if None not in row], "functions": printed}


def sentences(doctree):
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.definition):
            continue
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z“])", text_of(paragraph) or ""):
            if 30 <= len(sentence) <= 260:
                yield sentence


def anchor_of(term):
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def terms_of(doctree):
    """[names, page, anchor here, definition] of each term; the page is the last link's."""
    for item in doctree.findall(nodes.definition_list_item):
        names = [name.strip() for name in item[0].astext().split(", ")]
        links = [node.get("reftarget") or node.get("refuri", "")
                 for node in item.findall(lambda n: isinstance(
                     n, addnodes.pending_xref | nodes.reference))]
        item[0]["ids"].append(anchor_of(names[0]))
        text = text_of(item[-1]) or ""
        page, _, place = (links[-1] if links else "").lstrip("/").partition("#")
        last = [node.astext() for node in item[-1].findall(
            lambda n: isinstance(n, addnodes.pending_xref | nodes.reference))][-1:]
        text = text.removesuffix(last[0]).strip() if last else text
        yield [names, page.removesuffix(".md"), place, item[0]["ids"][-1], text]


def collect(app, doctree):
    env = app.env
    known = head_of(Path(env.doc2path(env.docname)).read_text(encoding="utf-8"))
    known["lines"] = list(dict.fromkeys(sentences(doctree)))
    if env.docname == "glossary":
        known["terms"] = list(terms_of(doctree))
    book_words(env)[env.docname] = known


def book_words(env):
    if not hasattr(env, "book_words"):
        env.book_words = {}
    return env.book_words


def write(app, failure):
    """searchlines.js, beside Sphinx's searchindex.js: a page from a disk cannot fetch others."""
    if failure or app.builder.name != "html":
        return
    words = book_words(app.env)
    pages = {name: {"part": stretch_of(name) or "", **{key: page[key] for key in (
        "lede", "names", "functions", "lines")}} for name, page in sorted(words.items())}
    terms = words.get("glossary", {}).get("terms", [])
    text = json.dumps({"terms": terms, "pages": pages}, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / "searchlines.js").write_text(f"var Book={text};\n", encoding="utf-8")


def forget(app, env, docname):
    book_words(env).pop(docname, None)


def merge(app, env, docnames, other):
    for name in docnames:
        if name in book_words(other):
            book_words(env)[name] = book_words(other)[name]


def setup(app):
    app.add_directive("letters", CharacterParser)
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
