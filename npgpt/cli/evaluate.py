"""npgpt evaluate: models side by side, before and after they learned to answer."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli import options
from npgpt.cli.options import option
from npgpt.cli.output import print_json
from npgpt.cli.progress import clock
from npgpt.cli.sample import check_weights, engine_of
from npgpt.cli.tables import print_table
from npgpt.errors import InputError


def evaluate(
    models: Annotated[list[str], typer.Argument(
        metavar="MODEL…", help="Runs, models or LoRA adapters, the base first.",
        show_default=False)],
    data: Annotated[str | None, option(
        "--data", "stories:chat, or a .jsonl file.", "NAME", "stories:chat")] = None,
    corpus: Annotated[str | None, option(
        "--corpus", "Text the base was trained on.", "NAME", "from its run.json")] = None,
    questions: Annotated[int | None, option(
        "--questions", "Number of test questions.", "N", "all of them")] = None,
    answers: Annotated[bool, option("--answers", "Print each answer as well.", None)] = False,
    as_json: options.AsJson = False,
) -> None:
    """Compare models: right answers, loss, what is forgotten, cost.

    \b
    npgpt evaluate runs/one runs/chat runs/mine
    npgpt evaluate runs/one runs/chat --questions 100 --json
    """
    from npgpt.models import BY_TYPE
    from npgpt.runs.compared import find
    from npgpt.runs.evaluate import Corpus, evaluate_model, old_corpus
    from npgpt.text.corpora.chats import load_chats

    if questions is not None and questions < 1:
        raise InputError(f"questions is {questions}: give 1 or more, or leave it out")
    found = [find(model) for model in models]
    chats = load_chats(data or "stories:chat:1")
    old = Corpus(corpus) if corpus else old_corpus(found)
    rows = []
    for each in found:
        checkpoint, trained = each.open()
        check_weights(checkpoint)
        if checkpoint.tokenizer is None:
            raise InputError(f"{checkpoint.path} has no tokenizer, so nothing can be asked")
        model = BY_TYPE[checkpoint.family.FILES["model_type"]]
        rows.append(evaluate_model(
            checkpoint, each.name, engine_of, chats, old, model, questions, trained,
            seconds=each.seconds, memory_mb=each.memory))
    if as_json:
        print_json({"questions": len(chats.test[:questions]), "rows": [
            {**asdict(row), "answers": row.answers if answers else []} for row in rows]})
        return
    show(rows, len(chats.test[:questions]), old)
    for row in rows if answers else []:
        print(f"\n{row.model}")
        for each in row.answers:
            print(f"  {each['question']} {each['answer']!r}, right: {each['right']!r}")


def show(rows: list, questions: int, old) -> None:
    """The table."""
    kinds = list(rows[0].by_kind)
    plain = len(kinds) > 1
    heads = ["model", "exact match", *(kinds if plain else []), "answer loss", "perplexity",
             "grammatical", "consistent", "tokens", "trained", "time", "memory"]
    print_table(heads, [[
        Path(row.model).name, f"{row.exact_match:.1%}",
        *(f"{row.by_kind[kind]:.0%}" for kind in (kinds if plain else [])),
        f"{row.answer_loss:.3f}", number(row.perplexity, "{:.2f}"),
        number(row.grammatical, "{:.0%}"), number(row.consistent, "{:.0%}"),
        f"{row.length:.1f}", f"{row.trained:,}",
        "–" if row.seconds is None else clock(row.seconds),
        number(row.memory_mb, "{:,.0f} MB")] for row in rows])
    print(f"exact match: of {questions} test questions; answer loss: nats a token, validation"
          f" part;\nperplexity: on {old.name if old else 'no text (give --corpus)'};"
          " grammatical, consistent: sentences of the stories it tells;\ntokens: mean length"
          " of an answer; trained: weights that were moved; time:\nof all training steps;"
          " memory: the most that the training process had, a GPU's aside")


def number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
