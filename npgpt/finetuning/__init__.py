"""Fine-tuning: a trained model learns to answer, with all of its weights or few."""

from npgpt.finetuning.adapters import init_adapters, lora_adapters
from npgpt.finetuning.freeze import freeze, trained_only
from npgpt.finetuning.lora import (
    lora,
    lora_backward,
    lora_weights,
    lora_weights_backward,
)
from npgpt.finetuning.rslora import rslora_alpha

__all__ = [
    "freeze", "init_adapters", "lora", "lora_adapters", "lora_backward", "lora_weights",
    "lora_weights_backward", "rslora_alpha", "trained_only",
]
