import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._rewards import (
    gains_and_counted,
    only_answers_count,
    questions_add_up,
)
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def grpo(draw):
    gains, counted, count, numbers = gains_and_counted(draw)
    return PairCase(
        component="grpo", inputs={"gains": gains}, options={"counted": counted, "count": count},
        d_y=numbers.normal(), scale=grpo_scale,
        laws=(linear_in_the_upstream_gradient, questions_add_up, only_answers_count),
        edges=(a_long_answer_counts_as_much_as_a_short_one,))


def grpo_scale(case):
    counted = case.options["counted"]
    B, G, _ = counted.shape
    parts = counted / np.maximum(counted.sum(axis=-1, keepdims=True), 1)
    parts = parts / ((case.options["count"] or B) * G)
    return {"y": (np.abs(case.inputs["gains"]) * parts).sum(),
            "d_gains": np.abs(case.d_y) * parts}


def a_long_answer_counts_as_much_as_a_short_one(package):
    counted = np.array([[[True, False, False, False], [True, True, True, True]]])
    loss, saved = run(package, "grpo", np.where(counted, 1.0, 9.0), counted)
    yield "y", loss, -1.0
    wanted = np.array([[[-0.5, 0, 0, 0], [-0.125] * 4]])
    yield "d_gains", back(package, "grpo", 1.0, saved), wanted
