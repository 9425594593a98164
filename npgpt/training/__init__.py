# ruff: noqa: I001  loss_and_grads comes after the file of that name
"""What a training run does, step by step."""

from npgpt.training.adamw import adamw_init, adamw_step
from npgpt.training.clip import clip_by_global_norm
from npgpt.training.init import init_gpt
from npgpt.training.loss_and_grads import loss_and_grads_of_shard  # noqa: F401
from npgpt.training.schedule import warmup_cosine

from npgpt.speed.threads import loss_and_grads

__all__ = [
    "adamw_init", "adamw_step", "clip_by_global_norm", "init_gpt", "loss_and_grads",
    "warmup_cosine",
]
