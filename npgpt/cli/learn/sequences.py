"""npgpt learn sequences: an encoder–decoder learns to reverse, copy or sort."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from npgpt.cli.learn.lesson import Out, Seed, finish, lesson_directory
from npgpt.cli.options import AsJson, option
from npgpt.cli.progress import clock
from npgpt.cli.tables import print_table
from npgpt.errors import InputError, quote

Task = Annotated[str, option(
    "--task", "What to learn: reverse, copy or sort.", "NAME", default="reverse")]
Length = Annotated[int, option("--length", "Letters of a sequence, 2 to 26.", default=20)]
Steps = Annotated[int, option("--steps", "Training steps, of 64 pairs each.", default=700)]
NoPositions = Annotated[bool, option(
    "--no-positions", "Leave out where a letter stands.", None)]


def sequences(
    task: Task = "reverse", length: Length = 20, steps: Steps = 700,
    no_positions: NoPositions = False, seed: Seed = 1, out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Teach an encoder–decoder to write random letters backwards.

    It is given pairs of a source and a target, and never the rule. Then it is
    tried on 1,000 sequences that it has not met. The picture has its progress,
    and where the decoder looks in the source for each letter that it writes.

    \b
    npgpt learn sequences
    npgpt learn sequences --task sort --length 12
    npgpt learn sequences --no-positions --steps 300
    """
    from npgpt.models import encoder_decoder
    from npgpt.training import Trainer

    def make_trainer(config, params, settings):
        return Trainer(encoder_decoder, config, params, settings)

    teach(make_trainer, task, length, steps, no_positions, seed, out, as_json)


def teach(
    make_trainer: Callable, task: str, length: int, steps: int, no_positions: bool, seed: int,
    out: Path | None, as_json: bool,
) -> None:
    """The lesson, by either package's trainer."""
    from npgpt.checking.attention_maps import cross_attention_maps
    from npgpt.models import encoder_decoder
    from npgpt.runs.lessons.sequences import learn_sequences, one_pair
    from npgpt.runs.lessons.sequences_picture import draw_sequences
    from npgpt.text.corpora.sequences import ALPHABET, TASKS, decode, without_positions

    if task not in TASKS:
        raise InputError(f"--task is {quote(task)}: give {', '.join(TASKS)}")
    for name, value, least, most in (("length", length, 2, len(ALPHABET)),
                                     ("steps", steps, 1, 100_000)):
        if not least <= value <= most:
            raise InputError(f"--{name} is {value}: give {least} to {most}")
    with lesson_directory(out, "sequences") as directory:
        found = learn_sequences(encoder_decoder, make_trainer, task, length, steps, seed,
                                not no_positions, report_step)
        params, config = found.pop("params"), found.pop("config")
        text = found["examples"][0]["source"]
        pair = one_pair(task, text)
        wanted = decode(pair["targets"][0])
        maps = cross_attention_maps(
            encoder_decoder, params, without_positions(pair) if no_positions else pair, config)
        draw_sequences(found, maps, text, wanted, directory / "sequences.png")
    if not as_json:
        report(found)
    finish(found, directory, "sequences", as_json)


def report_step(row: dict) -> None:
    print(f"step {row['step']}: {row['tokens']:.1%} of the letters and {row['exact']:.1%} of the"
          f" sequences are right, {clock(row['seconds'])}", file=sys.stderr)


def report(found: dict) -> None:
    verb = {"reverse": "write backwards", "copy": "copy", "sort": "sort"}[found["task"]]
    print(f"An encoder–decoder was to {verb} sequences of {found['length']} random letters. It"
          f" learned from {found['pairs']:,} pairs in {clock(found['seconds'])}.")
    print_table(
        ("source", "it writes", ""),
        [(each["source"], each["written"], "right" if each["written"] == each["wanted"]
          else f"not {each['wanted']}") for each in found["examples"]], left=3)
    known = ("Sorting asks only which letters a sequence has, and not in which order."
             if found["task"] == "sort" else
             "Who knows only which letters a sequence has, and not in which order, gets"
             f" {found['guess']:.1%} of them right by guessing.")
    print(f"Of {found['held_out']:,} sequences that it had not met it writes"
          f" {found['exact']:.1%} without a mistake, and {found['tokens']:.1%} of the letters,"
          f" each after the right ones, as they should be. {known}")
