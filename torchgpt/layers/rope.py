"""RoPE: the channels of a query or a key, in pairs, are rotated by
angles that grow with its position, so that a score depends on how far
the two lie apart (Su et al., 2021, section 3.2)."""

import torch


def rope_angles(positions, D, theta, like):
    """positions (B, T) -> cos and sin (B, 1, T, D/2), the same for each
    head. Position p turns pair i by p · θ^(−2i/D).

    `like`: a tensor; the two are of its number format, but computed in
    float32 at least: bfloat16 cannot tell position 256 from 257."""
    number = torch.promote_types(like.dtype, torch.float32)
    # (1) one frequency for each pair
    evens = torch.arange(0, D, 2, device=like.device)
    exponents = evens.to(number) / D                  # (D/2,)
    frequencies = theta ** -exponents                 # (D/2,)
    # (2) one angle for each position and pair
    rows = positions.to(number)[:, None, :, None]
    angles = rows * frequencies                       # (B, 1, T, D/2)
    # (3) cosine and sine
    cos = torch.cos(angles).to(like.dtype)            # (B, 1, T, D/2)
    sin = torch.sin(angles).to(like.dtype)            # (B, 1, T, D/2)
    return cos, sin


def rope(x, cos, sin):
    """x (B, H, T, D), cos and sin (B, 1, T, D/2) -> y (B, H, T, D).

    Channels i and i + D/2 are a pair, as in the files of Hugging
    Face."""
    # (1) cut into pairs
    first, second = x.chunk(2, dim=-1)                # (B, H, T, D/2)
    # (2) rotate each pair
    y_first = first * cos - second * sin              # (B, H, T, D/2)
    y_second = second * cos + first * sin             # (B, H, T, D/2)
    # (3) join
    y = torch.cat([y_first, y_second], dim=-1)        # (B, H, T, D)
    return y, (cos, sin)


def rope_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_x (B, H, T, D)."""
    cos, sin = saved
    # (3) join
    d_y_first, d_y_second = d_y.chunk(2, dim=-1)
    # (2) rotate each pair: back, by minus the angle
    d_first = d_y_first * cos + d_y_second * sin      # (B, H, T, D/2)
    d_second = d_y_second * cos - d_y_first * sin     # (B, H, T, D/2)
    # (1) cut into pairs
    d_x = torch.cat([d_first, d_second], dim=-1)
    return d_x


def rope_reference(x, cos, sin):
    """The same rotation, a product of complex numbers."""
    first, second = x.tensor_split(2, dim=-1)
    pairs = torch.complex(first, second)
    y = torch.mul(pairs, torch.complex(cos, sin))
    return torch.cat([y.real, y.imag], dim=-1)


def rope_interleaved(x, cos, sin):
    """As `rope`, but channels 2i and 2i + 1 are a pair, as in the paper
    and in Meta's files."""
    # (1) cut into pairs
    first, second = x[..., ::2], x[..., 1::2]         # (B, H, T, D/2)
    # (2) rotate each pair
    y_first = first * cos - second * sin              # (B, H, T, D/2)
    y_second = second * cos + first * sin             # (B, H, T, D/2)
    # (3) join
    pairs = torch.stack([y_first, y_second], dim=-1)
    y = pairs.reshape(x.shape)                        # (B, H, T, D)
    return y, (cos, sin)


def rope_interleaved_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_x (B, H, T, D)."""
    cos, sin = saved
    # (3) join
    d_y_first, d_y_second = d_y[..., ::2], d_y[..., 1::2]
    # (2) rotate each pair: back, by minus the angle
    d_first = d_y_first * cos + d_y_second * sin      # (B, H, T, D/2)
    d_second = d_y_second * cos - d_y_first * sin     # (B, H, T, D/2)
    # (1) cut into pairs
    d_pairs = torch.stack([d_first, d_second], dim=-1)
    d_x = d_pairs.reshape(d_y.shape)                  # (B, H, T, D)
    return d_x


def rope_interleaved_reference(x, cos, sin):
    """The same rotation, a product of complex numbers."""
    pairs = x.unflatten(-1, (-1, 2)).contiguous()
    y = torch.view_as_complex(pairs) * torch.complex(cos, sin)
    return torch.view_as_real(y).flatten(-2)
