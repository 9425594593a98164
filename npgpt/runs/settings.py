"""Every setting of a run, its default, and what it may be."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from npgpt.errors import InputError

# what a resumed run may be given anew
CHANGEABLE = ("steps", "save_every")


@dataclass(frozen=True)
class Settings:
    """A run's settings, as run.json holds them. None stands for a value that
    `complete` fills in. Raises InputError for values that make no sense."""

    corpus: str = "python-docs"
    tokenizer: str | None = None  # the corpus' own, else its characters
    seed: int = 1
    # the model
    layers: int = 4
    heads: int = 4
    channels: int = 128
    context_length: int = 64
    # a tied model starts below ln V on text whose characters repeat: its
    # first guess is the token it has just read
    tied: bool = False
    dtype: str = "float32"
    # the steps
    steps: int = 500
    batch_size: int = 12
    accumulate: int = 1
    dropout: float = 0.0
    # the rate
    learning_rate: float = 1e-3
    minimum_rate: float | None = None
    warmup_steps: int | None = None
    decay_steps: int | None = None
    # the optimiser
    weight_decay: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.99
    clip: float = 1.0
    # what is measured and kept
    evaluate_every: int = 100
    evaluate_batches: int | None = None
    save_every: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "evaluate_every", "save_every"):
            _check(name, getattr(self, name), 1)
        for name in ("warmup_steps", "decay_steps", "evaluate_batches"):
            if getattr(self, name) is not None:
                _check(name, getattr(self, name), 0 if name == "warmup_steps" else 1)
        _check("seed", self.seed, 0)
        _check("context_length", self.context_length, 1)
        _check("layers", self.layers, 1, 10_000)  # more is a slip, and takes long to refuse
        _check("learning_rate", self.learning_rate, 0, open_below=True)
        if self.minimum_rate is not None:
            _check("minimum_rate", self.minimum_rate, 0, self.learning_rate)
        _check("weight_decay", self.weight_decay, 0)
        _check("beta_1", self.beta_1, 0, 1, open_above=True)
        _check("beta_2", self.beta_2, 0, 1, open_above=True)
        _check("clip", self.clip, 0, open_below=True)
        _check("dropout", self.dropout, 0, 1)
        if self.batch_size % self.accumulate:
            raise InputError(
                f"accumulate is {self.accumulate}, which does not divide the batch size"
                f" {self.batch_size}: it is the number of equal parts a batch is cut into"
            )
        if self.dtype not in ("float32", "float64", "bfloat16"):
            raise InputError(f"dtype is {self.dtype!r}: give float32, float64 or bfloat16")

    def sizes(self, Config: type) -> dict[str, Any]:
        """Those of them that a family's Config has a field for. Where a family knows
        no limit (its context_length is None by default), context_length is not the
        model's: it is how much training reads at once."""
        has = {field.name: field.default for field in fields(Config)}
        if "context_length" in has and has["context_length"] is None:
            del has["context_length"]
        return {field.name: getattr(self, field.name) for field in fields(self)
                if field.name in has}

    def config(self, vocab_size: int, Config: type) -> Any:
        """A model's sizes, as its family's Config. Raises InputError where they do
        not fit."""
        return Config(vocab_size=vocab_size, **self.sizes(Config))


def complete(given: dict[str, Any]) -> Settings:
    """Settings from those given, the rest by default: a warm-up of a twentieth
    of the steps, a decay over all of them, down to a tenth of the rate."""
    settings = Settings(**given)
    filled = {
        "warmup_steps": settings.steps // 20,
        "decay_steps": settings.steps,
        "minimum_rate": settings.learning_rate / 10,
    }
    missing = {name: value for name, value in filled.items() if getattr(settings, name) is None}
    return Settings(**{**asdict(settings), **missing})


def read_settings(stored: dict[str, Any], changes: dict[str, Any], where: str) -> Settings:
    """The settings in a run.json, of which a resumed run may change only CHANGEABLE."""
    known = {field.name: field.type for field in fields(Settings)}
    if not isinstance(stored, dict):
        raise InputError(f"{where} holds no settings; restore it from a copy")
    if set(stored) != set(known):
        odd = ", ".join(sorted(set(stored) ^ set(known)))
        raise InputError(f"{where} was written by another version: {odd}; start a new run")
    for name, value in stored.items():
        whole_will_do = isinstance(value, int) and known[name] in (float, float | None)
        right = isinstance(value, known[name]) or whole_will_do
        if isinstance(value, bool):
            right = known[name] is bool
        if value is None:
            right = name in ("tokenizer", "evaluate_batches")
        if not right:
            raise InputError(f"{where}: {name} is {value!r}; restore it from a copy")
    fixed = [name for name in changes if name not in CHANGEABLE]
    if fixed:
        flags = ", ".join("--" + name.replace("_", "-") for name in fixed)
        raise InputError(
            f"{flags} cannot be given with --resume: a run keeps its own settings;"
            " only --steps, --save-every and --device may change"
        )
    return Settings(**{**stored, **changes})


def _check(
    name: str,
    value: float,
    least: float,
    most: float = math.inf,
    open_below: bool = False,
    open_above: bool = False,
) -> None:
    above = value > least if open_below else value >= least
    below = value < most if open_above else value <= most
    if not (math.isfinite(value) and above and below):
        bounds = f"{'above' if open_below else 'at least'} {least}"
        if most < math.inf:
            bounds += f" and {'below' if open_above else 'at most'} {most:g}"
        raise InputError(f"{name} is {value}: give a number {bounds}")
