"""Heads: the channels, cut into parts that attend on their own."""

import torch


def split_heads(x, heads, parts=1):
    """x (B, T, P·H·D) -> y (P, B, H, T, D), a view: P = 3 cuts
    queries, keys and values out of one product."""
    # (1) cut the channels
    B, T, width = x.shape
    D = width // (parts * heads)
    cut = x.reshape(B, T, parts, heads, D)            # (B, T, P, H, D)
    # (2) heads before places
    y = cut.permute(2, 0, 3, 1, 4)                    # (P, B, H, T, D)
    return y, ()


def split_heads_backward(d_y, saved):
    """d_y: P arrays (B, H, T, D) -> d_x (B, T, P·H·D)."""
    # (2) heads before places
    d_cut = [part.transpose(1, 2) for part in d_y]   # (B, T, H, D) each
    # (1) cut the channels
    d_x = torch.stack(d_cut, dim=2)                   # (B, T, P, H, D)
    B, T, P, H, D = d_x.shape
    d_x = d_x.reshape(B, T, P * H * D)                # (B, T, P·H·D)
    return d_x


def split_heads_reference(x, heads, parts=1):
    """The same cuts by PyTorch's unflatten."""
    cut = x.unflatten(-1, (parts, heads, -1))
    return torch.movedim(cut, (2, 3), (0, 2))


def merge_heads(x):
    """x (B, H, T, D) -> y (B, T, H·D)."""
    # (1) places before heads
    turned = x.transpose(1, 2)                        # (B, T, H, D)
    # (2) join the channels
    B, T, H, D = turned.shape
    y = turned.reshape(B, T, H * D)                   # (B, T, H·D)
    return y, (H,)


def merge_heads_backward(d_y, saved):
    """d_y (B, T, H·D) -> d_x (B, H, T, D), a view."""
    (H,) = saved
    # (2) join the channels
    B, T, width = d_y.shape
    d_turned = d_y.reshape(B, T, H, width // H)       # (B, T, H, D)
    # (1) places before heads
    d_x = d_turned.transpose(1, 2)                    # (B, H, T, D)
    return d_x


def merge_heads_reference(x):
    """The same join by PyTorch's flatten."""
    return torch.movedim(x, 1, 2).flatten(2)
