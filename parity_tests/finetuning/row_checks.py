"""What must hold of rows of conversations, each a check of a module like
`npgpt.finetuning.rows`; `parity_tests/mutants/rows.py` hands them changed ones."""

import numpy as np

from npgpt.layers.cross_entropy import IGNORE
from npgpt.models import gpt2
from npgpt.training import init, loss_and_grads
from npgpt.tree import tree_leaves

END = 1
CONFIG = gpt2.Config(vocab_size=11, context_length=16, layers=2, heads=2, channels=8)
# prompts of 2 to 10, answers of several tokens, the end token after each
CHATS = [
    ([5, 6, 7, 3, 4, END, 2], [0, 0, 0, 1, 1, 1, 0]),
    ([8, 9, 4, END], [0, 0, 1, 1]),
    ([5, 6, 3, END, 2, 7, 9, 10, 5, END], [0, 0, 1, 1, 0, 0, 0, 1, 1, 1]),
    ([2, 2, 5, 8, 6, END, 3], [0, 0, 0, 0, 1, 1, 0]),
]
PARAMS = init(gpt2, CONFIG, seed=3, dtype=np.float64)


def check_step_1_each_answer_counts_with_one_end_token(rows):
    """Trained tokens = Σ answers + one end each."""
    for ids, learnt in CHATS:
        _, targets = rows.example(ids, learnt)
        assert [t for t in targets if t != IGNORE] == [i for i, m in zip(ids, learnt) if m]
        assert (targets == END).sum() == sum(i == END for i, m in zip(ids, learnt) if m)


def check_step_2_a_target_is_the_token_after_its_input(rows):
    for ids, learnt in CHATS:
        inputs, targets = rows.example(ids, learnt)
        assert len(inputs) == len(targets) == len(ids) - 1
        assert all(inputs == ids[:-1])
        assert all(t in (IGNORE, follows) for t, follows in zip(targets, ids[1:]))


def check_a_changed_prompt_label_changes_nothing(rows):
    """What a prompt's token would be as a target does not matter: only as an input."""
    inputs, targets = rows.example(*CHATS[2])
    first, grads = loss(rows.padded([(inputs, targets)]))
    ids, learnt = CHATS[2]
    for place, mark in enumerate(learnt):
        if not mark and place:
            other = [*ids]
            other[place] = (ids[place] + 1) % CONFIG.vocab_size
            _, labels = rows.example(other, learnt)
            again, more = loss(rows.padded([(inputs, labels)]))
            assert again == first
            assert all((a == b).all() for (_, a), (_, b) in zip(tree_leaves(grads),
                                                                tree_leaves(more)))


def check_padding_changes_nothing(rows):
    examples = [rows.example(*chat) for chat in CHATS]
    close(loss(rows.padded(examples)), separate(rows, examples))


def check_packed_is_as_separate(rows):
    examples = [rows.example(*chat) for chat in CHATS]
    batch = rows.packed([examples[:2], examples[2:]], 16)
    close(loss(batch), separate(rows, examples))


def check_step_2_positions_restart_in_packed_rows(rows):
    examples = [rows.example(*chat) for chat in CHATS]
    batch = rows.packed([examples[:3]], 20)
    expected = [i for inputs, _ in examples[:3] for i in range(len(inputs))]
    assert batch["positions"][0, :len(expected)].tolist() == expected


def check_step_3_a_token_attends_to_its_own_conversation(rows):
    examples = [rows.example(*chat) for chat in CHATS[:2]]
    mask = rows.packed([examples], 10)["mask"]
    first, both = len(examples[0][0]), len(examples[0][0]) + len(examples[1][0])
    assert mask.shape == (1, 1, 10, 10)
    for query in range(both):
        for key in range(both):
            assert mask[0, 0, query, key] == ((query < first) == (key < first))


def check_rows_are_filled_and_not_beyond(rows):
    lengths = [6, 3, 9, 6, 1, 10, 2]
    filled = rows.fill_rows(lengths, 10)
    assert sorted(i for row in filled for i in row) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in row) <= 10 for row in filled)
    assert len(filled) == 4


def check_all_are_read_once_before_any_is_read_again(rows):
    read = [i for step in range(1, 8) for i in rows.take(7, 3, 5, step)]
    for epoch in range(3):
        assert sorted(read[7 * epoch:7 * epoch + 7]) == list(range(7))
    assert read[:7] != read[7:14]
    assert (rows.take(7, 3, 5, 2) == rows.take(7, 3, 5, 2)).all()


def check_examples_of_like_length_share_a_step(rows):
    lengths = np.array([9, 2, 7, 4, 8, 1, 5, 3] * 4)
    steps = [rows.take_alike(lengths, 4, 5, step) for step in range(1, 9)]
    assert sorted(i for step in steps for i in step) == list(range(32))
    assert all(np.ptp(lengths[step]) == 0 for step in steps)
    assert [lengths[step[0]] for step in steps] != sorted(lengths[step[0]] for step in steps)
    later = [rows.take_alike(lengths, 4, 5, step) for step in range(9, 17)]
    assert sorted(i for step in later for i in step) == list(range(32))


def loss(batch):
    return loss_and_grads(gpt2, PARAMS, config=CONFIG, **batch)


def separate(rows, examples):
    """The loss and the gradients of each conversation alone, added up by one count."""
    count = sum(int((targets != IGNORE).sum()) for _, targets in examples)
    found = [loss({**rows.padded([each]), "count": count}) for each in examples]
    total = dict(tree_leaves(found[0][1]))
    for _, grads in found[1:]:
        total = {name: total[name] + grad for name, grad in tree_leaves(grads)}
    return sum(value for value, _ in found), total


def close(first, second):
    (loss_1, grads_1), (loss_2, grads_2) = first, second
    assert abs(loss_1 - loss_2) < 1e-12
    for name, grad in tree_leaves(grads_1):
        assert np.abs(grad - dict(tree_leaves(grads_2))[name]).max() < 1e-12, name


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items())
          if name.startswith("check_")}
