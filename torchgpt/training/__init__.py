"""What a training run does, step by step."""

from npgpt.training.schedule import warmup_cosine
from torchgpt.training.adamw import adamw_init, adamw_reference, adamw_step
from torchgpt.training.clip import clip_by_global_norm, clip_reference
from torchgpt.training.init import init_gpt
from torchgpt.training.loss_and_grads import loss_and_grads

__all__ = [
    "adamw_init", "adamw_reference", "adamw_step", "clip_by_global_norm",
    "clip_reference", "init_gpt", "loss_and_grads", "warmup_cosine",
]
