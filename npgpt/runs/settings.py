"""Every setting of a run, declared once: its type, default, help text and bounds.

The command lines, the checks and what run.json may hold are made from these
fields and from those of a model family's Config.
"""

from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.families import BY_TYPE
from npgpt.families.setting import before, check_setting, default_of, flag_of, setting

# what a resumed run may be given anew
CHANGEABLE = ("steps", "decay_steps", "save_every")
# what `complete` works out where it is None
DERIVED = ("minimum_rate", "warmup_steps", "decay_steps")


@dataclass(frozen=True)
class Settings:
    """A run's settings. None stands for a value that `complete` fills in. Raises
    InputError for values that make no sense.

    `sizes`: those of the model that were given, named as in its family's Config.
    """

    corpus: str = setting(
        "python-docs", "Corpus name, text file or prepared DIR.", alias="--data")
    tokenizer: str | None = setting(
        None, "A tokenizer file, words or bpe:SIZE.", unset="characters")
    start_from: str | None = setting(
        None, "Start from the weights in DIR.", flag="--from", metavar="DIR",
        unset="random weights", before=None)
    seed: int = setting(1, "Random seed.", least=0, most=2**64 - 1)
    sizes: dict[str, Any] = field(default_factory=dict)
    field: str = setting("text", "Field of JSON that holds the text.", before="text")
    end_of_text: bool = setting(
        False, "End documents with <|endoftext|>.", before=False, flag="--end-of-text")
    context_length: int = setting(64, "Context length, in tokens.", least=1)
    dtype: str = setting(
        "float32", "Data type: float32, float64 or bfloat16.",
        choices=("float32", "float64", "bfloat16"))
    steps: int = setting(500, "Total number of optimiser steps.", least=1)
    batch_size: int = setting(12, "Sequences per step.", least=1)
    accumulate: int = setting(1, "Micro-batches per step (gradient accumulation).", least=1)
    dropout: float = setting(0.0, "Dropout probability.", least=0, most=1, metavar="P")
    learning_rate: float = setting(1e-3, "Peak learning rate.", above=0)
    minimum_rate: float | None = setting(
        None, "Final learning rate.", least=0, unset="a tenth of the peak")
    warmup_steps: int | None = setting(
        None, "Learning-rate warm-up steps.", least=0, unset="a twentieth of --steps")
    decay_steps: int | None = setting(
        None, "Step at which the final rate is reached.", least=1, unset="--steps")
    weight_decay: float = setting(0.1, "AdamW weight decay.", least=0)
    beta_1: float = setting(0.9, "AdamW beta 1, for gradients.", least=0, below=1, hidden=True)
    beta_2: float = setting(
        0.99, "AdamW beta 2, for squared gradients.", least=0, below=1, hidden=True)
    clip: float = setting(1.0, "Maximum gradient norm.", above=0)
    evaluate_every: int = setting(100, "Steps between validation losses.", least=1)
    evaluate_batches: int | None = setting(
        None, "Validation batches.", least=1, unset="all of the text", hidden=True)
    save_every: int = setting(100, "Steps between checkpoints.", least=1)

    def __post_init__(self) -> None:
        for each in declared():
            given = self.sizes if each.name in self.sizes else vars(self)
            if each.name in given:
                check_setting(each, given[each.name])
        if self.minimum_rate is not None and self.minimum_rate > self.learning_rate:
            raise InputError(f"minimum_rate is {self.minimum_rate}: give a number at least 0"
                             f" and at most {self.learning_rate:g}, the learning rate")
        if self.batch_size % self.accumulate:
            raise InputError(
                f"accumulate is {self.accumulate}, which does not divide the batch size"
                f" {self.batch_size}: it is the number of equal parts a batch is cut into")

    def config(self, vocab_size: int, Config: type) -> Any:
        """A model's sizes, as its family's Config. Raises InputError where they do
        not fit, and for one that the family lacks."""
        return Config(vocab_size=vocab_size, **self.sizes_for(Config))

    def sizes_for(self, Config: type) -> dict[str, Any]:
        """The Config's fields but vocab_size, by default as a new run has them. Where
        a family knows no limit (its context_length is None by default), context_length
        is not the model's: it is how much training reads at once."""
        known = {each.name: each for each in fields(Config) if each.name != "vocab_size"}
        unknown = [name for name in self.sizes if name not in known]
        if unknown:
            raise InputError(f"this family of models has no {' and no '.join(unknown)}:"
                             f" leave out {flags(unknown)}")
        sizes = {name: self.sizes.get(name, default_of(each)) for name, each in known.items()}
        if sizes.pop("context_length", None) is not None:
            sizes["context_length"] = self.context_length
        return sizes

    def stored(self, Config: type) -> dict[str, Any]:
        """What run.json holds: every setting, the model's among them."""
        own = {name: value for name, value in vars(self).items() if name != "sizes"}
        return {**own, **self.sizes_for(Config)}


