"""Fine-tuning: a trained model goes on, with all of its weights or few."""

from npgpt.finetuning.adapters import init_adapters, lora_adapters
from npgpt.finetuning.freeze import freeze, trained_only
from npgpt.finetuning.log_probs import (
    target_log_probs,
    target_log_probs_backward,
)
from npgpt.finetuning.lora import (
    lora,
    lora_backward,
    lora_weights,
    lora_weights_backward,
)
from npgpt.finetuning.losses import (
    answer_log_probs,
    dpo_loss_and_grads,
    dr_grpo_loss_and_grads,
    grpo_loss_and_grads,
)
from npgpt.finetuning.preferences import (
    dpo,
    dpo_backward,
)
from npgpt.finetuning.rewards import (
    advantages,
    centred_rewards,
    clipped_gains,
    clipped_gains_backward,
    dr_grpo,
    dr_grpo_backward,
    grpo,
    grpo_backward,
)
from npgpt.finetuning.rslora import rslora_alpha

__all__ = [
    "advantages", "answer_log_probs", "centred_rewards", "clipped_gains",
    "clipped_gains_backward", "dpo", "dpo_backward", "dpo_loss_and_grads", "dr_grpo",
    "dr_grpo_backward", "dr_grpo_loss_and_grads", "freeze", "grpo", "grpo_backward",
    "grpo_loss_and_grads", "init_adapters", "lora", "lora_adapters", "lora_backward",
    "lora_weights", "lora_weights_backward", "rslora_alpha", "target_log_probs",
    "target_log_probs_backward", "trained_only",
]
