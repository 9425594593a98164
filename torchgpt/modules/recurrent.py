"""The recurrent network that a PyTorch user would write: nn.RNN, autograd.

The same model as `torchgpt.models.recurrent`, told in the library's own words;
the parity tests hold its gradients to the hand-written ones."""

import torch
from torch import nn

from npgpt.families.recurrent import Config
from torchgpt.models import recurrent
from torchgpt.modules.parts import drop, loss_of
from torchgpt.training.init import init


class Recurrent(nn.Module):
    """forward(ids (B, T), targets (B, T)) -> logits (B, T, V), loss ().

    The loss is the targets' mean, or their sum (reduction="sum"), 0
    where all are ignored; None without targets. In training mode it draws
    dropout masks from torch's own generator, unless `dropout_masks` gives them."""

    def __init__(self, config: Config, dropout: float = 0.0, params=None):
        super().__init__()
        self.config, self.dropout = config, dropout
        C = config.channels
        self.tokens = nn.Embedding(config.vocab_size, C)
        self.rnn = nn.RNN(C, C, bias=False, batch_first=True)
        self.head = nn.Linear(C, config.vocab_size, bias=False)
        params = params or init(recurrent, config)
        like = params["tokens"]["weight"]
        self.to(like.device, like.dtype)
        with torch.no_grad():
            for part, (weight, transposed) in self.parts().items():
                theirs = params[part]["weight"]
                weight.copy_(theirs.T if transposed else theirs)

    def parts(self):
        """{part of the params: its weight here, whether stored as (outputs, inputs)}"""
        return {"tokens": (self.tokens.weight, False), "input": (self.rnn.weight_ih_l0, True),
                "recurrence": (self.rnn.weight_hh_l0, True), "head": (self.head.weight, True)}

    def forward(self, ids, targets=None, dropout_masks=None, reduction="mean"):
        masks = dropout_masks or {}
        x = drop(self.tokens(ids), masks.get("embedding"), self)
        pieces, state = [], None
        for piece in x.split(self.config.truncate or x.shape[1], dim=1):
            states, state = self.rnn(piece, state)
            state = state.detach()                  # no gradient crosses
            pieces.append(states)
        states = drop(torch.cat(pieces, dim=1), masks.get("states"), self)
        logits = self.head(states)
        if targets is None:
            return logits, None
        return logits, loss_of(logits, targets, reduction)

    @classmethod
    def from_params(cls, params, config, dropout=0.0):
        """The module with these weights, in their dtype, where they live."""
        return cls(config, dropout, params)

    def to_params(self):
        """-> nested params, copies, as `torchgpt.models.recurrent` takes them."""
        return self.as_params(lambda weight: weight.detach())

    def grads(self):
        """-> the gradients that autograd left, nested like params."""
        return self.as_params(lambda weight: weight.grad)

    def as_params(self, pick):
        """-> pick(weight) of each weight, copies, nested like params."""
        return {part: {"weight": (pick(weight).T if transposed else pick(weight)).clone(
            memory_format=torch.contiguous_format)}
            for part, (weight, transposed) in self.parts().items()}
