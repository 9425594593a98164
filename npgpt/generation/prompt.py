"""The token ids that a text begins with."""

from npgpt.errors import InputError


def first_ids(tokenizer, vocab_size, prompt=None, ids=None, special=()):
    """-> the ids of `prompt`, a string, or those listed in `ids`, such as
    "1,2,3"; of neither, the opening. `tokenizer` may be None. special:
    the special tokens that are read as such in a prompt. Raises
    InputError where the model cannot read them."""
    if ids is not None:
        if prompt is not None:
            raise InputError("give --prompt or --ids, not both")
        start = listed_ids(ids, vocab_size)
    elif tokenizer is None:
        if prompt is not None:
            raise InputError("this model has no tokenizer: give --ids"
                             " instead of --prompt")
        start = [0]
    else:
        before = [tokenizer.special_ids[name]
                  for name in getattr(tokenizer, "before", ())]
        start = before + (
            opening(tokenizer) if prompt is None
            else tokenizer.encode(prompt, allowed_special=special))
    if not start:
        raise InputError("the prompt is empty: give at least one character")
    return start


def left_out(ids, context_length):
    """-> a sentence on what of a prompt is not read, or None."""
    if context_length is None or len(ids) <= context_length:
        return None
    count = len(ids) - context_length
    return (f"the prompt has {len(ids)} tokens and the context"
            f" {context_length}: the first {count} are not read"
            if count > 1 else
            f"the prompt has {len(ids)} tokens and the context"
            f" {context_length}: the first one is not read")


def listed_ids(text, vocab_size):
    """-> the whole numbers in "1,2,3", all from 0 to vocab_size - 1."""
    try:
        ids = [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise InputError(f"--ids is {text!r}: give whole numbers,"
                         f" such as 1,2,3") from None
    for id in ids:
        if not 0 <= id < vocab_size:
            raise InputError(f"id {id} is out of range: this model"
                             f" knows ids 0 to {vocab_size - 1}")
    return ids


def opening(tokenizer):
    """-> the ids of a newline; [0] where the vocabulary has none."""
    try:
        return tokenizer.encode("\n") or [0]
    except InputError:
        return [0]
