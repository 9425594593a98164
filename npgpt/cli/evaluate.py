"""npgpt evaluate: models side by side, before and after they learned to answer."""

from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli import options
from npgpt.cli.evaluate_output import print_all, show, show_answers
from npgpt.cli.options import option
from npgpt.cli.output import check_file
from npgpt.cli.prepare import Stages
from npgpt.cli.sample import check_weights, engine_of
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
    plot: Annotated[Path | None, option("--plot", "PNG file to draw.", "FILE")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare models: right answers, loss, what is forgotten, cost.

    Runs that differ in their seed alone share a row, with their spread.

    \b
    npgpt evaluate runs/one runs/chat runs/mine
    npgpt evaluate runs/one runs/chat --questions 100 --json
    npgpt evaluate runs/one runs/seed-1 runs/seed-2 runs/seed-3 --plot seeds.png
    """
    from npgpt.models import BY_TYPE
    from npgpt.runs.compared import find
    from npgpt.runs.evaluate import evaluate_model
    from npgpt.runs.evaluation_picture import draw_evaluation
    from npgpt.runs.forgetting import Corpus, old_corpus
    from npgpt.runs.seeds import shared_rows
    from npgpt.text.corpora.chats import load_chats

    if questions is not None and questions < 1:
        raise InputError(f"questions is {questions}: give 1 or more, or leave it out")
    check_file(plot, ".png")
    found = [find(model) for model in models]
    chats = load_chats(data or "stories:chat:1")
    old = Corpus(corpus) if corpus else next(
        filter(None, (old_corpus(each.base) for each in found)), None)
    rows = []
    with Stages() as stages:
        for each in found:
            checkpoint, trained = each.open()
            check_weights(checkpoint)
            if checkpoint.tokenizer is None:
                raise InputError(f"{checkpoint.path} has no tokenizer, so nothing can be asked")
            rows.append(evaluate_model(
                checkpoint, each.name, engine_of, chats, old,
                BY_TYPE[checkpoint.family.FILES["model_type"]], questions, trained, stages,
                seconds=each.seconds, memory_mb=each.memory))
    shared, asked = shared_rows(found, rows), len(chats.test[:questions])
    if plot is not None:
        draw_evaluation(shared, plot)
    if as_json:
        print_all(shared, rows, asked, answers, plot)
        return
    show(shared, asked, old)
    if answers:
        show_answers(rows)
    if plot is not None:
        print(f"picture: {plot}")
