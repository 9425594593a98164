"""What a training run does, step by step."""

from npgpt.training.adamw import adamw_init, adamw_step
from npgpt.training.allocator import tune_allocator
from npgpt.training.clip import clip_by_global_norm
from npgpt.training.parallel import loss_and_grads
from npgpt.training.schedule import warmup_cosine

__all__ = [
    "adamw_init", "adamw_step", "clip_by_global_norm", "loss_and_grads",
    "tune_allocator", "warmup_cosine",
]
