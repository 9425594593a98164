import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._preferences import call_loss
from npgpt.checking.components.cross_entropy import IGNORE
from npgpt.checking.components.grpo_loss_and_grads import LAWS, gains_of, policy


def dr_grpo_loss_and_grads(draw):
    params, options = policy(draw)
    return PairCase(
        component="dr_grpo_loss_and_grads", functions=("dr_grpo_loss_and_grads",),
        params=params, nested=True, options={**options, "length": draw("length", [6, 9])},
        d_y=np.float64(1.0), laws=LAWS, call=call_loss, forward=forward_of_dr_grpo,
        least_scale={"y": 1.0})


def forward_of_dr_grpo(find, case):
    loss, _ = find("dr_grpo")(
        gains_of(find, case), case.options["targets"] != IGNORE, case.options["length"],
        case.options["count"])
    return loss