def declared() -> list[Field]:
    """Every setting, and the sizes of all families where `sizes` stands."""
    found: dict[str, Field] = {}
    for each in fields(Settings):
        group = [each]
        if each.name == "sizes":
            group = [size for family in BY_TYPE.values() for size in fields(family.Config)]
        for one in group:
            if "help" in one.metadata:
                found.setdefault(one.name, one)
    return list(found.values())


def flags(names: list[str]) -> str:
    """The options of these settings."""
    known = {each.name: each for each in declared()}
    return ", ".join(flag_of(known[name]) if name in known else f"--{name}" for name in names)


def from_flat(values: dict[str, Any]) -> Settings:
    """Settings from one dict of them; those that are not a run's own are sizes."""
    own = {each.name for each in fields(Settings)}
    sizes = {name: value for name, value in values.items() if name not in own}
    return Settings(**{name: value for name, value in values.items() if name in own}, sizes=sizes)


def complete(given: dict[str, Any]) -> Settings:
    """Settings from those given, the rest by default: a warm-up of a twentieth
    of the steps, a decay over all of them, down to a tenth of the rate."""
    settings = from_flat(given)
    filled = {
        "warmup_steps": settings.steps // 20,
        "decay_steps": settings.steps,
        "minimum_rate": settings.learning_rate / 10,
    }
    missing = {name: value for name, value in filled.items() if getattr(settings, name) is None}
    return replace(settings, **missing)


def read_settings(
    stored: dict[str, Any], changes: dict[str, Any], where: str, Config: type
) -> Settings:
    """The settings in a run.json, of which a resumed run may change only CHANGEABLE.
    Config: the family's, of which the model is."""
    if not isinstance(stored, dict):
        raise InputError(f"{where} holds no settings; restore it from a copy")
    own = [each for each in fields(Settings) if each.name != "sizes"]
    known = {each.name: each for each in [*fields(Config), *own] if each.name != "vocab_size"}
    older = {name: before(each) for name, each in known.items() if before(each) is not MISSING}
    stored = {**older, **stored}
    if set(stored) != set(known):
        odd = ", ".join(sorted(set(stored) ^ set(known)))
        raise InputError(f"{where} was written by another version: {odd}; start a new run")
    for name, value in stored.items():
        if not is_of(known[name].type, value) or (value is None and name in DERIVED):
            raise InputError(f"{where}: {name} is {quote(value)}; restore it from a copy")
    fixed = [name for name in changes if name not in CHANGEABLE]
    if fixed:
        raise InputError(
            f"{flags(fixed)} cannot be given with --resume: a run keeps its own settings;"
            " only --steps, --decay-steps, --save-every and --device may change"
        )
    return from_flat({**stored, **changes})


def is_of(kind: Any, value: Any) -> bool:
    """True where a value read from JSON is of this type; a whole number will do
    for a real one, a truth value for no number."""
    if isinstance(value, bool):
        return kind in (bool, bool | None)
    return isinstance(value, kind) or (isinstance(value, int) and kind in (float, float | None))
