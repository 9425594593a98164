"""The reason above a step of a twin: why it is there, its formula, its numbers.

    (2) So that scores stay near 1 in a head of any size
    The more products are added, the larger their sum: …       text, links, $maths$
    = s_{tj} \\leftarrow s_{tj} / \\sqrt{D}                      a formula
    > Here √4 = 2, so `Tom` gets «raw / 2»                      the example's numbers in a sentence
    # scores: scores[him] | words                               the example's numbers as cells

A page without a worked example has texts and formulas alone; a function without steps
has one reason, `() Why it is there`.
"""

import re
from html import escape

import numpy as np
from cut import TwinError
from worked import evaluated, inserted, printed

START = re.compile(r"\((\d+(?:, \d+)*|)\)\s*(.*)")


def parsed(lines):
    """{step numbers: [line, …]}, the title first."""
    found, now = {}, None
    for text in lines:
        if match := START.match(text):
            now = found[tuple(map(int, match[1].replace(",", "").split()))] = [match[2]]
        elif now is not None:
            now.append(text)
        elif text.strip():
            raise TwinError(f"a reason begins with its step, (1) …: {text}")
    return found


def split(lines):
    """title, paragraphs of text, calculation lines."""
    title, texts, calc = lines[0].strip(), [[]], []
    for line in lines[1:]:
        if line[:2] in ("= ", "> ", "# "):
            calc.append((line[0], line[2:].strip()))
        elif line.strip():
            texts[-1].append(line.strip())
        else:
            texts.append([])
    return title, [" ".join(words) for words in texts if words], calc


def reason_html(number, lines, inline, space, where, before="", verdict=""):
    """`before`: the forward lines that a backward step differentiates."""
    title, texts, calc = split(lines)
    texts = [f"<p>{inline(inserted(text, space, where))}</p>" for text in texts]
    calculations = "".join(calculation(kind, text, inline, space, where) for kind, text in calc)
    words = f"<h3>{inline(inserted(title, space, where))}</h3>" if title else ""
    return (f'<div class="reason"><div class="why">{before}{words}{"".join(texts)}{verdict}</div>'
            f'<div class="mid" aria-hidden="true">{number and f"({number})"}</div>'
            f'<div class="calc">{calculations}</div></div>')


def calculation(kind, text, inline, space, where):
    if kind == "=":
        return f'<p class="fx">{inline(f"${text}$")}</p>'
    if kind == ">":
        return f'<p class="eg">{inline(inserted(text, space, where))}</p>'
    rows, _, columns = text.partition(" | ")
    names = evaluated(columns.strip(), space, where) if columns else None
    cells = []
    for row in rows.split("; "):
        name, _, expression = row.partition(": ")
        value, _, form = expression.partition(" ~ ")
        cells.append((name.strip(), evaluated(value, space, where), form.strip() or None))
    return number_table(cells, names)


def number_table(rows, columns=None, caption="", kind="nums", signed=False):
    """Rows of numbers, `(name, values, format)`, as shaded cells. A gradient, `d_…` or all
    rows with `signed`, is coloured by its sign; all else by its size."""
    columns_count = len(np.atleast_1d(np.asarray(rows[0][1], dtype=object)))
    head = ""
    if columns is not None:
        head = ("<thead><tr><td></td>" + "".join(
            f'<th scope="col">{escape(str(name))}</th>' for name in columns) + "</tr></thead>")
    body = []
    for name, values, form in rows:
        values = [None if value is None else value for value in np.atleast_1d(
            np.asarray(values, dtype=object))]
        signed_row = signed or name.startswith("d_")
        form = form or decimals(values)
        finite = [abs(float(v)) for v in values if number_like(v)]
        top = max(finite, default=1) or 1
        body.append(f'<tr><th scope="row">{label(name)}</th>'
                    + "".join(cell(value, form, signed_row, top) for value in values) + "</tr>")
    few = " n4" if columns_count <= 4 else ""
    words = f"<caption>{caption}</caption>" if caption else ""
    return f'<table class="{kind}{few}">{words}{head}<tbody>{"".join(body)}</tbody></table>'


def label(name):
    return f"<code>{escape(name)}</code>" if re.fullmatch(r"\w+", name) else escape(name)


def number_like(value):
    return value is not None and not isinstance(value, str) and np.isfinite(float(value))


def decimals(values):
    """One format for a row: whole numbers without a point, else two decimals."""
    numbers = [float(value) for value in values if number_like(value)]
    return ".0f" if all(value == round(value) for value in numbers) else ".2f"


def cell(value, form, signed, top):
    if value is None:
        return '<td class="void">·</td>'
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    if not np.isfinite(float(value)):
        return f'<td class="void">{printed(float(value))}</td>'
    text = printed(float(value), ("+" if signed and value else "") + form)
    strength = min(1, abs(float(value)) / top)
    kind = ("up" if value > 0 else "dn" if value < 0 else "") if signed else "p"
    if strength == 0 or not kind:
        return f"<td>{text}</td>"
    return f'<td class="{kind}" style="--t:{strength:.2f}">{text}</td>'
