"""Checks at the door, so that models and layers need none."""

import math

from npgpt.errors import InputError


def check_batch(inputs, targets, config):
    """Raise InputError unless inputs are ids (B, T) that fit the model,
    and targets are shaped like them, each -100 (ignored) or an id."""
    check_ids(inputs, config)
    check_targets(targets, inputs, config)


def check_ids(ids, config, start=0):
    """Raise InputError unless ids are (B, T) whole numbers below V that
    fit the context after `start` earlier tokens."""
    check_whole("ids", ids)
    if len(ids.shape) != 2 or ids.shape[1] < 1:
        raise InputError(
            f"ids: expected shape (batch, tokens), "
            f"got {tuple(ids.shape)}")
    end, limit = start + ids.shape[1], config.context_length
    if limit is not None and end > limit:
        raise InputError(
            f"ids: {end} tokens do not fit the context of "
            f"{limit}: give fewer")
    if ids.shape[0] == 0:
        return
    low, high = int(ids.min()), int(ids.max())
    check_vocabulary(low if low < 0 else high, config)


def check_vocabulary(id, config):
    if not 0 <= id < config.vocab_size:
        raise InputError(
            f"ids: {id} is outside the vocabulary,"
            f" 0 to {config.vocab_size - 1}")


def check_prompt(ids, config):
    """-> ids as a list of ints. Raises InputError where there is none, or
    one that the model does not know."""
    ids = [int(id) for id in ids]
    if not ids:
        raise InputError("the prompt is empty: give at least one token")
    for id in (min(ids), max(ids)):
        check_vocabulary(id, config)
    return ids


def check_logits(largest):
    """Raise InputError unless the largest logit of a token is finite: of
    others none can be drawn."""
    if not math.isfinite(largest):
        raise InputError(
            f"the model's largest logit is {largest}: its weights are"
            f" damaged or too large; restore them from a copy")


def check_whole(name, numbers):
    """Raise InputError unless the numbers are int64, which either package
    takes as indices."""
    kind = str(numbers.dtype).removeprefix("torch.")
    if kind != "int64":
        raise InputError(f"{name}: expected int64 numbers, got {kind}")


def check_targets(targets, ids, config):
    """Raise InputError unless targets are shaped like ids and each is
    -100 (ignored) or a whole number below V."""
    check_whole("targets", targets)
    if targets.shape != ids.shape:
        raise InputError(
            f"targets: expected shape {tuple(ids.shape)} like ids, "
            f"got {tuple(targets.shape)}")
    wrong = (targets >= config.vocab_size) | (
        (targets < 0) & (targets != -100))
    if wrong.any():
        raise InputError(
            f"targets: {int(targets[wrong][0])} is neither -100 nor "
            f"from 0 to {config.vocab_size - 1}")
