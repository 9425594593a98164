"""What a training run does, step by step."""

from npgpt.training.schedule import warmup_cosine
from torchgpt.training.adamw import adamw_init, adamw_reference, adamw_step
from torchgpt.training.clip import clip_by_global_norm, clip_reference
from torchgpt.training.init import init
from torchgpt.training.loss import mean_loss
from torchgpt.training.loss_and_grads import loss_and_grads
from torchgpt.training.trainer import Trainer

__all__ = [
    "Trainer", "adamw_init", "adamw_reference", "adamw_step", "clip_by_global_norm",
    "clip_reference", "init", "loss_and_grads", "mean_loss", "warmup_cosine",
]
