"""GRPO: of a group of answers to one question, those with more reward
than the group's mean become likelier (Shao et al., 2024, equation 3);
Dr. GRPO leaves out two of its divisions (Liu et al., 2025)."""

import numpy as np


def advantages(rewards, eps=1e-4):
    """rewards (B, G), of G answers to each of B questions -> (B, G):
    less the group's mean, divided by its standard deviation."""
    # (1) compare with the group
    centred = rewards - rewards.mean(axis=-1, keepdims=True)  # (B, G)
    # (2) divide by the standard deviation
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    std = np.sqrt(variance)                           # (B, 1)
    scaled = centred / (std + float(eps))             # (B, G)
    return scaled


def centred_rewards(rewards):
    """rewards (B, G) -> (B, G), less the group's mean: Dr. GRPO's
    advantages."""
    # (1) compare with the group
    centred = rewards - rewards.mean(axis=-1, keepdims=True)  # (B, G)
    return centred


def clipped_gains(log_probs, old, advantages, clip=0.2, reference=None,
                  beta=0.0):
    """log_probs and old (B, G, T): of the answers' tokens, now and when
    they were drawn; advantages (B, G) -> gains (B, G, T).

    clip: a token gains nothing from a probability more than 1 + clip
    or less than 1 - clip times the old one. reference (B, G, T), beta:
    take off beta times the distance from a model's log-probabilities,
    as Schulman estimates it (2020)."""
    clip, beta = float(clip), float(beta)
    # (1) how many times as likely as when it was drawn
    ratios = np.exp(log_probs - old)                  # (B, G, T)
    # (2) multiply by the answer's advantage, the ratio clipped or not:
    #     the smaller gain counts
    size = advantages[..., None]                      # (B, G, 1)
    near = np.clip(ratios.real, 1 - clip, 1 + clip)   # (B, G, T)
    free = (ratios * size).real <= near * size        # (B, G, T)
    gains = np.where(free, ratios, near) * size       # (B, G, T)
    # (3) take off the distance from the reference
    far = None
    if reference is not None:
        apart = reference - log_probs                 # (B, G, T)
        far = np.exp(apart)                           # (B, G, T)
        gains = gains - beta * (far - apart - 1)      # (B, G, T)
    return gains, (ratios, size, free, far, beta)


def clipped_gains_backward(d_gains, saved):
    """d_gains (B, G, T) -> d_log_probs (B, G, T)."""
    ratios, size, free, far, beta = saved
    # (3) take off the distance from the reference
    pull = 0 if far is None else beta * (far - 1)
    d_log_probs = d_gains * pull                      # (B, G, T)
    # (2) multiply by the answer's advantage: a clipped ratio is fixed
    d_ratios = np.where(free, d_gains * size, 0)      # (B, G, T)
    # (1) how many times as likely as when it was drawn
    d_log_probs = d_log_probs + d_ratios * ratios     # (B, G, T)
    return d_log_probs


def grpo(gains, counted, count=None):
    """gains (B, G, T), counted (B, G, T): True for the answers' tokens
    -> loss (), minus the mean over each answer's tokens, then over the
    answers. count: divide by this, not by the number of questions."""
    B, G, _ = gains.shape
    ones = counted.astype(gains.real.dtype)           # (B, G, T)
    # (1) the mean over an answer's tokens
    lengths = np.maximum(ones.sum(axis=-1), 1)        # (B, G)
    parts = ones / lengths[..., None]                 # (B, G, T)
    means = (gains * parts).sum(axis=-1)              # (B, G)
    # (2) minus the mean over the answers
    count = B if count is None else count
    loss = -means.sum() / (count * G)                 # ()
    return loss, (parts, count * G)


def grpo_backward(d_loss, saved):
    """d_loss () -> d_gains (B, G, T)."""
    parts, answers = saved
    # (2) minus the mean over the answers
    d_mean = -d_loss / answers                        # ()
    # (1) the mean over an answer's tokens
    d_gains = parts * d_mean                          # (B, G, T)
    return d_gains


def dr_grpo(gains, counted, length, count=None):
    """As `grpo`, but the sum over an answer's tokens is divided by a
    constant, `length`, such as that of the longest answer allowed: a
    token counts the same in a short and in a long answer."""
    B, G, _ = gains.shape
    ones = counted.astype(gains.real.dtype)           # (B, G, T)
    # (1) the sum over an answer's tokens, divided by a constant
    parts = ones / length                             # (B, G, T)
    means = (gains * parts).sum(axis=-1)              # (B, G)
    # (2) minus the mean over the answers
    count = B if count is None else count
    loss = -means.sum() / (count * G)                 # ()
    return loss, (parts, count * G)


def dr_grpo_backward(d_loss, saved):
    """d_loss () -> d_gains (B, G, T)."""
    parts, answers = saved
    # (2) minus the mean over the answers
    d_mean = -d_loss / answers                        # ()
    # (1) the sum over an answer's tokens, divided by a constant
    d_gains = parts * d_mean                          # (B, G, T)
    return d_gains
