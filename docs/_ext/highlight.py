"""Python as HTML: its tokens in classes, its variables marked, differences tinted."""

import ast
import io
import keyword
import tokenize
from difflib import SequenceMatcher
from html import escape

from cut import LABEL

SKIP = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


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
        if kind == "c-com" and LABEL.match(text):
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
