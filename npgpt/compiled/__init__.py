"""Loss and gradients again, on compiled loops: for who has read the other.

`npgpt train --compile` runs them: forward and backward pass in `shard`, the
loops in `loops`. The readable functions are their reference, and the tests
hold them to it. Needs numba (pip install 'npgpt[compile]')."""

from npgpt.compiled.shard import loss_and_grads_of_shard

__all__ = ["loss_and_grads_of_shard"]
