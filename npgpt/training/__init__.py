"""What a training run does, step by step."""

from npgpt.training.adamw import adamw_init, adamw_step
from npgpt.training.clip import clip_by_global_norm
from npgpt.training.init import init
from npgpt.training.loss import mean_loss
from npgpt.training.loss_and_grads import loss_and_grads
from npgpt.training.schedule import warmup_cosine
from npgpt.training.trainer import Trainer

__all__ = [
    "Trainer", "adamw_init", "adamw_step", "clip_by_global_norm",
    "init", "loss_and_grads", "mean_loss", "warmup_cosine",
]
