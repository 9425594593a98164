"""Checks at the door, so that models and layers need none."""

import math
import numbers
import operator

from npgpt.errors import InputError, quote


def check_batch(inputs, targets, config):
    """Raise InputError unless inputs are ids (B, T) that fit the model,
    and targets are shaped like them, each -100 (ignored) or an id. Of a
    model with several inputs, a dict of them, the targets belong to the
    last."""
    names = inputs_of(config)
    if names is None and not isinstance(inputs, dict):
        check_ids(inputs, config)
        check_targets(targets, inputs, config)
        return
    if not isinstance(inputs, dict) or set(inputs) != set(names or ()):
        given = ", ".join(inputs) if isinstance(inputs, dict) else "ids"
        raise InputError(
            f"inputs: this model reads {' and '.join(names or ['ids'])},"
            f" got {given}")
    for name in names:
        check_ids(inputs[name], config, name=name)
        if len(inputs[name]) != len(targets):
            raise InputError(
                f"{name} has {len(inputs[name])} rows and targets have"
                f" {len(targets)}: give one target for each")
    check_targets(targets, inputs[names[-1]], config)


def inputs_of(config):
    """The names of a model's inputs, if they are several; or None."""
    return getattr(config, "inputs", None)


def check_ids(ids, config, start=0, name="ids"):
    """Raise InputError unless ids are (B, T) whole numbers below V that
    fit the context after `start` earlier tokens."""
    check_whole(name, ids)
    if len(ids.shape) != 2 or ids.shape[1] < 1:
        raise InputError(
            f"{name}: expected shape (batch, tokens), "
            f"got {tuple(ids.shape)}")
    end, limit = start + ids.shape[1], config.context_length
    if limit is not None and end > limit:
        raise InputError(
            f"{name}: {end} tokens do not fit the context of "
            f"{limit}: give fewer")
    check_below(name, ids, config.vocab_size)


def check_below(name, ids, limit, ignored=None):
    """Raise InputError unless each id is from 0 to limit - 1, or the
    ignored one. Ids on a GPU are not looked at, for that would make
    the step wait: a trainer checks them before they go there."""
    if not on_host(ids):
        return
    wrong = (ids < 0) | (ids >= limit)
    if ignored is not None:
        wrong = wrong & (ids != ignored)
    if wrong.any():
        place = (f"outside the vocabulary, 0 to {limit - 1}"
                 if ignored is None else
                 f"neither {ignored} nor from 0 to {limit - 1}")
        raise InputError(f"{name}: {int(ids[wrong][0])} is {place}")


def on_host(ids):
    """Whether an array or a tensor is in the processor's memory."""
    device = getattr(ids, "device", "cpu")
    return str(getattr(device, "type", device)) == "cpu"


def check_vocabulary(id, config):
    if not 0 <= id < config.vocab_size:
        raise InputError(
            f"ids: {id} is outside the vocabulary,"
            f" 0 to {config.vocab_size - 1}")


def check_prompt(ids, config):
    """-> ids as a list of ints. Raises InputError where they are not whole
    numbers in a row, where there is none, or one that the model does not
    know; or where the model reads more than one text."""
    if inputs_of(config) is not None:
        raise InputError(
            f"this model reads {' and '.join(inputs_of(config))}: it is"
            f" decoded by beam_search")
    return check_text_ids("the prompt", ids, config)


def check_source(ids, config):
    """-> the ids of a source as a list of ints. Raises InputError as
    `check_prompt` does, and where the model reads no source or has no
    room for so long a one."""
    if "source" not in (inputs_of(config) or ()):
        raise InputError(
            "this model reads no source: generate writes with it")
    ids = check_text_ids("the source", ids, config)
    if len(ids) > config.context_length:
        raise InputError(
            f"the source: {len(ids)} tokens do not fit the context of"
            f" {config.context_length}: give fewer")
    return ids


def check_beams(width, max_new_tokens, length_penalty):
    """Raise InputError for what is no number of beams or of tokens."""
    for name, value in (("width", width), ("max_new_tokens", max_new_tokens)):
        if whole_number(name, value) < 1:
            raise InputError(f"{name} is {value}: give 1 or more")
    if not real_number("length_penalty", length_penalty) >= 0:
        raise InputError(
            f"length_penalty is {length_penalty:g}: give 0 or more")


def check_text_ids(name, ids, config):
    """-> the ids of one text, as a list of ints."""
    if len(getattr(ids, "shape", (1,))) != 1 or not hasattr(ids, "__iter__"):
        raise InputError(
            f"{name}: expected the ids of one text, a list or of"
            f" shape (T,), got {described(ids)}")
    ids = [whole_number(f"{name}'s id", id) for id in ids]
    if not ids:
        raise InputError(f"{name} is empty: give at least one token")
    for id in (min(ids), max(ids)):
        check_vocabulary(id, config)
    return ids


def whole_number(name, value):
    """-> the value as an int. Raises InputError for what is none, such as
    2.0, "2" or True."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or value is True or value is False or is_array(value):
        raise InputError(
            f"{name} is {described(value)}: give a whole number")
    return number


def real_number(name, value):
    """-> the value as a float, for a NumPy scalar would make float64 of
    what it is multiplied with. Raises InputError for what is no number,
    such as "2", None or True."""
    if not isinstance(value, numbers.Real) or value is True or value is False:
        raise InputError(f"{name} is {described(value)}: give a number")
    return float(value)


def positive_number(name, value):
    """-> the value as a float. Raises InputError unless it is above 0."""
    number = real_number(name, value)
    if not number > 0:
        raise InputError(f"{name} is {number:g}: give more than 0")
    return number


def is_array(value):
    return bool(getattr(value, "shape", ()))


def described(value):
    """A short word of a value for an error."""
    if is_array(value):
        return f"an array of shape {tuple(value.shape)}"
    return quote(value)


def check_logits(largest):
    """Raise InputError unless the largest logit that a model gives is
    finite."""
    if not math.isfinite(largest):
        raise InputError(
            f"the model's largest logit is {largest}: its weights are"
            f" damaged or too large; restore them from a copy")


def check_top(largest):
    """Raise InputError unless a token can be drawn where this is the
    largest logit: not for NaN, and not where all are -inf."""
    if math.isnan(largest) or largest == -math.inf:
        raise InputError(
            f"the largest logit is {largest}: no token can be drawn")


def last_that_fit(ids, config):
    """-> the ids at the end of a list that the context has room for."""
    N = config.context_length
    return ids[:] if N is None else ids[-N:]


def check_whole(name, ids):
    """Raise InputError unless the ids are int64, which either package
    takes as indices."""
    kind = str(getattr(ids, "dtype", type(ids).__name__))
    kind = kind.removeprefix("torch.")
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
    check_below("targets", targets, config.vocab_size, ignored=-100)


def check_no_mask(mask):
    """Raise InputError for a mask where a model reads every token."""
    if mask is not None:
        raise InputError(
            "mask: a recurrent network can hide no token from another:"
            " leave it out, and let positions say where texts begin")
