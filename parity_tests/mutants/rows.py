"""Mistakes that people make when a model learns answers: (what is wrong, module, old text,
new text, the check that tells, by the number of its step where there is one)."""

ROWS = "npgpt.finetuning.rows"
MUTANTS = [
    (
        "the mask is shifted by one: each loss stands a token late",
        ROWS,
        "inputs, targets = ids[:-1], labels[1:]",
        "inputs, targets = ids[:-1], np.where(learnt[:-1], ids[1:], IGNORE)",
        "step_1_each_answer_counts_with_one_end_token",
    ),
    (
        "targets are not shifted: the model learns to repeat its input",
        ROWS,
        "inputs, targets = ids[:-1], labels[1:]",
        "inputs, targets = ids[:-1], labels[:-1]",
        "step_2_a_target_is_the_token_after_its_input",
    ),
    (
        "an answer's first token is masked (alpaca-lora 306)",
        ROWS,
        "labels = np.where(learnt, ids, IGNORE)",
        "labels = np.where(learnt & np.roll(learnt, 1), ids, IGNORE)",
        "step_1_each_answer_counts_with_one_end_token",
    ),
    (
        "the end token is masked, for it pads, too: the model never stops (trl 1623)",
        ROWS,
        "labels = np.where(learnt, ids, IGNORE)",
        "labels = np.where(learnt & (ids != ids[learnt][-1]), ids, IGNORE)",
        "step_1_each_answer_counts_with_one_end_token",
    ),
    (
        "the mask is dropped: all tokens are learned (nanochat)",
        ROWS,
        "labels = np.where(learnt, ids, IGNORE)",
        "labels = np.where(ids >= 0, ids, IGNORE)",
        "step_1_each_answer_counts_with_one_end_token",
    ),
    (
        "padding is learned",
        ROWS,
        '"targets": np.full((len(examples), T), IGNORE, np.int64)}',
        '"targets": np.zeros((len(examples), T), np.int64)}',
        "padding_changes_nothing",
    ),
    (
        "examples lie at the right of their rows, with no mask for the padding",
        ROWS,
        "        rows[\"inputs\"][row, :len(inputs)] = inputs\n"
        "        rows[\"targets\"][row, :len(inputs)] = targets\n",
        "        rows[\"inputs\"][row, T - len(inputs):] = inputs\n"
        "        rows[\"targets\"][row, T - len(inputs):] = targets\n",
        "padding_changes_nothing",
    ),
    (
        "positions do not restart in packed rows",
        ROWS,
        "= np.arange(end - at)",
        "= np.arange(at, end)",
        "step_2_positions_restart_in_packed_rows",
    ),
    (
        "packed conversations read one another",
        ROWS,
        "owner[row, at:end] = number",
        "owner[row, at:end] = row",
        "step_3_a_token_attends_to_its_own_conversation",
    ),
    (
        "a row's examples lie over one another",
        ROWS,
        "            at = end\n",
        "            at = end - 1\n",
        "packed_is_as_separate",
    ),
    (
        "a row is filled beyond its end",
        ROWS,
        "room[row] -= length",
        "room[row] -= length - 1",
        "rows_are_filled_and_not_beyond",
    ),
    (
        "each epoch is read in the same order",
        ROWS,
        "uniforms((count,), seed, epoch, \"chats\")",
        "uniforms((count,), seed, 0, \"chats\")",
        "all_are_read_once_before_any_is_read_again",
    ),
    (
        "examples are drawn anew for each step, some twice and some never",
        ROWS,
        "return np.array([orders[number // count][number % count]",
        "return np.array([orders[number // count][(number * number) % count]",
        "all_are_read_once_before_any_is_read_again",
    ),
    (
        "the steps go from short conversations to long ones, again and again",
        ROWS,
        "part = order_of(8, seed, first)[step - 1 - first]",
        "part = step - 1 - first",
        "examples_of_like_length_share_a_step",
    ),
    (
        "the eight steps that share their examples are the last ones",
        ROWS,
        "seed, first + i)\n        for i in range(1, 9)])",
        "seed, step - i)\n        for i in range(8)])",
        "examples_of_like_length_share_a_step",
    ),
    (
        "accumulation takes the mean of the parts' means",
        "npgpt.training.trainer",
        "(batch, count) = 0.0, counted_batch(batch)",
        "(batch, count) = 0.0, (batch, None)",
        "accumulation",
    ),
    (
        "accumulation takes the mean of the parts' means",
        "torchgpt.training.trainer",
        "(batch, count) = 0.0, counted_batch(batch)",
        "(batch, count) = 0.0, (batch, None)",
        "accumulation",
    ),
    (
        "the mask is applied after the mean: answers are divided by all tokens",
        "npgpt.speed.threads",
        "return max(int((targets != IGNORE).sum()), 1)",
        "return targets.size",
        "accumulation",
    ),
]

EQUIVALENT = [
    ("padding has another id", ROWS, '{"inputs": np.zeros((len(examples), T), np.int64),',
     '{"inputs": np.ones((len(examples), T), np.int64),',
     "nothing attends to what follows an example, and its own targets are ignored"),
    ("padding attends to nothing but itself in packed rows", ROWS,
     "owner = np.full((B, T), -1) ", "owner = np.full((B, T), 99) ",
     "padding's targets are ignored, and no example has the number of the padding"),
]
