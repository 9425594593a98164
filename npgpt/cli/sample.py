"""npgpt sample: let a trained model continue a text."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from npgpt.cli import options
from npgpt.cli.options import option, with_options
from npgpt.cli.sample_output import write
from npgpt.errors import InputError


@dataclass
class Request:
    """The options of `sample` in either package."""

    prompt: Annotated[list[str] | None, option(
        "--prompt", "Text to continue; may be repeated.", "TEXT", "a newline")] = None
    ids: Annotated[str | None, option(
        "--ids", "Token ids to continue instead, such as 1,2,3.", "LIST")] = None
    tokens: Annotated[int, option(
        "--tokens", "Number of tokens to generate.", default=200)] = 200
    temperature: Annotated[float, option(
        "--temperature", "Sampling temperature; 0: always the likeliest.", "X", 0.8)] = 0.8
    top_k: Annotated[int | None, option(
        "--top-k", "Sample from the K likeliest tokens only.", "K")] = None
    top_p: Annotated[float | None, option(
        "--top-p", "Sample from the likeliest tokens that make up P.", "P")] = None
    repetition_penalty: Annotated[float, option(
        "--repetition-penalty", "Repetition penalty; above 1: repeat less.", "X", 1.0)] = 1.0
    stop: Annotated[list[str] | None, option(
        "--stop", "Stop before this text; may be repeated.", "TEXT")] = None
    allow_special: Annotated[list[str] | None, option(
        "--allow-special", "Special token to read in prompts; may be repeated.", "TOKEN")] = None
    seed: Annotated[int, option("--seed", "Random seed.", default=1)] = 1
    adapter: Annotated[list[str] | None, option(
        "--adapter", "LoRA adapter to add; may be repeated.", "DIR")] = None
    logprobs: Annotated[bool, option(
        "--logprobs", "Print a token per line with its log-probability.", None)] = False
    stream: Annotated[bool, option(
        "--stream", "With --json, print an object per token, too.", None)] = False


@with_options("request", Request)
def sample(run: options.RunPath, *, request: Request, as_json: options.AsJson = False) -> None:
    """Let a trained model continue a text, or several.

    \b
    npgpt sample runs/one --prompt "The " --tokens 200 --temperature 0.8
    """
    from npgpt.runs.adapters.with_adapters import load_with_adapters

    answer(load_with_adapters(run, request.adapter), engine_of, request, as_json)


def engine_of(checkpoint):
    """What writes with a checkpoint's model, in NumPy."""
    from npgpt.generation import Engine
    from npgpt.models import BY_TYPE
    from npgpt.speed import tune_allocator

    tune_allocator()  # a prompt's arrays: the same ones in every block
    model = BY_TYPE[checkpoint.family.FILES["model_type"]]
    return Engine(model, checkpoint.params, checkpoint.config, checkpoint.tokenizer)


def answer(checkpoint, engine: Callable, request: Request, as_json: bool) -> None:
    """Print what engine(checkpoint) writes. Raises InputError for a request that the
    model cannot meet."""
    from npgpt.generation.prompt import first_ids, left_out

    check_weights(checkpoint)
    tokenizer, V = checkpoint.tokenizer, checkpoint.config.vocab_size
    prompts: list[str | None] = [*request.prompt] if request.prompt else [None]
    special = request.allow_special or []
    if special and tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer, so --allow-special has no meaning")
    starts = [first_ids(tokenizer, V, each, request.ids, special) for each in prompts]
    settings = settings_of(checkpoint, request)
    for start in starts:
        if said := left_out(start, checkpoint.config.context_length):
            print(f"note: {said}", file=sys.stderr)
    write(engine(checkpoint), starts, settings, request.logprobs, request.stream, as_json)


def check_weights(checkpoint) -> None:
    """InputError where a weight is not finite: what follows would mean nothing."""
    from npgpt.runs.diverged import first_not_finite

    bad = first_not_finite(checkpoint.params)
    if bad:
        raise InputError(
            f"{checkpoint.path}: the weight {bad} is not finite; restore it from a copy")


def settings_of(checkpoint, request: Request):
    """The request as the engine takes it."""
    from npgpt.generation import SamplingSettings
    from npgpt.runs.checkpoint.end_tokens import end_ids

    if request.stop and checkpoint.tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer, so --stop finds no text")
    if request.tokens < 0:
        raise InputError(f"tokens is {request.tokens}: give 0 or more")
    return SamplingSettings(
        request.tokens, request.temperature, request.top_k, request.top_p,
        request.repetition_penalty, request.seed, tuple(request.stop or ()),
        end_ids(checkpoint.path, checkpoint.config, checkpoint.family))
