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
    seed: common.SampleSeed = 1,
    as_json: common.AsJson = False,
) -> None:
    """Let a trained model continue a text.

    \b
    npgpt sample runs/one --prompt "The " --tokens 200 --temperature 0.8
    """
    from npgpt.checkpoint import load_checkpoint
    from npgpt.generation import generate

    checkpoint = load_checkpoint(run)
    write(checkpoint, checkpoint.params, generate, prompt, ids, tokens, temperature,
          top_k, top_p, seed, as_json)


def write(
    checkpoint, params, generate, prompt, ids, tokens, temperature, top_k, top_p, seed, as_json
) -> None:
    """Print the prompt and what follows, piece by piece as it is made."""
    if tokens < 0:
        raise InputError(f"tokens is {tokens}: give 0 or more")
    start = first_ids(checkpoint, prompt, ids)
    stream = generate(params, checkpoint.config, start, max_new_tokens=tokens,
                      temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
    tokenizer = checkpoint.tokenizer
    if as_json:
        made = list(stream)
        common.print_json({
            "prompt_ids": start,
            "ids": made,
            "prompt": tokenizer and tokenizer.decode(start),
            "text": tokenizer and tokenizer.decode(made),
        })
        return
    decoder = tokenizer and tokenizer.stream_decoder()
    for id in [*start]:
        show(decoder.push(id) if decoder else f"{id} ")
    for id in stream:
        show(decoder.push(id) if decoder else f"{id} ")
    show((decoder.finish() if decoder else "") + "\n")


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
