"""PyTorch's witnesses for `npgpt.checking`."""

from torchgpt.checking.arms import autograd_arm, candidate_arm, module_arm, torch_arm

__all__ = ["autograd_arm", "candidate_arm", "module_arm", "torch_arm"]
