"""The book's build: Sphinx, MyST, this project's own theme and directives."""

import os
import re
import sys
from pathlib import Path

# pages are read side by side, one thread each: small examples gain nothing from more
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]

project = "npgpt"
author = "the npgpt authors"
language = "en"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.linkcode",
              "katex", "twin", "blocks", "words", "written", "speed", "sources",
              "notebooks", "grown", "guide", "museum"]
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_katex", "_theme", "_ext", "notebooks/*"]
nitpicky = False

html_theme = "book"
html_theme_path = [str(DOCS / "_theme")]
html_title = "npgpt ∥ torchgpt"
html_copy_source = False
html_show_search_summary = False
html_search_scorer = str(DOCS / "_theme" / "scorer.js")
html_permalinks_icon = "#"
pygments_style = "bw"

html_use_index = False
html_domain_indices = False
autodoc_default_options = {"members": True, "imported-members": True}
autodoc_typehints = "signature"


def literal_docstring(app, what, name, obj, options, lines):
    """Docstrings speak shapes, not reStructuredText: show them as they are."""
    if lines:
        lines[:] = [".. code-block:: none", "", *("   " + line for line in lines), ""]


def linkcode_resolve(domain, info):
    from sources import resolve

    return resolve(domain, info)


def level_of_captions(app, page, template, context, doctree):
    """A list's caption is a heading of level 3; Sphinx does not say of which."""
    if "body" in context:
        context["body"] = context["body"].replace('role="heading"', 'role="heading" aria-level="3"')


def contents_of(app, page, template, context, doctree):
    """The page's own sections, for the line at its top: each in a word or two; and
    the stretch of the road that it belongs to."""
    from chapters import road, stretch_of

    depth, links = 0, []
    for tag, anchor, words in re.findall(
            r'(</?ul>)|<a class="reference internal" href="(#[^"]*)">(.*?)</a>',
            context.get("toc", "")):
        depth += (tag == "<ul>") - (tag == "</ul>")
        if depth == 2 and anchor:
            links.append(f'<li><a href="{anchor}">{short(words)}</a></li>')
    context["contents"] = "".join(links)
    caption = stretch_of(page)
    first = caption and road()[caption][0]
    context["stretch"] = caption
    context["stretch_page"] = first if first and first.startswith("road/") and first != page else ""


def short(words):
    """"The problem: who is him?" -> "Problem"."""
    words = re.sub(r"^(The|What) ", "", re.sub(r"<[^>]+>", "", words).split(":")[0].split(",")[0])
    return words[0].upper() + words[1:] if words else words


def setup(app):
    app.connect("html-page-context", contents_of)
    app.connect("html-page-context", level_of_captions)
    app.connect("autodoc-process-docstring", literal_docstring)
