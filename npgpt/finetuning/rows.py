"""Rows of conversations: what the model reads, and which of the tokens
that follow it is to learn.

    ids       Question : ... Answer : Emma <end> \\n
    learnt       0     0  0    0    0   1    1    0
    inputs    Question : ... Answer : Emma <end>
    targets      -     -  -    -  Emma <end>  -    `-` is -100, ignored

Loss stands where an answer's token is the target: one place before the
token itself, as for any text."""

import numpy as np

from npgpt.layers.cross_entropy import IGNORE
from npgpt.random_stream import uniforms


def example(ids, learnt):
    """ids (n,), learnt (n,) bool -> inputs (n - 1,), targets (n - 1,).

    A target that is not learnt is -100."""
    ids, learnt = np.array(ids, np.int64), np.array(learnt, bool)
    # (1) only the answers' tokens, each with the one that ends it, count
    labels = np.where(learnt, ids, IGNORE)            # (n,)
    # (2) each input's target is the token after it
    inputs, targets = ids[:-1], labels[1:]            # (n - 1,)
    return inputs, targets


def padded(examples):
    """Examples (n - 1,) each -> {"inputs", "targets"} (B, T), one a row.

    T is the longest one's length. Padding follows an example, so no
    token attends to it, and its targets are ignored; its id is 0."""
    T = max(len(inputs) for inputs, _ in examples)
    # (1) rows of padding, all of it ignored
    rows = {"inputs": np.zeros((len(examples), T), np.int64),
            "targets": np.full((len(examples), T), IGNORE, np.int64)}
    # (2) each example from the left
    for row, (inputs, targets) in enumerate(examples):
        rows["inputs"][row, :len(inputs)] = inputs
        rows["targets"][row, :len(inputs)] = targets
    return rows


def grouped(groups):
    """Lists of G examples each, the answers to one question -> {"inputs",
    "targets"} (B, G, T), {"count"} B, what their losses are divided by."""
    rows = padded([each for group in groups for each in group])
    B, G = len(groups), len(groups[0])
    return {**{name: array.reshape(B, G, -1) for name, array in rows.items()},
            "count": B}


def packed(rows, T):
    """Lists of examples, each together at most T long -> {"inputs",
    "targets", "positions"} (B, T), "mask" (B, 1, T, T).

    An example attends to itself alone and counts its positions from 0,
    as if it stood in a row of its own."""
    B = len(rows)
    found = {"inputs": np.zeros((B, T), np.int64),
             "targets": np.full((B, T), IGNORE, np.int64),
             "positions": np.zeros((B, T), np.int64)}
    owner = np.full((B, T), -1)                       # (B, T)
    # (1) one example behind the other
    for row, examples in enumerate(rows):
        at = 0
        for number, (inputs, targets) in enumerate(examples):
            end = at + len(inputs)
            found["inputs"][row, at:end] = inputs
            found["targets"][row, at:end] = targets
            owner[row, at:end] = number
            # (2) positions restart
            found["positions"][row, at:end] = np.arange(end - at)
            at = end
    # (3) a block-diagonal mask: a token attends to its own example
    found["mask"] = (owner[:, :, None] == owner[:, None, :])[:, None]
    return found


def fill_rows(lengths, T):
    """lengths of examples -> lists of their numbers, each list together
    at most T long: an example goes into the first row with room, of
    the last 50 rows."""
    rows, room = [], []
    for number, length in enumerate(lengths):
        recent = range(max(0, len(rows) - 50), len(rows))
        row = next((i for i in recent if room[i] >= length), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(T)
        rows[row].append(number)
        room[row] -= length
    return rows


def order_of(count, seed, epoch):
    """The numbers 0 to count - 1 in the order of this epoch, (count,)."""
    return np.argsort(uniforms((count,), seed, epoch, "chats"), kind="stable")


def take(count, batch_size, seed, step):
    """Which of `count` things step 1, 2, ... takes, (batch_size,): all of
    them once, in an order of its own, before any is taken again."""
    numbers = np.arange((step - 1) * batch_size, step * batch_size)
    orders = {epoch: order_of(count, seed, epoch)
              for epoch in set((numbers // count).tolist())}
    return np.array([orders[number // count][number % count]
                     for number in numbers.tolist()])


def take_alike(lengths, batch_size, seed, step):
    """Which examples step 1, 2, ... reads, (batch_size,): those that 8
    steps `take`, dealt out to them by length, so that little is padded."""
    first = (step - 1) // 8 * 8
    numbers = np.concatenate([
        take(len(lengths), batch_size, seed, first + i)
        for i in range(1, 9)])                        # (8 · batch_size,)
    by_length = numbers[np.argsort(lengths[numbers], kind="stable")]
    part = order_of(8, seed, first)[step - 1 - first]
    return by_length[part * batch_size:(part + 1) * batch_size]
