"""npgpt sample: let a trained model write."""

import sys

from npgpt.cli import common
from npgpt.errors import InputError
from npgpt.generation.sample import check_sampling
from npgpt.text import StopStrings


def sample(
    run: common.RunPath,
    prompt: common.Prompts = None,
    ids: common.Ids = None,
    tokens: common.Tokens = 200,
    temperature: common.Temperature = 0.8,
    top_k: common.TopK = None,
    top_p: common.TopP = None,
    repetition_penalty: common.Penalty = 1.0,
    stop: common.Stop = None,
    seed: common.SampleSeed = 1,
    logprobs: common.LogProbs = False,
    stream: common.Stream = False,
    as_json: common.AsJson = False,
) -> None:
    """Let a trained model continue a text, or several.

    \b
    npgpt sample runs/one --prompt "The " --tokens 200 --temperature 0.8
    """
    from threadpoolctl import threadpool_limits

    from npgpt import generation
    from npgpt.runs.checkpoint import load_checkpoint
    from npgpt.speed.blas_threads import blas_threads
    from npgpt.speed.memory_order import PAYS_AFTER, along_longer_side

    checkpoint = load_checkpoint(run)
    check_weights(checkpoint)
    how = {
        "max_new_tokens": tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "repetition_penalty": repetition_penalty, "seed": seed,
    }
    prompts: list[str | None] = [*prompt] if prompt else [None]
    starts = [first_ids(checkpoint, each, ids) for each in prompts]
    rows = [Row(checkpoint, start, stop or []) for start in starts]
    threads, params = blas_threads(checkpoint.config), checkpoint.params
    # each token of a lone text waits until a large model's weights are read
    if threads is None and tokens >= PAYS_AFTER and len(rows) == 1:
        params = along_longer_side(params)
    with threadpool_limits(threads, user_api="blas"):
        write(rows, checkpoint, params, generation, how, logprobs, stream, as_json)


def check_weights(checkpoint) -> None:
    """InputError where a weight is no number: what follows would mean nothing."""
    from npgpt.runs.diverged import first_not_finite

    bad = first_not_finite(checkpoint.params)
    if bad:
        raise InputError(
            f"{checkpoint.path}: the weight {bad} is not finite; restore it from a copy")


class Row:
    """One prompt and what follows it."""

    def __init__(self, checkpoint, start: list[int], stops: list[str]) -> None:
        tokenizer = checkpoint.tokenizer
        if stops and tokenizer is None:
            raise InputError(f"{checkpoint.path} has no tokenizer, so --stop finds no text")
        self.start, self.stops = start, StopStrings(stops)
        self.tokenizer, self.decoder = tokenizer, tokenizer and tokenizer.stream_decoder()
        self.prompt = tokenizer.decode(start) if tokenizer else "".join(f"{id} " for id in start)
        self.ids: list[int] = []
        self.log_probs: list[float] = []
        self.text = ""

    def push(self, id: int, log_prob: float) -> str:
        """Take a token; the text that is now sure."""
        self.ids.append(id)
        self.log_probs.append(log_prob)
        piece = self.stops.push(self.decoder.push(id)) if self.decoder else f"{id} "
        self.text += piece
        return piece

    def finish(self) -> str:
        """No token follows; what was held back."""
        rest = self.stops.push(self.decoder.finish()) + self.stops.finish() if self.decoder else ""
        self.text += rest
        return rest

    def last(self) -> str:
        """The last token and its log-probability, as a line."""
        id = self.ids[-1]
        name = repr(self.tokenizer.decode([id])) if self.tokenizer else ""
        return f"{self.log_probs[-1]:9.4f}  {id:>5}  {name}\n"

    def facts(self) -> dict:
        return {
            "prompt": self.tokenizer and self.prompt, "prompt_ids": self.start,
            "text": self.tokenizer and self.text, "ids": self.ids,
            "log_probs": self.log_probs, "stopped": self.stops.found,
        }


def write(
    rows: list[Row], checkpoint, params, generation, how: dict,
    logprobs: bool, stream: bool, as_json: bool,
) -> None:
    """Print each prompt and what follows, piece by piece as it is made; of
    several, the first as it is made and the others after it."""
    if how["max_new_tokens"] < 0:
        raise InputError(f"tokens is {how['max_new_tokens']}: give 0 or more")
    if how["seed"] < 0:
        raise InputError(f"seed is {how['seed']}: give 0 or more")
    check_sampling(how["temperature"], how["top_k"], how["top_p"], how["repetition_penalty"])
    ready = [begin(row, place, len(rows), logprobs) for place, row in enumerate(rows)]
    current = 0
    if not as_json:
        show(ready[0])
    for place, id, log_prob in draws(rows, checkpoint, params, generation, how,
                                     as_json or logprobs):
        row = rows[place]
        piece = row.push(id, log_prob)
        if as_json and stream:
            common.print_json({"row": place, "id": id, "text": row.tokenizer and piece,
                               "log_prob": log_prob})
            sys.stdout.flush()
        if logprobs:
            piece = row.last()
        if as_json or place != current:
            ready[place] += piece
        else:
            show(piece)
        while not as_json and rows[current].stops.found and current + 1 < len(rows):
            current += 1
            show("\n" + ready[current])
    for place, row in enumerate(rows):
        rest = row.finish()
        if not as_json and place >= current:
            show((ready[place] if place > current else "") + ("" if logprobs else rest + "\n"))
    if as_json:
        facts = [row.facts() for row in rows]
        common.print_json(facts[0] if len(facts) == 1 else {"samples": facts})


def begin(row: Row, place: int, count: int, logprobs: bool) -> str:
    """A prompt as it is printed; of several, with its number."""
    number = f"── {place + 1} ──\n" if count > 1 else ""
    return number + row.prompt + ("\n" if logprobs else "")


def draws(rows: list[Row], checkpoint, params, generation, how: dict, with_probs: bool):
    """(row, id, log-probability) of each token; a lone prompt goes the fast way."""
    config = checkpoint.config
    if len(rows) > 1 or with_probs or how["repetition_penalty"] != 1:
        yield from generation.generate_batch(
            params, config, [row.start for row in rows],
            ended=lambda place: rows[place].stops.found, **how)
        return
    how = {name: value for name, value in how.items() if name != "repetition_penalty"}
    for id in generation.generate(params, config, rows[0].start, **how):
        yield 0, id, 0.0
        if rows[0].stops.found:
            return


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
