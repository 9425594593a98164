"""npgpt train: a GPT in NumPy, from text to a checkpoint."""

import sys
from pathlib import Path
from typing import Annotated, Any

from npgpt.cli import options
from npgpt.cli.options import option, with_settings
from npgpt.cli.output import free_directory, print_json
from npgpt.cli.progress import TrainingProgress, memory_used, stop_flag, while_heard
from npgpt.cli.run import fail
from npgpt.cli.train_output import tell
from npgpt.errors import InputError
from npgpt.files import shell_quote
from npgpt.runs.checkpoint import read_backend

Compile = Annotated[bool, option("--compile", "Compile the loops with Numba (faster).", None)]


@with_settings()
def train(
    *,
    out: options.Out = None,
    resume: options.Resume = False,
    model: options.Model = None,
    compile: Compile = False,
    settings: dict[str, Any],
    check: options.Check = False,
    as_json: options.AsJson = False,
) -> int:
    """Train a GPT on a text, or continue a run.

    \b
    npgpt train --out runs/one --steps 500
    npgpt train --out runs/one --resume --steps 1000
    """
    if settings.get("dtype") == "bfloat16":
        raise InputError("NumPy has no bfloat16: give --dtype float32, or use torchgpt train")
    from npgpt.models import BY_TYPE
    from npgpt.runs.run import cleared_unless_started
    from npgpt.runs.start_from import named_model
    from npgpt.runs.trainers import numpy_trainer

    if check:
        refuse_trained(resume, settings)
        return examine(settings, named_model(model or "gpt2", BY_TYPE),
                       lambda run: numpy_trainer(run, compile), as_json)
    if compile:
        import npgpt.speed.compiled  # noqa: F401  where numba is missing, no run is made
    extra = {"half": "numpy", "compile": compile}
    run = open_run("npgpt train", out, resume, settings, extra, model)
    compile = compile or read_backend(run.path)["compile"]
    with cleared_unless_started(run):
        return go(run, numpy_trainer(run, compile), "npgpt train", as_json)


def open_run(
    command: str, out: Path | None, resume: bool, settings: dict[str, Any],
    extra: dict[str, Any], model: str | None = None,
):
    """The new run, of the model family of that name, or the one to go on with."""
    from npgpt.models import BY_TYPE
    from npgpt.runs.advice import at_the_minimum
    from npgpt.runs.run import resume_run, start_run
    from npgpt.runs.start_from import model_to_start

    if resume:
        if out is None:
            raise InputError("--resume needs --out, the directory of the run to continue")
        if model is not None:
            raise InputError("--model cannot be given with --resume: a run keeps its model")
        run = resume_run(out, settings, BY_TYPE)
        note = at_the_minimum(run)
        if note and "decay_steps" not in settings:
            print(note, file=sys.stderr)
        return run
    out = out or free_directory("train")
    return start_run(out, settings, command, extra, model_to_start(settings, BY_TYPE, model))


def go(
    run, trainer, command: str, as_json: bool, agree=lambda stopped: stopped,
    prefetch=lambda batch: batch,
) -> int:
    """Train, tell how it went and what to do next; the exit status. `agree`
    makes one answer of several processes' stop flags; `prefetch` lets batches
    be drawn ahead."""
    from npgpt.runs.advice import changes_of, resume_line
    from npgpt.runs.diverged import Diverged
    from npgpt.runs.summary import with_measures
    from npgpt.runs.train import train

    began = run.step
    with stop_flag() as stopped, TrainingProgress(run.step, run.settings.steps) as progress:
        try:
            summary = train(
                run, trainer, while_heard(progress), agree(stopped), prefetch)
        except Diverged as error:
            return fail(str(error), status=1)
    summary = with_measures(summary, run, trainer)
    summary["peak_memory_gb"] = round(memory_used(), 3)
    if as_json:
        print_json(summary)
    else:
        tell(summary, run, began)
    if summary["status"] == "interrupted":
        print(f"stopped and saved at step {summary['step']}; go on with:"
              f"\n  {resume_line(command.split()[0], run.path, changes_of(run))}",
              file=sys.stderr)
        return 130
    if not as_json:
        print(f"try it:  {command.split()[0]} sample {shell_quote(run.path)}")
    return 0


def refuse_trained(resume: bool, settings: dict[str, Any]) -> None:
    """--check is for new weights."""
    for given, flag in ((resume, "--resume"), ("start_from" in settings, "--from")):
        if given:
            raise InputError(f"--check looks at a model before its first step: leave out {flag}")


def examine(settings: dict[str, Any], model: Any, open_trainer, as_json: bool) -> int:
    """The checks before a long run; nothing is written. 1 where one fails."""
    from npgpt.runs.checks import check_run
    from npgpt.runs.run import plan_run
    from npgpt.runs.settings import complete

    run = plan_run(Path(), complete(settings), model)
    answers = []
    for question, found, right in check_run(run, open_trainer):
        answers.append({"question": question, "found": found, "right": right})
        if not as_json:
            print(f"{'ok' if right else 'WRONG':<6} {question:<20} {found}", flush=True)
    right = all(answer["right"] for answer in answers)
    if as_json:
        print_json({"right": right, "checks": answers})
    else:
        print("this model is fit to be trained" if right else "do not train this model yet")
    return 0 if right else 1
