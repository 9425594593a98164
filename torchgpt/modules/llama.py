"""The Llama that a PyTorch user would write: nn.Module, autograd, SDPA.

The same model as `torchgpt.models.llama`, told in the library's own words;
the parity tests hold its gradients to the hand-written ones."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from npgpt.families.llama import Config
from torchgpt.models import llama
from torchgpt.modules.parts import as_params, copy_params, drop, loss_of
from torchgpt.training.init import init


class Attention(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        C, H, K, D = (config.channels, config.heads, config.kv_heads,
                      config.head_size)
        self.head_size, self.dropout = D, dropout
        self.q = nn.Linear(C, H * D, bias=config.qkv_bias)
        self.k = nn.Linear(C, K * D, bias=config.qkv_bias)
        self.v = nn.Linear(C, K * D, bias=config.qkv_bias)
        self.q_norm = self.k_norm = nn.Identity()
        if config.qk_norm:
            self.q_norm = nn.RMSNorm(D, eps=config.eps)
            self.k_norm = nn.RMSNorm(D, eps=config.eps)
        self.out = nn.Linear(H * D, C, bias=False)

    def forward(self, x, cos, sin, masks):
        B, T, _ = x.shape
        q, k, v = (linear(x).view(B, T, -1, self.head_size).transpose(1, 2)
                   for linear in (self.q, self.k, self.v))
        q = rotated(self.q_norm(q), cos, sin).to(v.dtype)
        k = rotated(self.k_norm(k), cos, sin).to(v.dtype)
        if masks.get("attention") is not None:  # SDPA takes no mask
            group = q.shape[1] // k.shape[1]
            k, v = (each.repeat_interleave(group, dim=1) for each in (k, v))
            scores = q @ k.mT / math.sqrt(self.head_size)
            future = torch.ones(T, T, dtype=torch.bool, device=x.device)
            scores = scores.masked_fill(future.triu(1), -math.inf)
            y = (scores.softmax(dim=-1) * masks["attention"]) @ v
        else:
            y = F.scaled_dot_product_attention(
                q, k, v, is_causal=True, enable_gqa=True,
                dropout_p=self.dropout if self.training else 0.0)
        y = self.out(y.transpose(1, 2).reshape(B, T, -1))
        return drop(y, masks.get("attention_out"), self)


class FeedForward(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.dropout = dropout
        self.gate = nn.Linear(config.channels, config.hidden, bias=False)
        self.up = nn.Linear(config.channels, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.channels, bias=False)

    def forward(self, x, masks):
        y = self.down(F.silu(self.gate(x)) * self.up(x))
        return drop(y, masks.get("feed_forward_out"), self)


class Block(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.norm_1 = nn.RMSNorm(config.channels, eps=config.eps)
        self.attention = Attention(config, dropout)
        self.norm_2 = nn.RMSNorm(config.channels, eps=config.eps)
        self.feed_forward = FeedForward(config, dropout)

    def forward(self, x, cos, sin, masks):
        x = x + self.attention(self.norm_1(x), cos, sin, masks)
        return x + self.feed_forward(self.norm_2(x), masks)


class Llama(nn.Module):
    """forward(ids (B, T), targets (B, T)) -> logits (B, T, V), loss ().

    The loss is the targets' mean, or their sum (reduction="sum"), 0
    where all are ignored; None without targets. In training mode it draws
    dropout masks from torch's own generator, unless `dropout_masks` gives them."""

    def __init__(self, config: Config, dropout: float = 0.0, params=None):
        super().__init__()
        self.config, self.dropout = config, dropout
        self.tokens = nn.Embedding(config.vocab_size, config.channels)
        self.blocks = nn.ModuleList(
            Block(config, dropout) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.channels, eps=config.eps)
        self.head = nn.Linear(config.channels, config.vocab_size, bias=False)
        if config.tied:
            self.head.weight = self.tokens.weight
        params = params or init(llama, config)
        like = params["tokens"]["weight"]
        self.to(like.device, like.dtype)
        copy_params(self, params)

    def forward(self, ids, targets=None, dropout_masks=None, reduction="mean"):
        masks = dropout_masks or {}
        block_masks = masks.get("blocks") or [{}] * self.config.layers
        x = drop(self.tokens(ids), masks.get("embedding"), self)
        cos, sin = self.rotations(ids.shape[1], x)
        for block, block_mask in zip(self.blocks, block_masks):
            x = block(x, cos, sin, block_mask or {})
        logits = self.head(self.norm(x))
        if targets is None:
            return logits, None
        return logits, loss_of(logits, targets, reduction)

    def rotations(self, T, like):
        """cos and sin (T, D/2) of positions 0 to T − 1, from angles in
        float32 at least."""
        number = torch.promote_types(like.dtype, torch.float32)
        D = self.config.head_size
        evens = torch.arange(0, D, 2, dtype=number, device=like.device)
        positions = torch.arange(T, dtype=number, device=like.device)
        angles = torch.outer(positions, self.config.theta ** (-evens / D))
        return angles.cos().to(like.dtype), angles.sin().to(like.dtype)

    @classmethod
    def from_params(cls, params, config, dropout=0.0):
        """The module with these weights, in their dtype, where they live."""
        return cls(config, dropout, params)

    def to_params(self):
        """-> nested params, copies, as `torchgpt.models.llama` takes them."""
        return self.as_params(lambda weight: weight.detach())

    def grads(self):
        """-> the gradients that autograd left, nested like params."""
        return self.as_params(lambda weight: weight.grad)

    def as_params(self, pick):
        """-> pick(weight) of each weight, copies, nested like params."""
        return as_params(self, pick)


def rotated(x, cos, sin):
    """RoPE, half-split: channels i and i + D/2 are a pair."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
