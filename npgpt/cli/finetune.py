"""npgpt finetune: a trained model learns to answer, from conversations."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.cli import options
from npgpt.cli.finetune_output import engine_of, measuring, reporting, tell
from npgpt.cli.lora_options import LoraOptions, print_notes
from npgpt.cli.options import option, with_options, with_settings
from npgpt.cli.output import free_directory, print_json
from npgpt.cli.preference_options import PreferenceOptions
from npgpt.cli.progress import TrainingProgress, memory_used, stop_flag, while_heard
from npgpt.cli.run import fail
from npgpt.cli.train import Compile
from npgpt.errors import InputError
from npgpt.files import shell_quote
from npgpt.runs.checkpoint import read_backend

# what a fine-tuning takes from the model that it starts from
FIXED = ("corpus", "tokenizer", "start_from", "field", "end_of_text", "context_length",
         "layers", "heads", "kv_heads", "channels", "tied")
Start = Annotated[str | None, typer.Argument(
    metavar="MODEL", help="Run directory or model to start from.", show_default=False)]
Data = Annotated[str | None, option(
    "--data", "stories:chat, or a .jsonl file.", "NAME", "stories:chat")]
MethodName = Annotated[str | None, option(
    "--method", "full, lora, dpo, grpo or dr-grpo.", "NAME", "full")]
Pack = Annotated[bool, option("--pack", "Several conversations in a row.", None)]
Longest = Annotated[int | None, option(
    "--longest", "Maximum conversation length, in tokens.", "N", "the context")]
SampleEvery = Annotated[int | None, option(
    "--sample-every", "Steps between answers to test questions; 0: none.", "N", 200)]


@with_options("preference", PreferenceOptions)
@with_options("lora", LoraOptions)
@with_settings(without=FIXED)
def finetune(
    start: Start = None,
    *,
    data: Data = None,
    method: MethodName = None,
    out: options.Out = None,
    resume: options.Resume = False,
    compile: Compile = False,
    pack: Pack = False,
    longest: Longest = None,
    sample_every: SampleEvery = None,
    lora: LoraOptions,
    preference: PreferenceOptions,
    settings: dict[str, Any],
    as_json: options.AsJson = False,
) -> int:
    """Teach a trained model to answer, or continue a run.

    \b
    npgpt finetune runs/one --data stories:chat --out runs/chat
    npgpt finetune smollm2 --method lora --targets q,v --out runs/mine
    """
    if settings.get("dtype") == "bfloat16":
        raise InputError("NumPy has no bfloat16: give --dtype float32, or use torchgpt finetune")
    from npgpt import finetuning
    from npgpt.runs.finetune import tuning_of
    from npgpt.runs.methods import losses_of
    from npgpt.runs.run import cleared_unless_started
    from npgpt.runs.trainers import numpy_trainer
    from npgpt.speed import counted_rows

    if compile:
        import npgpt.speed.compiled  # noqa: F401  where numba is missing, no run is made
    tuning = {"method": method, "pack": pack or None, "longest": longest,
              "sample_every": sample_every, **lora.given(),
              **preference.given()}
    extra = {"half": "numpy", "compile": compile}
    run = open_finetune("npgpt finetune", start, data, out, resume, settings, tuning, extra)
    compile = compile or read_backend(run.path)["compile"]
    with cleared_unless_started(run):
        losses = losses_of(tuning_of(run.path), finetuning, counted_rows)
        return go(run, numpy_trainer(run, compile, losses), "npgpt", as_json)


def open_finetune(
    command: str, start: str | None, data: str | None, out: Path | None, resume: bool,
    settings: dict[str, Any], tuning: dict[str, Any], extra: dict[str, Any],
):
    """The new run, or the one to go on with."""
    from npgpt.models import BY_TYPE
    from npgpt.runs.finetune import Tuning, resume_finetune, start_finetune

    given = {name: value for name, value in tuning.items() if value is not None}
    if not resume:
        if start is None:
            raise InputError(f"give the model to start from, such as: {command} runs/one")
        out = out or free_directory("finetune")
        settings = {**settings, "corpus": data or "stories:chat"}
        return start_finetune(out, start, settings, Tuning(**given), command, extra, BY_TYPE)
    if out is None:
        raise InputError("--resume needs --out, the directory of the run to continue")
    fixed = [f"--{name.replace('_', '-')}" for name in given] + ["--data"] * (data is not None)
    if fixed or start is not None:
        raise InputError(f"{', '.join(fixed) or 'MODEL'} cannot be given with --resume: a run"
                         " keeps its model, its data and its method")
    return resume_finetune(out, settings, BY_TYPE)


def go(run, trainer, program: str, as_json: bool) -> int:
    """Train, tell how it went and what to do next; the exit status."""
    from npgpt.runs.advice import changes_of, resume_line
    from npgpt.runs.chat_data import told
    from npgpt.runs.diverged import Diverged
    from npgpt.runs.finetune import ON_ANSWERS, tuning_of
    from npgpt.runs.methods import parts_of
    from npgpt.runs.train import train

    began, tuning = run.step, tuning_of(run.path)
    for line in told(run.data.record, run.data.template_of):
        print(line, file=sys.stderr)
    print_notes(run)
    with measuring() as report:
        parts = parts_of(run, trainer, tuning, engine_of, report)
    print(parts.note, file=sys.stderr)
    if not began and tuning.method in ON_ANSWERS:
        print(f"before the first step: the loss on {len(run.data.validation)} validation"
              " conversations", file=sys.stderr)
    with stop_flag() as stopped, TrainingProgress(run.step, run.settings.steps) as progress:
        try:
            summary = train(
                run, trainer, while_heard(reporting(progress)), stopped,
                batch=parts.batch, measure=parts.measure, after=parts.after)
        except Diverged as error:
            return fail(str(error), status=1)
    summary |= {"method": tuning.method, "data": run.data.record,
                "peak_memory_gb": round(memory_used(), 3)}
    print_json(summary) if as_json else tell(summary, run, began, parts.told)
    if summary["status"] == "interrupted":
        print(f"stopped and saved at step {summary['step']}; go on with:"
              f"\n  {resume_line(program, run.path, changes_of(run))}", file=sys.stderr)
        return 130
    if not as_json:
        where = f"chat {shell_quote(run.path)}" if run.adapter is None else (
            f"chat {shell_quote(run.settings.start_from)} --adapter {shell_quote(run.path)}")
        print(f"try it:  {program} {where}")
    return 0
