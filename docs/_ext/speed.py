"""`{speed} step NAME NAME`, and `{speed} BENCH NAME` for another bench: tables of the records."""

import importlib
import json
from html import escape

from block import DOCS, Block


class Speed(Block):
    """Records of `npgpt bench`, as its own table."""

    required_arguments = 2
    final_argument_whitespace = True
    has_content = False

    def run(self):
        kind, names = self.arguments[0], self.arguments[1].split()
        paths = [DOCS / "records" / f"{name}.json" for name in names]
        for path in paths:
            self.env.note_dependency(str(path))
        records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        bench = importlib.import_module(f"npgpt.benchmarks.{kind}")
        table, machine = bench.markdown(records if kind == "step" else records[0]).split("\n\n")
        head, _, *rows = [line.strip("|").split("|") for line in table.split("\n")]
        heads = "".join(f'<th scope="col">{self.inline(cell.strip())}</th>' for cell in head)
        body = "".join("<tr>" + "".join(f"<td>{self.inline(cell.strip())}</td>" for cell in row)
                       + "</tr>" for row in rows)
        return [self.html(f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
                          f'<p class="note">{escape(machine)}</p>')]


def setup(app):
    app.add_directive("speed", Speed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
