"""The GPT that a PyTorch user would write: nn.Module, autograd, SDPA.

The same model as `torchgpt.models.gpt2`, told in the library's own words;
the parity tests hold its gradients to the hand-written ones."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from npgpt.families.checks import check_ids, check_targets
from npgpt.families.gpt2 import Config
from torchgpt.models import gpt2
from torchgpt.modules.parts import as_params, copy_params, drop, loss_of
from torchgpt.training.init import init


class Attention(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.heads, self.dropout = config.heads, dropout
        self.qkv = nn.Linear(config.channels, 3 * config.channels)
        self.out = nn.Linear(config.channels, config.channels)

    def forward(self, x, masks):
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, -1).permute(
            2, 0, 3, 1, 4)
        if masks.get("attention") is not None:  # SDPA takes no mask
            scores = q @ k.mT / math.sqrt(q.shape[-1])
            future = torch.ones(T, T, dtype=torch.bool, device=x.device)
            scores = scores.masked_fill(future.triu(1), -math.inf)
            y = (scores.softmax(dim=-1) * masks["attention"]) @ v
        else:
            y = F.scaled_dot_product_attention(
                q, k, v, is_causal=True,
                dropout_p=self.dropout if self.training else 0.0)
        y = self.out(y.transpose(1, 2).reshape(B, T, C))
        return drop(y, masks.get("attention_out"), self)


class FeedForward(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.dropout = dropout
        self.up = nn.Linear(config.channels, config.hidden)
        self.down = nn.Linear(config.hidden, config.channels)

    def forward(self, x, masks):
        y = self.down(F.gelu(self.up(x), approximate="tanh"))
        return drop(y, masks.get("feed_forward_out"), self)


class Block(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.norm_1 = nn.LayerNorm(config.channels)
        self.attention = Attention(config, dropout)
        self.norm_2 = nn.LayerNorm(config.channels)
        self.feed_forward = FeedForward(config, dropout)

    def forward(self, x, masks):
        x = x + self.attention(self.norm_1(x), masks)
        return x + self.feed_forward(self.norm_2(x), masks)


class GPT(nn.Module):
    """forward(ids (B, T), targets (B, T)) -> logits (B, T, V), loss ().

    The loss is the targets' mean, or their sum (reduction="sum"), 0
    where all are ignored; None without targets. Raises InputError for ids and
    targets that are not the model's, if they are not on a GPU. In training mode it draws
    dropout masks from torch's own generator, unless `dropout_masks` gives them."""

    def __init__(self, config: Config, dropout: float = 0.0, params=None):
        super().__init__()
        self.config, self.dropout = config, dropout
        self.tokens = nn.Embedding(config.vocab_size, config.channels)
        self.positions = nn.Embedding(config.context_length, config.channels)
        self.blocks = nn.ModuleList(
            Block(config, dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.channels)
        self.head = nn.Linear(config.channels, config.vocab_size, bias=False)
        if config.tied:
            self.head.weight = self.tokens.weight
        params = params or init(gpt2, config)
        like = params["tokens"]["weight"]
        self.to(like.device, like.dtype)
        copy_params(self, params)

    def forward(self, ids, targets=None, dropout_masks=None, reduction="mean"):
        if not torch.compiler.is_compiling():
            check_ids(ids, self.config)
            if targets is not None:
                check_targets(targets, ids, self.config)
        masks = dropout_masks or {}
        block_masks = masks.get("blocks") or [{}] * self.config.layers
        positions = torch.arange(ids.shape[1], device=ids.device)
        x = self.tokens(ids) + self.positions(positions)
        x = drop(x, masks.get("embedding"), self)
        for block, block_mask in zip(self.blocks, block_masks):
            x = block(x, block_mask or {})
        logits = self.head(self.norm(x))
        if targets is None:
            return logits, None
        return logits, loss_of(logits, targets, reduction)

    @classmethod
    def from_params(cls, params, config, dropout=0.0):
        """The module with these weights, in their dtype, where they live."""
        return cls(config, dropout, params)

    def to_params(self):
        """-> nested params, copies, as `torchgpt.models.gpt2` takes them."""
        return self.as_params(lambda weight: weight.detach())

    def grads(self):
        """-> the gradients that autograd left, nested like params."""
        return self.as_params(lambda weight: weight.grad)

    def as_params(self, pick):
        """-> pick(weight) of each weight, copies, nested like params."""
        return as_params(self, pick)
