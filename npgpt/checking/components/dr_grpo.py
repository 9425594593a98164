import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._rewards import (
    gains_and_counted,
    only_answers_count,
    questions_add_up,
)
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def dr_grpo(draw):
    gains, counted, count, numbers = gains_and_counted(draw)
    length = draw("length", [5, 9])
    return PairCase(
        component="dr_grpo", inputs={"gains": gains},
        options={"counted": counted, "length": length, "count": count},
        d_y=numbers.normal(), scale=dr_grpo_scale,
        laws=(linear_in_the_upstream_gradient, questions_add_up, only_answers_count),
        edges=(a_token_counts_the_same_in_any_answer,))


def dr_grpo_scale(case):
    counted = case.options["counted"]
    B, G, _ = counted.shape
    parts = counted / (case.options["length"] * (case.options["count"] or B) * G)
    return {"y": (np.abs(case.inputs["gains"]) * parts).sum(),
            "d_gains": np.abs(case.d_y) * parts}


def a_token_counts_the_same_in_any_answer(package):
    counted = np.array([[[True, False, False, False], [True, True, True, True]]])
    loss, saved = run(package, "dr_grpo", np.where(counted, 1.0, 9.0), counted, 4)
    yield "y", loss, -5 / 8
    yield "d_gains", back(package, "dr_grpo", 1.0, saved), np.where(counted, -0.125, 0.0)
