"""PyTorch's witnesses for `npgpt.checking`."""

from torchgpt.checking.by_step import gradient_at
from torchgpt.checking.implementations import (
    autograd_implementation,
    candidate_implementation,
    module_implementation,
    stepwise_autograd_implementation,
    torch_implementation,
    witnesses,
)

__all__ = ["autograd_implementation", "candidate_implementation", "gradient_at",
           "module_implementation", "stepwise_autograd_implementation", "torch_implementation",
           "witnesses"]
