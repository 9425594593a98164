"""npgpt sample: let a trained model write."""

import sys

from npgpt.cli import options
from npgpt.cli.output import print_json
from npgpt.errors import InputError


def sample(
    run: options.RunPath,
    prompt: options.Prompts = None,
    ids: options.Ids = None,
    tokens: options.Tokens = 200,
    temperature: options.Temperature = 0.8,
    top_k: options.TopK = None,
    top_p: options.TopP = None,
    repetition_penalty: options.Penalty = 1.0,
    stop: options.Stop = None,
    seed: options.SampleSeed = 1,
    logprobs: options.LogProbs = False,
    stream: options.Stream = False,
    as_json: options.AsJson = False,
) -> None:
    """Let a trained model continue a text, or several.

    \b
    npgpt sample runs/one --prompt "The " --tokens 200 --temperature 0.8
    """
    from npgpt.generation import Engine
    from npgpt.models import BY_TYPE
    from npgpt.runs.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(run)
    check_weights(checkpoint)
    prompts: list[str | None] = [*prompt] if prompt else [None]
    starts = [first_ids(checkpoint, each, ids) for each in prompts]
    settings = settings_of(
        checkpoint, tokens, temperature, top_k, top_p, repetition_penalty, seed, stop)
    model = BY_TYPE[checkpoint.family.FILES["model_type"]]
    engine = Engine(model, checkpoint.params, checkpoint.config, checkpoint.tokenizer)
    write(engine, starts, settings, logprobs, stream, as_json)


def check_weights(checkpoint) -> None:
    """InputError where a weight is no number: what follows would mean nothing."""
    from npgpt.runs.diverged import first_not_finite

    bad = first_not_finite(checkpoint.params)
    if bad:
        raise InputError(
            f"{checkpoint.path}: the weight {bad} is not finite; restore it from a copy")


def settings_of(
    checkpoint, tokens: int, temperature: float, top_k: int | None, top_p: float | None,
    repetition_penalty: float, seed: int, stop: list[str] | None,
):
    """What is asked of the text, from the options."""
    from npgpt.generation import SamplingSettings

    if stop and checkpoint.tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer, so --stop finds no text")
    if tokens < 0:
        raise InputError(f"tokens is {tokens}: give 0 or more")
    return SamplingSettings(
        tokens, temperature, top_k, top_p, repetition_penalty, seed, tuple(stop or ()))


def write(
    engine, starts: list[list[int]], settings, logprobs: bool, stream: bool, as_json: bool
) -> None:
    """Print each prompt and what follows, piece by piece as it is made; of
    several, the first as it is made and the others after it."""
    completions, pairs = engine.complete(starts, settings, log_probs=as_json or logprobs)
    ready = [begin(completion, place, len(completions), logprobs)
             for place, completion in enumerate(completions)]
    current = 0
    if not as_json:
        show(ready[0])
    for completion, piece in pairs:
        place, ended = completions.index(completion), completion.finish_reason is not None
        if as_json and stream and not ended:
            print_json(token_facts(completion, place, piece))
            sys.stdout.flush()
        if logprobs:
            piece = "" if ended else last(completion)
        if as_json or place != current:
            ready[place] += piece
        else:
            show(piece)
        while (not as_json and completions[current].finish_reason == "stop"
               and current + 1 < len(completions)):
            current += 1
            show("\n" + ready[current])
    if as_json:
        found = [facts(completion) for completion in completions]
        print_json(found[0] if len(found) == 1 else {"samples": found})
        return
    for place in range(current, len(completions)):
        show((ready[place] if place > current else "") + ("" if logprobs else "\n"))


def begin(completion, place: int, count: int, logprobs: bool) -> str:
    """A prompt as it is printed; of several, with its number."""
    number = f"── {place + 1} ──\n" if count > 1 else ""
    return number + completion.prompt + ("\n" if logprobs else "")


def last(completion) -> str:
    """The last token and its log-probability, as a line."""
    id, tokenizer = completion.ids[-1], completion.tokenizer
    name = repr(tokenizer.decode([id])) if tokenizer else ""
    return f"{completion.log_probs[-1]:9.4f}  {id:>5}  {name}\n"


def token_facts(completion, place: int, piece: str) -> dict:
    """The last token, as an object of --stream."""
    return {
        "row": place, "id": completion.ids[-1], "text": completion.tokenizer and piece,
        "log_prob": completion.log_probs[-1],
    }


def facts(completion) -> dict:
    """A completion, as an object of --json."""
    tokenizer = completion.tokenizer
    return {
        "prompt": tokenizer and completion.prompt, "prompt_ids": completion.prompt_ids,
        "text": tokenizer and completion.text, "ids": completion.ids,
        "log_probs": completion.log_probs, "stopped": completion.finish_reason == "stop",
    }


def show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def first_ids(checkpoint, prompt: str | None, ids: str | None) -> list[int]:
    """The prompt's ids; a line end, or id 0, where no prompt is given."""
    V = checkpoint.config.vocab_size
    if ids is not None:
        if prompt is not None:
            raise InputError("give --prompt or --ids, not both")
        try:
            start = [int(part) for part in ids.replace(",", " ").split()]
        except ValueError:
            raise InputError(f"--ids is {ids!r}: give whole numbers, such as 1,2,3") from None
        for id in start:
            if not 0 <= id < V:
                raise InputError(f"id {id} is out of range: this model knows ids 0 to {V - 1}")
    elif checkpoint.tokenizer is None:
        if prompt is not None:
            raise InputError(f"{checkpoint.path} has no tokenizer: give --ids instead of --prompt")
        start = [0]
    elif prompt is not None:
        start = checkpoint.tokenizer.encode(prompt)
    else:
        start = opening(checkpoint.tokenizer)
    if not start:
        raise InputError("the prompt is empty: give at least one character")
    return start


def opening(tokenizer) -> list[int]:
    """A line end, or id 0 for a vocabulary that has none."""
    try:
        return tokenizer.encode("\n") or [0]
    except InputError:
        return [0]
