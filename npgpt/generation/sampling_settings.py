"""What is asked of a text that a model writes."""

import math
from dataclasses import asdict, dataclass

from npgpt.errors import InputError, quote
from npgpt.families.checks import real_number, whole_number

MOST_TOKENS = 10**9  # more is a slip, and would never end


@dataclass(frozen=True)
class SamplingSettings:
    """max_new_tokens: at most so many are written. temperature, top_k,
    top_p, repetition_penalty, seed: as `generate_batch` takes them.
    stop: strings, the text ends before the first of them. end_ids: the
    model's end tokens, each ends the text. Raises InputError where one
    has no meaning."""

    max_new_tokens: int = 100
    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0
    seed: int = 1
    stop: tuple[str, ...] = ()
    end_ids: tuple[int, ...] = ()

    def __post_init__(self):
        check_sampling(
            self.temperature, self.top_k, self.top_p,
            self.repetition_penalty, self.max_new_tokens, self.seed)
        if not isinstance(self.stop, (tuple, list)) or not all(
                isinstance(each, str) for each in self.stop):
            raise InputError(
                f"stop is {quote(self.stop)}: give a tuple of strings")
        for id in self.end_ids:
            whole_number("an end id", id)

    def of_draws(self):
        """-> what the drawing of tokens is asked for, a dict."""
        found = asdict(self)
        del found["stop"], found["end_ids"]
        return found


def check_sampling(temperature, top_k, top_p, penalty=1.0,
                   max_new_tokens=0, seed=0):
    """Raise InputError where a setting has no meaning."""
    number = real_number("temperature", temperature)
    if not (math.isfinite(number) and number >= 0):
        raise InputError(
            f"temperature is {temperature}: give 0 (always the"
            f" likeliest token) or a number above, such as 0.8")
    if top_k is not None and whole_number("top_k", top_k) < 1:
        raise InputError(
            f"top_k is {top_k}: give 1 or more, or nothing")
    if top_p is not None and not 0 < real_number("top_p", top_p) <= 1:
        raise InputError(
            f"top_p is {top_p}: give more than 0 and at most 1")
    number = real_number("repetition_penalty", penalty)
    if not (math.isfinite(number) and number > 0):
        raise InputError(
            f"repetition_penalty is {penalty}: give 1 (none) or a"
            f" number above, such as 1.2")
    for name, count in ("max_new_tokens", max_new_tokens), ("seed", seed):
        if whole_number(name, count) < 0:
            raise InputError(f"{name} is {count}: give 0 or more")
    if max_new_tokens > MOST_TOKENS:
        raise InputError(
            f"max_new_tokens is {quote(max_new_tokens)}: ask for fewer"
            f" --tokens, at most {MOST_TOKENS:,}")
