"""Heads: the channels, split into parts that attend on their own."""

import torch


def split_heads(x, heads):
    """x (B, T, H·D) -> y (B, H, T, D), a view."""
    # (1) split the channels
    B, T, width = x.shape
    split = x.reshape(B, T, heads, width // heads)    # (B, T, H, D)
    # (2) heads before positions
    y = split.transpose(1, 2)                         # (B, H, T, D)
    return y, ()


def split_heads_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_x (B, T, H·D)."""
    # (2) heads before positions
    d_split = d_y.transpose(1, 2)                     # (B, T, H, D)
    # (1) split the channels
    B, T, H, D = d_split.shape
    d_x = d_split.reshape(B, T, H * D)                # (B, T, H·D)
    return d_x


def split_heads_reference(x, heads):
    """The same split by PyTorch's unflatten."""
    return torch.movedim(x.unflatten(-1, (heads, -1)), 2, 1)


def split_qkv(x, heads):
    """x (B, T, 3·H·D), queries, keys and values out of one product ->
    y (3, B, H, T, D), a view."""
    # (1) split the channels
    B, T, width = x.shape
    D = width // (3 * heads)
    split = x.reshape(B, T, 3, heads, D)              # (B, T, 3, H, D)
    # (2) heads before positions
    y = split.permute(2, 0, 3, 1, 4)                  # (3, B, H, T, D)
    return y, ()


def split_qkv_backward(d_y, saved):
    """d_y: 3 arrays (B, H, T, D) -> d_x (B, T, 3·H·D)."""
    # (2) heads before positions
    d_split = [part.transpose(1, 2) for part in d_y]  # (B, T, H, D)
    # (1) split the channels
    d_x = torch.stack(d_split, dim=2)                 # (B, T, 3, H, D)
    B, T, _, H, D = d_x.shape
    d_x = d_x.reshape(B, T, 3 * H * D)                # (B, T, 3·H·D)
    return d_x


def split_qkv_reference(x, heads):
    """The same split by PyTorch's unflatten."""
    split = x.unflatten(-1, (3, heads, -1))
    return torch.movedim(split, (2, 3), (0, 2))


def merge_heads(x):
    """x (B, H, T, D) -> y (B, T, H·D)."""
    # (1) positions before heads
    swapped = x.transpose(1, 2)                       # (B, T, H, D)
    # (2) join the channels
    B, T, H, D = swapped.shape
    y = swapped.reshape(B, T, H * D)                  # (B, T, H·D)
    return y, (H,)


def merge_heads_backward(d_y, saved):
    """d_y (B, T, H·D) -> d_x (B, H, T, D), a view."""
    (H,) = saved
    # (2) join the channels
    B, T, width = d_y.shape
    d_swapped = d_y.reshape(B, T, H, width // H)      # (B, T, H, D)
    # (1) positions before heads
    d_x = d_swapped.transpose(1, 2)                   # (B, H, T, D)
    return d_x


def merge_heads_reference(x):
    """The same join by PyTorch's flatten."""
    return torch.movedim(x, 1, 2).flatten(2)


def repeat_heads(x, heads):
    """x (B, K, T, D) -> y (B, H, T, D): each of the K heads serves
    H/K of them in a row (Ainslie et al., 2023)."""
    # (1) repeat each head
    K = x.shape[1]
    y = x.repeat_interleave(heads // K, dim=1)        # (B, H, T, D)
    return y, (K,)


def repeat_heads_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_x (B, K, T, D)."""
    (K,) = saved
    # (1) repeat each head: the gradients of its copies add up
    B, H, T, D = d_y.shape
    groups = d_y.reshape(B, K, H // K, T, D)
    d_x = groups.sum(dim=2)                           # (B, K, T, D)
    return d_x


def repeat_heads_reference(x, heads):
    """The same copies by PyTorch's expand."""
    B, K, T, D = x.shape
    copies = x[:, :, None].expand(B, K, heads // K, T, D)
    return copies.flatten(1, 2)
