"""npgpt sample: let a trained model write."""

import sys

from npgpt.cli import common
from npgpt.errors import InputError


def sample(
    run: common.RunPath,
    prompt: common.Prompt = None,
    ids: common.Ids = None,
    tokens: common.Tokens = 200,
    temperature: common.Temperature = 0.8,
    top_k: common.TopK = None,
    top_p: common.TopP = None,
    repetition_penalty: common.Penalty = 1.0,
    stop: common.Stop = None,
    seed: common.SampleSeed = 1,
    as_json: common.AsJson = False,
) -> None:
    """Let a trained model continue a text.

    \b
    npgpt sample runs/one --prompt "The " --tokens 200 --temperature 0.8
    """
    from npgpt.checkpoint import load_checkpoint
    from npgpt.generation import generate_batch

    checkpoint = load_checkpoint(run)
    how = {
        "max_new_tokens": tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "repetition_penalty": repetition_penalty, "seed": seed,
    }
    start = first_ids(checkpoint, prompt, ids)
    write(checkpoint, checkpoint.params, generate_batch, start, stop or [], how, as_json)


def write(checkpoint, params, generate_batch, start, stops, how: dict, as_json: bool) -> None:
    """Print the prompt and what follows, piece by piece as it is made."""
    from npgpt.generation.sample import check_sampling
    from npgpt.text import StopStrings

    if how["max_new_tokens"] < 0:
        raise InputError(f"tokens is {how['max_new_tokens']}: give 0 or more")
    check_sampling(how["temperature"], how["top_k"], how["top_p"], how["repetition_penalty"])
    tokenizer = checkpoint.tokenizer
    if stops and tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer, so --stop finds no text")
    ending = StopStrings(stops)
    decoder = tokenizer and tokenizer.stream_decoder()
    say = (lambda text: None) if as_json else show
    say(tokenizer.decode(start) if tokenizer else "".join(f"{id} " for id in start))
    made, log_probs, text = [], [], ""
    stream = generate_batch(
        params, checkpoint.config, [start], ended=lambda row: ending.found, **how)
    for _, id, log_prob in stream:
        made.append(id)
        log_probs.append(log_prob)
        piece = ending.push(decoder.push(id)) if decoder else f"{id} "
        text += piece
        say(piece)
    piece = ending.push(decoder.finish()) + ending.finish() if decoder else ""
    say(piece + "\n")
    if as_json:
        common.print_json({
            "prompt": tokenizer and tokenizer.decode(start),
            "prompt_ids": start,
            "text": tokenizer and text + piece,
            "ids": made,
            "log_probs": log_probs,
            "stopped": ending.found,
        })


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
        try:
            start = checkpoint.tokenizer.encode("\n")
        except InputError:
            start = [0]
    if not start:
        raise InputError("the prompt is empty: give at least one character")
    return start
