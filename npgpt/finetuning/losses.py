"""Loss and gradients for preferences and rewards: the lines of
`loss_and_grads`, with another loss behind the logits."""

from npgpt.finetuning.log_probs import (
    target_log_probs,
    target_log_probs_backward,
)
from npgpt.finetuning.preferences import dpo, dpo_backward
from npgpt.finetuning.rewards import (
    clipped_gains,
    clipped_gains_backward,
    dr_grpo,
    dr_grpo_backward,
    grpo,
    grpo_backward,
)
from npgpt.layers.cross_entropy import IGNORE


def dpo_loss_and_grads(model, params, inputs, targets, reference, config,
                       beta=0.1, count=None):
    """inputs and targets (B, 2, T), the chosen and the rejected answer,
    each with its question; targets are -100 but for the answer.
    reference, beta, count: as `dpo` takes them -> loss (), gradients
    like params."""
    rows, right = flat(inputs), flat(targets)         # (2·B, T)
    logits, saved = model.forward(params, rows, config)
    log_probs, saved_probs = target_log_probs(logits, right)
    loss, saved_loss = dpo(
        log_probs.reshape(inputs.shape), reference, beta, count)
    d_log_probs = flat(dpo_backward(1.0, saved_loss))  # (2·B, T)
    d_logits = target_log_probs_backward(d_log_probs, saved_probs)
    grads = model.backward(d_logits, saved)
    return loss, grads


def grpo_loss_and_grads(model, params, inputs, targets, old, advantages,
                        config, clip=0.2, reference=None, beta=0.0,
                        count=None):
    """inputs and targets (B, G, T), G answers to each question; targets
    are -100 but for the answer. old, advantages, clip, reference, beta:
    as `clipped_gains` takes them -> loss (), gradients like params."""
    rows, right = flat(inputs), flat(targets)         # (B·G, T)
    logits, saved = model.forward(params, rows, config)
    log_probs, saved_probs = target_log_probs(logits, right)
    gains, saved_gains = clipped_gains(
        log_probs.reshape(inputs.shape), old, advantages, clip,
        reference, beta)                              # (B, G, T)
    loss, saved_loss = grpo(gains, targets != IGNORE, count)
    d_gains = grpo_backward(1.0, saved_loss)          # (B, G, T)
    d_log_probs = flat(clipped_gains_backward(d_gains, saved_gains))
    d_logits = target_log_probs_backward(d_log_probs, saved_probs)
    grads = model.backward(d_logits, saved)
    return loss, grads


def dr_grpo_loss_and_grads(model, params, inputs, targets, old,
                           advantages, config, length, clip=0.2,
                           reference=None, beta=0.0, count=None):
    """As `grpo_loss_and_grads`, by `dr_grpo`. length: what the sum over
    an answer's tokens is divided by."""
    rows, right = flat(inputs), flat(targets)         # (B·G, T)
    logits, saved = model.forward(params, rows, config)
    log_probs, saved_probs = target_log_probs(logits, right)
    gains, saved_gains = clipped_gains(
        log_probs.reshape(inputs.shape), old, advantages, clip,
        reference, beta)                              # (B, G, T)
    loss, saved_loss = dr_grpo(gains, targets != IGNORE, length, count)
    d_gains = dr_grpo_backward(1.0, saved_loss)       # (B, G, T)
    d_log_probs = flat(clipped_gains_backward(d_gains, saved_gains))
    d_logits = target_log_probs_backward(d_log_probs, saved_probs)
    grads = model.backward(d_logits, saved)
    return loss, grads


def answer_log_probs(model, params, inputs, targets, config):
    """inputs and targets (B, G, T) -> log_probs (B, G, T) of the
    answers' tokens, 0 elsewhere; no gradients."""
    logits, _ = model.forward(params, flat(inputs), config)
    log_probs, _ = target_log_probs(logits, flat(targets))
    return log_probs.reshape(inputs.shape)


def flat(x):
    """(B, G, T) -> (B·G, T): each answer a sequence of its own."""
    return x.reshape(-1, x.shape[-1])
