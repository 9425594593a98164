"""PyTorch's witnesses for `npgpt.checking`."""

from torchgpt.checking.arms import (
    autograd_arm,
    candidate_arm,
    in_few_bits,
    module_arm,
    stepwise_autograd_arm,
    torch_arm,
    witnesses,
)

__all__ = ["autograd_arm", "candidate_arm", "in_few_bits", "module_arm",
           "stepwise_autograd_arm", "torch_arm", "witnesses"]
