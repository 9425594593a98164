"""Checks at the model's door, so that the layers need none."""

from npgpt.errors import InputError


def check_ids(ids, config, start=0):
    """Raise InputError unless ids are (B, T) whole numbers below V that
    fit the context after `start` earlier tokens."""
    check_whole("ids", ids)
    if len(ids.shape) != 2 or ids.shape[1] < 1:
        raise InputError(
            f"ids: expected shape (batch, tokens), "
            f"got {tuple(ids.shape)}")
    end = start + ids.shape[1]
    if end > config.context_length:
        raise InputError(
            f"ids: {end} tokens do not fit the context of "
            f"{config.context_length}: give fewer")
    if ids.shape[0] == 0:
        return
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= config.vocab_size:
        raise InputError(
            f"ids: {low if low < 0 else high} is outside the"
            f" vocabulary, 0 to {config.vocab_size - 1}")


def check_whole(name, numbers):
    """Raise InputError unless the numbers are int64, which either half
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
