"""The learning rate over a run: up in a line, down along a cosine
(Loshchilov and Hutter, 2017). Plain numbers, shared by both halves."""

import math


def warmup_cosine(step, lr, warmup_steps, decay_steps, min_lr=0.0):
    """-> the rate of step 0, 1, …: lr/warmup_steps at step 0, lr when the
    warm-up ends, min_lr from decay_steps on."""
    # (1) warm up
    if step < warmup_steps:
        return lr * (step + 1) / warmup_steps
    # (2) hold the minimum
    if step >= decay_steps:
        return min_lr
    # (3) follow half a cosine
    done = (step - warmup_steps) / (decay_steps - warmup_steps)
    return min_lr + (lr - min_lr) * (1 + math.cos(math.pi * done)) / 2
