import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._preferences import (
    answers,
    call_loss,
    groups_add_up,
    log_probs_of,
)
from npgpt.checking.components.cross_entropy import IGNORE
from npgpt.finetuning import answer_log_probs
from npgpt.models import gpt2

LAWS = (groups_add_up("old", "advantages", "reference"),)


def grpo_loss_and_grads(draw):
    params, options = policy(draw)
    return PairCase(
        component="grpo_loss_and_grads", functions=("grpo_loss_and_grads",), params=params,
        nested=True, options=options, d_y=np.float64(1.0), laws=LAWS, call=call_loss,
        forward=forward_of_grpo, least_scale={"y": 1.0})


def policy(draw):
    """-> params, options. The ratios are 1 or far from where they are clipped."""
    config, params, inputs, targets, numbers = answers(draw, draw("G", [2, 3]))
    now = answer_log_probs(gpt2, params, inputs, targets, config)
    old = now - np.array([0.0, -1.5, 1.5])[numbers.below(3, *inputs.shape)]
    near = draw("reference", [False, True])
    return params, {
        "inputs": inputs, "targets": targets, "config": config,
        "old": np.where(targets == IGNORE, 0.0, old),
        "advantages": numbers.normal(*inputs.shape[:2]), "clip": draw("clip", [0.2, 0.4]),
        "reference": -np.abs(numbers.normal(*inputs.shape)) if near else None,
        "beta": draw("beta", [0.0, 0.3]), "count": draw("count", [None, 5])}


def gains_of(find, case):
    options = case.options
    gains, _ = find("clipped_gains")(
        log_probs_of(find, case), options["old"], options["advantages"], options["clip"],
        options["reference"], options["beta"])
    return gains


def forward_of_grpo(find, case):
    loss, _ = find("grpo")(
        gains_of(find, case), case.options["targets"] != IGNORE, case.options["count"])
    return loss
