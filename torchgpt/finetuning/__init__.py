"""Fine-tuning: a trained model goes on, with all of its weights or few."""

from npgpt.finetuning.freeze import freeze, trained_only
from npgpt.finetuning.rslora import rslora_alpha
from torchgpt.finetuning.adapters import init_adapters, lora_adapters
from torchgpt.finetuning.log_probs import (
    target_log_probs,
    target_log_probs_backward,
    target_log_probs_reference,
)
from torchgpt.finetuning.lora import (
    lora,
    lora_backward,
    lora_reference,
    lora_weights,
    lora_weights_backward,
)
from torchgpt.finetuning.losses import (
    answer_log_probs,
    dpo_loss_and_grads,
    dr_grpo_loss_and_grads,
    grpo_loss_and_grads,
)
from torchgpt.finetuning.preferences import (
    dpo,
    dpo_backward,
    dpo_reference,
)
from torchgpt.finetuning.rewards import (
    advantages,
    centred_rewards,
    clipped_gains,
    clipped_gains_backward,
    clipped_gains_reference,
    dr_grpo,
    dr_grpo_backward,
    dr_grpo_reference,
    grpo,
    grpo_backward,
    grpo_reference,
)

__all__ = [
    "advantages", "answer_log_probs", "centred_rewards", "clipped_gains",
    "clipped_gains_backward", "clipped_gains_reference", "dpo", "dpo_backward",
    "dpo_loss_and_grads", "dpo_reference", "dr_grpo", "dr_grpo_backward",
    "dr_grpo_loss_and_grads", "dr_grpo_reference", "freeze", "grpo", "grpo_backward",
    "grpo_loss_and_grads", "grpo_reference", "init_adapters", "lora", "lora_adapters",
    "lora_backward", "lora_reference", "lora_weights", "lora_weights_backward", "rslora_alpha",
    "target_log_probs", "target_log_probs_backward", "target_log_probs_reference", "trained_only",
]
