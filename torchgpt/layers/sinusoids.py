"""Sinusoids: fixed positions, a wave for each channel, from fast to
slow (Vaswani et al., 2017, section 3.5)."""

import torch


def sinusoids(positions, C, like):
    """positions (B, T) -> y (B, T, C), with C even. Channels 2i and
    2i + 1 are the sine and the cosine of p · 10000^(−2i/C).

    `like`: a tensor; y is of its number format, but computed in float32
    at least: bfloat16 cannot tell position 256 from 257."""
    number = torch.promote_types(like.dtype, torch.float32)
    # (1) one frequency for each pair of channels
    evens = torch.arange(0, C, 2, device=like.device)
    exponents = evens.to(number) / C                  # (C/2,)
    frequencies = 10_000.0 ** -exponents              # (C/2,)
    # (2) one angle for each position and pair
    rows = positions.to(number)[..., None]            # (B, T, 1)
    angles = rows * frequencies                       # (B, T, C/2)
    # (3) sine and cosine, in turns
    waves = [torch.sin(angles), torch.cos(angles)]    # (B, T, C/2)
    pairs = torch.stack(waves, dim=-1)                # (B, T, C/2, 2)
    y = pairs.reshape(*positions.shape, C)            # (B, T, C)
    return y.to(like.dtype)
