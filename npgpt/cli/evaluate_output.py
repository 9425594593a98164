"""What npgpt evaluate prints."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from npgpt.cli.output import print_json
from npgpt.cli.progress import clock
from npgpt.cli.tables import print_table

# a column's head, the figure in it, how a number is written
COLUMNS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("exact match", "exact_match", "{:.1%}".format),
    ("drawn", "drawn", "{:.1%}".format),
    ("answer loss", "answer_loss", "{:.3f}".format),
    ("perplexity", "perplexity", "{:.2f}".format),
    ("grammatical", "grammatical", "{:.0%}".format),
    ("consistent", "consistent", "{:.0%}".format),
    ("tokens", "length", "{:.1f}".format),
    ("time", "seconds", clock),
    ("memory", "memory_mb", "{:,.0f} MB".format),
)


def show(shared: list, questions: int, old) -> None:
    """The table. shared: `npgpt.runs.seeds.SharedRow`s."""
    several = any(len(row.rows) > 1 for row in shared)
    kinds = list(shared[0].by_kind) if len(shared[0].by_kind) > 1 else []
    heads = [head for head, _, _ in COLUMNS]
    heads[1:1] = kinds
    table = []
    for row in shared:
        cells = [cell(row.figures[name], form, len(row.rows) > 1) for _, name, form in COLUMNS]
        cells[1:1] = [cell(row.by_kind[kind], "{:.0%}".format, len(row.rows) > 1)
                      for kind in kinds]
        cells.insert(heads.index("time"), f"{row.rows[0].trained:,}")
        table.append([row.name, *([str(len(row.rows))] if several else []), *cells])
    heads.insert(heads.index("time"), "trained")
    print_table(["model", *(["runs"] if several else []), *heads], table)
    print(f"exact match: of {questions} test questions; drawn: the same of answers drawn at"
          " temperature 1;\nanswer loss: nats a token, validation part;"
          f" perplexity: on {old.name if old else 'no text (give --corpus)'};"
          "\ngrammatical, consistent: sentences of the stories it tells; tokens: mean length"
          " of an answer;\ntrained: weights that were moved; time: of all training steps;"
          " memory: the most that\nthe training process had, a GPU's aside")
    if several:
        print("runs: that differ in their seed alone; their mean, with the least and the most"
              " of them in brackets")


def cell(spread, form: Callable[[float], str], several: bool) -> str:
    """A figure: of several runs the mean, the least and the most."""
    if spread is None:
        return "–"
    if not several:
        return form(spread.mean)
    return f"{form(spread.mean)} ({form(spread.least)}–{form(spread.most)})"


def print_all(
    shared: list, rows: list, questions: int, answers: bool, picture: Path | None
) -> None:
    """One JSON object: each model's figures, and those of runs that share a row."""
    print_json({
        "questions": questions,
        "rows": [{**asdict(row), "answers": row.answers if answers else []} for row in rows],
        "summary": [{
            "models": each.models, "seeds": each.seeds, "method": each.method,
            **{name: spread and asdict(spread) for name, spread in each.figures.items()},
            "by_kind": {kind: asdict(spread) for kind, spread in each.by_kind.items()},
        } for each in shared],
        **({"picture": str(picture)} if picture else {})})


def show_answers(rows: list) -> None:
    for row in rows:
        print(f"\n{row.model}")
        for each in row.answers:
            print(f"  {each['question']} {each['answer']!r}, right: {each['right']!r}")
