"""A training step again, on compiled loops: for who has read the other.

`npgpt train --compile` runs it: forward and backward pass in `shard`,
clipping and AdamW in `adamw`, the loops in `loops`. The readable functions
are their reference, and the tests hold them to it. Needs numba
(pip install 'npgpt[compile]')."""

from npgpt.speed.compiled.adamw import adamw_step, clip_by_global_norm
from npgpt.speed.compiled.shard import loss_and_grads_of_shard

__all__ = ["adamw_step", "clip_by_global_norm", "loss_and_grads_of_shard"]
