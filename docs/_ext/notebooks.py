"""Notebooks from the chapters' own sources, one for each part of the book.

`write()` makes docs/notebooks/PART.ipynb from the Markdown: prose and formulas
become text cells, twins the two halves' code, run cells code cells. They are
written when the book is built, where they changed, and executed in CI.
"""

import json
import re
import textwrap
import tomllib
from pathlib import Path

import measure
import numpy as np
import reasons
from worked import evaluated, inserted, printed, space_of

DOCS = Path(__file__).parents[1]
FENCE = re.compile(r"^(`{3,}|:{3,})\{(\w+)\}\s*(.*)$")


def parts():
    """{caption: [page, …]} of the numbered parts in index.md, without their landing pages,
    in reading order."""
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    found = {}
    for block in re.findall(r"```\{toctree\}\n(.*?)```", text, re.S):
        caption = re.search(r":caption: (.*)", block)
        pages = re.findall(r"^(?!road/)[\w/]+$", block, re.M)
        if caption and caption[1][0].isdigit() and pages:
            found[caption[1]] = pages
    return found


def repository():
    """owner/name on GitHub, where pyproject.toml tells it."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for link in project.get("urls", {}).values():
        if match := re.match(r"https://github\.com/([\w.-]+/[\w.-]+?)/?$", link):
            return match[1]
    return None


def blocks(text):
    """(directive or None, argument, options, lines) in order; a pair or prose is opened up."""
    lines, i, plain = text.split("\n"), 0, []
    while i < len(lines):
        match = FENCE.match(lines[i])
        if not match:
            plain.append(lines[i])
            i += 1
            continue
        if any(line.strip() for line in plain):
            yield None, "", {}, plain
        plain, (marks, name, argument) = [], match.groups()
        end = next(j for j in range(i + 1, len(lines)) if lines[j].strip() == marks)
        body, options = lines[i + 1 : end], {}
        while body and (option := re.match(r":([\w-]+):\s*(.*)$", body[0])):
            options[option[1]] = option[2]
            body = body[1:]
        if name in ("pair", "prose"):
            yield from blocks("\n".join(body))
        else:
            yield name, argument, options, body
        i = end + 1
    if any(line.strip() for line in plain):
        yield None, "", {}, plain


def plain_maths(text, symbols):
    """\\v and \\d written out; roles and links without their markup."""
    text = re.sub(r"\\v\{(\w+)\}", lambda m: "{" + symbols.get(m[1], m[1]) + "}", text)
    text = re.sub(r"\\d\{(\w+)\}", lambda m: r"\mathrm{d}{" + symbols.get(m[1], m[1]) + "}", text)
    text = re.sub(r"\{(?:np|pt)\}`([^`]*)`", r"*\1*", text)
    return re.sub(r"\[([^]]+)\]\((?!http)[^)]*\.md[^)]*\)", r"\1", text)


def source(name):
    """Both halves of a pair as code cells."""
    from pasting import prelude

    for side, words in (("npgpt", "NumPy"), ("torchgpt", "PyTorch")):
        excerpts = []
        for function in (name, measure.backward_of(name)):
            try:
                excerpts.append(measure.cut(side, measure.find(side, function)))
            except measure.TwinError:
                break
        own = [excerpt.tree.name for excerpt in excerpts]
        heads = "".join(prelude(excerpt, own) for excerpt in excerpts)
        head = "".join(dict.fromkeys(heads.splitlines(True)))
        code = "\n\n\n".join("\n".join(excerpt.lines).rstrip() for excerpt in excerpts)
        path = excerpts[0].path.relative_to(DOCS.parent).as_posix()
        yield f"# {words}: {path}\n{head.strip()}\n\n\n{code}".replace("\n\n\n\n", "\n\n")


def cells(page):
    """(kind, text) of one page."""
    text, chapter = (DOCS / f"{page}.md").read_text(encoding="utf-8"), page.rpartition("/")[2]
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    symbols = {}
    for name, _, _, body in blocks(text):
        if name == "symbols":
            for row in body:
                parts_ = [part.strip() for part in row.split("|", 3)]
                if len(parts_) == 4 and parts_[1] != "-":
                    symbols[parts_[1]] = parts_[0]
    for name, argument, options, body in blocks(text):
        words = plain_maths("\n".join(body).strip(), symbols)
        if name is None:
            yield "markdown", words
        elif name == "chapter":
            yield "markdown", head(body, symbols)
        elif name == "symbols":
            rows = [[part.strip() for part in plain_maths(row, symbols).split("|", 3)]
                    for row in body if row.strip()]
            yield "markdown", "\n".join(
                ["| maths | code | shape | meaning |", "|---|---|---|---|",
                 *(f"| ${tex}$ | `{code}` | `{shape}` | {mean} |"
                   for tex, code, shape, mean in rows)])
        elif name == "twin":
            way = "backward" if "backward" in options else "forward"
            if way == "forward":
                for code in source(argument):
                    yield "code", code
                body = body[body.index("---") + 1:] if "---" in body else []
            if told := reasons_told(chapter, argument, way, body, symbols):
                yield "markdown", told
        elif name == "example":
            yield "markdown", inserted(words, space_of(chapter, argument or None), chapter)
        elif name == "numbers":
            yield "markdown", tables(chapter, argument or None, body)
        elif name == "results":
            heads, *rows = evaluated(argument, space_of(chapter), chapter)
            yield "markdown", plain_maths("\n".join(
                f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)), {})
        elif name == "mistake":
            yield "markdown", "\n\n".join(
                [f"**{plain_maths(argument, symbols)}**", words,
                 *(f"*{key}*: {plain_maths(options[key], symbols)}" for key in ("cost", "source"))])
        elif name == "guide":
            from guide import notebook_cells

            yield from (("code", cell) for cell in notebook_cells(body))
        elif name == "grown":
            from grown import source_text

            yield "code", source_text(argument)
        elif name == "run":
            yield "code", textwrap.dedent("\n".join(body)).strip()
        elif name == "mutants":
            from suite import planted

            yield "markdown", "\n".join(
                f"- {what} ({file}): `{' '.join(old.split())}` became `{' '.join(new.split())}`"
                for what, file, old, new in planted(*argument.split()))
        elif name in ("exercise", "review"):
            yield "markdown", (f"**{plain_maths(argument, symbols)}**\n\n<details><summary>Answer"
                               f"</summary>\n\n{words}\n\n</details>")


def head(body, symbols):
    """A chapter's sentence, and the names that others use."""
    lines = [plain_maths(line, symbols) for line in body if line.strip()]
    sentence = " ".join(line for line in lines if "|" not in line and not line.startswith("from: "))
    rows = [[part.strip() for part in line.split("|", 1)] for line in lines if "|" in line]
    papers = [line.removeprefix("from: ") for line in lines if line.startswith("from: ")]
    names = "\n".join(f"- **{name}**: {what}" for name, what in rows)
    return "\n\n".join([f"*{sentence}*", *([names] if names else []), *papers])


