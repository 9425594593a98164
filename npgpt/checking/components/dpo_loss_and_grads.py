import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._preferences import (
    answers,
    call_loss,
    groups_add_up,
    log_probs_of,
)


def dpo_loss_and_grads(draw):
    config, params, inputs, targets, numbers = answers(draw, 2)
    reference = -np.abs(numbers.normal(len(inputs), 2))
    return PairCase(
        component="dpo_loss_and_grads", functions=("dpo_loss_and_grads",), params=params,
        nested=True, options={
            "inputs": inputs, "targets": targets, "reference": reference, "config": config,
            "beta": draw("beta", [0.1, 0.7]), "count": draw("count", [None, 5])},
        d_y=np.float64(1.0), laws=(groups_add_up("reference"),), call=call_loss,
        forward=forward_of_dpo, least_scale={"y": 1.0})


def forward_of_dpo(find, case):
    options = case.options
    loss, _ = find("dpo")(
        log_probs_of(find, case), options["reference"], options["beta"], options["count"])
    return loss
