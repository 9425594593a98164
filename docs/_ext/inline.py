"""One line of a page as HTML: code, formulas, bold words, links."""

import re
from html import escape

import katex
from sphinx.errors import ExtensionError

TICK = '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 6.5 5 9.3 10.2 3"/></svg>'


class Inline:
    """`code`, $maths$, **bold**, *italic* and [links](page.md) in one line, as HTML."""

    PARTS = re.compile(
        r"\$([^$]+)\$|`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^]]+)\]\(([^)]+)\)")

    def __init__(self, symbols, where):
        self.symbols, self.where = symbols, where

    def __call__(self, text):
        out, at = [], 0
        for match in self.PARTS.finditer(text):
            out.append(escape(text[at : match.start()], quote=False))
            maths, code, bold, leaning, link, target = match.groups()
            try:
                out.append(
                    katex.render(maths, self.symbols) if maths
                    else f"<code>{escape(code)}</code>" if code
                    else f"<b>{self(bold)}</b>" if bold
                    else f"<i>{self(leaning)}</i>" if leaning
                    else f'<a href="{re.sub(r"[.]md(?=#|$)", ".html", target)}">{self(link)}</a>')
            except ValueError as error:
                raise ExtensionError(f"{self.where}: {error}") from error
            at = match.end()
        out.append(escape(text[at:], quote=False))
        return "".join(out)
