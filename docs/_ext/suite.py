"""What the parity suite found: its table, and the mistakes that it planted."""

import importlib
import json
import sys
import textwrap
from html import escape

from block import DOCS, Block
from inline import TICK

# the record that is kept in the repository, else that of the last run here
REPORT = next((path for path in (DOCS.parent / "parity_tests" / "report.json",
                                 DOCS.parent / ".pytest_cache" / "d" / "parity" / "report.json")
               if path.exists()), DOCS / "none")


def suite():
    """The parity suite's own table, or None where it has not been run."""
    if not REPORT.exists():
        return None
    return json.loads(REPORT.read_text(encoding="utf-8"))


def suite_row(names):
    """One line about a component from the suite's table."""
    rows = (suite() or {}).get("components", {})
    found = [rows[name] for name in names if name in rows]
    if not found:
        return None
    examples = sum(row["examples"] for row in found)
    worst = max(max(row["forward"], row["backward"]) for row in found)
    return f"{examples} examples, worst error {worst:.0%} of its budget"


def planted(group, name=None):
    """[(what, file, right text, wrong text)] of a file of parity_tests/mutants."""
    if str(DOCS.parent) not in sys.path:
        sys.path.insert(0, str(DOCS.parent))
    found = []
    for mutant in importlib.import_module(f"parity_tests.mutants.{group}").MUTANTS:
        if isinstance(mutant, tuple):
            what, file, old, new = mutant
            found.append((what, f"npgpt/text/{file}", old, new))
        else:
            found.append((mutant.what, mutant.file, mutant.old, mutant.new))
    return [row for row in found if name is None or row[1].split("/")[-1] == name]


class Mutants(Block):
    """The suite's planted mistakes of `layers`, `model`, …, or `layers layer_norm`, those of
    one file: what, the line, the wrong line."""

    required_arguments = 1
    optional_arguments = 1
    has_content = False

    def run(self):
        path = DOCS.parent / "parity_tests" / "mutants" / f"{self.arguments[0]}.py"
        if not path.exists():
            self.fail(f"there is no {path}")
        self.env.note_dependency(str(path))
        found = planted(*self.arguments)
        component_mutants = (suite() or {}).get("mutants", {}).values()
        verdicts = {name: killed for part in component_mutants for name, killed in part.items()}
        out, last = [], None
        for what, file, old, new in found:
            name = file.split("/")[-1]
            if self.arguments[1:]:
                pass
            elif name != last and (DOCS / "chapters" / f"{name}.md").exists():
                out.append(f'<li class="of"><a href="chapters/{name}.html">{name}</a></li>')
            elif name != last:
                out.append(f'<li class="of">{name}</li>')
            last = name
            killed = verdicts.get(f"{file}: {what}")
            found_it = f'<span class="ok">{TICK}found</span>'
            verdict = {True: found_it, False: "survived"}.get(killed, "")
            kind = "pt" if file.startswith("torchgpt") else "np"
            out.append(
                f'<li><p><span class="sq {kind}"></span> {escape(what)} {verdict}</p>'
                f'<pre tabindex="0"><code>{both(old, new)}</code></pre></li>')
        if not out:
            self.fail(f"there is no mutant of {' '.join(self.arguments)}")
        return [self.html(f'<ul class="mutants">{"".join(out)}</ul>')]


def both(old, new):
    """The right lines and the wrong ones, without the indent they share."""
    old, new = (textwrap.dedent(text.strip("\n")) for text in (old, new))
    right = "\n".join(f"  {escape(line)}" for line in old.split("\n"))
    wrong = "\n".join(f"≠ {escape(line)}" for line in new.split("\n"))
    return f"{right}\n<b>{wrong}</b>"


class SuiteTable(Block):
    """The parity suite's own table, or how to make it."""

    has_content = False

    def run(self):
        table = suite()
        if REPORT.exists():
            self.env.note_dependency(str(REPORT))
        if table is None:
            return [self.html(
                "<p><b>Not yet measured here.</b> Run <code>pytest</code>; it ends with this table "
                "and writes it where the book finds it.</p>")]
        heads = ("component", "examples", "witnesses", "worst error forward", "backward",
                 "mutants found")
        out = []
        from npgpt.checking.components import CASES

        for name in CASES:
            row = table["components"].get(name)
            if row is None:
                out.append(f"<tr><td>{name}</td><td colspan=5>not yet measured</td></tr>")
                continue
            killed = table["mutants"].get(name, {})
            full = [who for who in row["witnesses"]
                    if who.split()[-1] not in ("float32", "bfloat16")]
            page = name.removesuffix(".forward")
            link = (f'<a href="chapters/{page}.html">{name}</a>'
                    if (DOCS / "chapters" / f"{page}.md").exists() else name)
            cells = (link, str(row["examples"]), escape(", ".join(full)), f"{row['forward']:.0%}",
                     f"{row['backward']:.0%}" if "autograd" in row["witnesses"] else "–",
                     f"{sum(killed.values())} of {len(killed)}" if killed else "–")
            out.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        head = "".join(f'<th scope="col">{words}</th>' for words in heads)
        where = (f"{table['profile']} profile, {table['date']}, commit {table['commit']}, on "
                 f"{table['device_name']}, "
                 + ", ".join(f"{name} {number}" for name, number in table["versions"].items()))
        return [self.html(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(out)}</tbody>"
                          f"</table><p>Worst errors as a share of their budget. "
                          f"{escape(where)}.</p>")]
