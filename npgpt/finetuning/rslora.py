"""rsLoRA: the update is divided by the root of the rank, not by the rank
(Kalajdzievski, 2023). Plain numbers, shared by both halves."""

import math


def rslora_alpha(alpha, rank):
    """-> the alpha with which `lora` scales by alpha / sqrt(rank)."""
    # (1) divided by the rank, the root of the rank remains below
    return alpha * math.sqrt(rank)
