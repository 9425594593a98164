"""The sizes of a model."""

from dataclasses import dataclass

from npgpt.errors import InputError


@dataclass(frozen=True)
class Config:
    """Sizes of a GPT-2-style model; `tied`: the head is the token
    embedding, transposed. Raises InputError where sizes do not fit."""

    vocab_size: int
    context_length: int = 64
    layers: int = 4
    heads: int = 4
    channels: int = 128
    tied: bool = True

    def __post_init__(self):
        for name in ("vocab_size", "context_length", "layers",
                     "heads", "channels"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise InputError(
                    f"{name} is {value!r}: give a whole number,"
                    f" 1 or more")
        if self.channels % self.heads:
            raise InputError(
                f"{self.heads} heads do not divide {self.channels}"
                f" channels: make channels a multiple of heads")

    @property
    def head_size(self):
        return self.channels // self.heads

    @property
    def hidden(self):
        return 4 * self.channels
