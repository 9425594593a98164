"""What `sample` prints: prompts and their continuations, as text or as JSON."""

import sys

from npgpt.cli.output import print_json


def write(
    engine, starts: list[list[int]], settings, logprobs: bool, stream: bool, as_json: bool
) -> None:
    """Print each prompt and its continuation, piece by piece as it is generated; of
    several prompts, the first as it is generated and the others after it."""
    completions, pairs = engine.complete(starts, settings, log_probs=as_json or logprobs)
    ready = [begin(completion, row, len(completions), logprobs)
             for row, completion in enumerate(completions)]
    current = 0
    if not as_json:
        show(ready[0])
    for completion, piece in pairs:
        row, ended = completions.index(completion), completion.finish_reason is not None
        if as_json and stream and not ended:
            print_json(token_facts(completion, row, piece))
            sys.stdout.flush()
        if logprobs:
            piece = "" if ended else last(completion)
        if as_json or row != current:
            ready[row] += piece
        else:
            show(piece)
        while (not as_json and completions[current].finish_reason == "stop"
               and current + 1 < len(completions)):
            current += 1
            show("\n" + ready[current])
    if as_json:
        found = [facts(completion) for completion in completions]
        print_json(found[0] if len(found) == 1 else {"samples": found})
    else:
        for row in range(current, len(completions)):
            show((ready[row] if row > current else "") + ("" if logprobs else "\n"))
    tell_end_tokens(completions)


def tell_end_tokens(completions) -> None:
    """Say on stderr which texts the model has ended itself."""
    for row, completion in enumerate(completions):
        if completion.end_id is not None:
            id, tokenizer = completion.end_id, completion.tokenizer
            token = repr(tokenizer.decode([id])) if tokenizer else f"id {id}"
            which = f"text {row + 1}" if len(completions) > 1 else "the text"
            print(f"note: {which} ends with the model's end token, {token}", file=sys.stderr)


def begin(completion, row: int, count: int, logprobs: bool) -> str:
    """A prompt as it is printed, under its number where there are several."""
    number = f"── {row + 1} ──\n" if count > 1 else ""
    return number + completion.prompt + ("\n" if logprobs else "")


def last(completion) -> str:
    """The last token and its log-probability, as a line."""
    id, tokenizer = completion.ids[-1], completion.tokenizer
    name = repr(tokenizer.decode([id])) if tokenizer else ""
    return f"{completion.log_probs[-1]:9.4f}  {id:>5}  {name}\n"


def token_facts(completion, row: int, piece: str) -> dict:
    """The last token, as an object of --stream."""
    return {
        "row": row, "id": completion.ids[-1], "text": completion.tokenizer and piece,
        "log_prob": completion.log_probs[-1],
    }


def facts(completion) -> dict:
    """A completion, as an object of --json."""
    tokenizer = completion.tokenizer
    return {
        "prompt": tokenizer and completion.prompt, "prompt_ids": completion.prompt_ids,
        "text": tokenizer and completion.text, "ids": completion.ids,
        "log_probs": completion.log_probs, "stopped": completion.finish_reason == "stop",
        "finish_reason": completion.finish_reason,
    }


def show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