def reasons_told(chapter, name, way, lines, symbols):
    """The reasons of a twin as text, with the example's numbers."""
    out = []
    for numbers, found in reasons.parsed(lines).items():
        space = space_of(chapter, name, way, numbers)
        title, texts, calc = reasons.split(found)
        out.append(f"**({', '.join(map(str, numbers))}) {plain_maths(title, symbols)}.** "
                   + " ".join(plain_maths(inserted(text, space, chapter), symbols)
                              for text in texts))
        for kind, text in calc:
            if kind == "=":
                out.append(plain_maths(f"${text}$", symbols))
            elif kind == ">":
                out.append(plain_maths(inserted(text, space, chapter), symbols))
    return "\n\n".join(out)


def tables(chapter, name, lines):
    """The example's tables as Markdown."""
    space, out = space_of(chapter, name), []
    for line in filter(str.strip, lines):
        value, words, rows, columns, *form = [part.strip() for part in line.split("|")]
        title, _, expression = value.rpartition(" := ")
        array = np.asarray(evaluated(expression, space, chapter))
        form = form[0] if form else reasons.decimals(array.ravel())
        names = evaluated(rows, space, chapter) or [""] * len(array)
        heads = evaluated(columns, space, chapter) if columns else [""] * array.shape[1]
        out.append("\n".join([
            f"`{title or expression}` {words}\n", f"| | {' | '.join(map(str, heads))} |",
            "|---" * (len(heads) + 1) + "|",
            *(f"| {row_name} | " + " | ".join("·" if v is None else printed(v, form) for v in row)
              + " |" for row_name, row in zip(names, array))]))
    return "\n\n".join(out)


def notebook(part, pages):
    """The notebook of one part, as nbformat's JSON."""
    home = repository()
    install = f"npgpt[torch] @ git+https://github.com/{home}" if home else "npgpt[torch]"
    found = [("markdown", f"# {part}\n\nThe chapters of this part, as cells to run and to change. "
              "Made from the book's own sources."),
             ("code", "try:\n    import npgpt\nexcept ModuleNotFoundError:\n"
              f'    %pip install -q "{install}"')]
    for page in pages:
        found += cells(page)
    made = []
    for i, (kind, text) in enumerate(found):
        cell = {"cell_type": kind, "id": f"cell-{i}", "metadata": {},
                "source": text.splitlines(True)}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        made.append(cell)
    return {"cells": made, "metadata": {"kernelspec": {
        "display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}


def file_of(part):
    name = part.lower().replace(",", "").replace(" ", "_")
    return DOCS / "notebooks" / f"{name}.ipynb"


def made():
    """{path: text} of all notebooks."""
    return {file_of(part): json.dumps(notebook(part, pages), indent=1, ensure_ascii=False) + "\n"
            for part, pages in parts().items()}


def write(app=None):
    """Write those that changed; nothing is made anew where no source is younger than the
    last time."""
    stamp = DOCS / "_build" / "notebooks.stamp"
    sources = [path for place, pattern in (
        (DOCS, "*.md"), (DOCS, "chapters/*.md"), (DOCS, "examples/**/*.py"),
        (DOCS, "pictures/**/*.py"), (DOCS, "_ext/*.py"),
        (DOCS.parent, "npgpt/**/*.py"), (DOCS.parent, "torchgpt/**/*.py"))
        for path in place.glob(pattern)]
    youngest = max(path.stat().st_mtime for path in sources)
    there = all(file_of(part).exists() for part in parts())
    if there and stamp.exists() and stamp.stat().st_mtime > youngest:
        return
    (DOCS / "notebooks").mkdir(exist_ok=True)
    for path, text in made().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    stamp.parent.mkdir(exist_ok=True)
    stamp.touch()


def setup(app):
    from block import Block

    class Notebooks(Block):
        has_content = False

        def run(self):
            home, items = repository(), []
            for part, pages in parts().items():
                path = file_of(part).relative_to(DOCS.parent).as_posix()
                link = ""
                if home:
                    link = (f' <a href="https://colab.research.google.com/github/{home}/blob/main/'
                            f'{path}">open in Colab</a>')
                items.append(f'<li><b>{part}</b>: <code class="path">{path}</code>, {len(pages)} '
                             f"page{'s' if pages[1:] else ''}."
                             f"{link}</li>")
            return [self.html(f"<ul>{''.join(items)}</ul>")]

    app.add_directive("notebooks", Notebooks)
    if Path(app.srcdir) == DOCS:
        app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
