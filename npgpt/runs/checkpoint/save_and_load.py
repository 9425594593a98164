"""A model, its tokenizer and its training, written to a directory and read from it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.runs.checkpoint.by_type import family_in, family_of
from npgpt.runs.checkpoint.config_json import read_config
from npgpt.runs.checkpoint.hub import find_directory
from npgpt.runs.checkpoint.run_directory import create_run
from npgpt.runs.checkpoint.run_json import read_settings, trained_heads
from npgpt.runs.checkpoint.tokenizer_files import read_tokenizer
from npgpt.runs.checkpoint.training_state import load_training, write_training
from npgpt.runs.checkpoint.weights import read_weights, write_weights


@dataclass
class Checkpoint:
    """What a directory holds; `tokenizer`, `settings` (run.json) and
    `training` are None where it has none. `family`: whose model it is. `template_path`: where
    the chat template is, if that is another directory."""

    path: Path
    config: Any
    params: dict
    tokenizer: Any
    settings: dict | None
    family: Any
    template_path: Path | None = None

    @cached_property
    def training(self) -> dict | None:
        """{"step", "params", "optimizer", "best"}, read when first asked for."""
        return load_training(self.path, self.config, self.family)


def save_checkpoint(
    path: str | Path,
    config: Any,
    params: dict,
    tokenizer: Any = None,
    training: dict | None = None,
    family: Any = None,
) -> None:
    """Write `params` (NumPy, nested) to a directory, new or of the same model.

    `training`: {"step": int, "best": the lowest validation loss or None,
    "optimizer": AdamW's state}; it is what a resumed run starts from. `family`:
    the module of the config's class, where it is none of ours.
    """
    path, family = Path(path), family or family_of(config)
    if not path.is_dir() or not any(path.iterdir()):
        create_run(path, config, tokenizer, family=family)
    elif read_config(path, family) != config:
        raise InputError(f"{path} holds a model of other sizes; choose another directory")
    write_weights(path, params, family)
    if training is not None:
        write_training(path, params, training)


def load_checkpoint(
    path: str | Path, family: Any = None, as_stored: bool = False
) -> Checkpoint:
    """Read a run, or a directory of `transformers`, its cache included. `family`:
    whose model it is, by default what its model_type says. `as_stored`: the weights
    in the file's memory order, which is read faster; the same numbers."""
    path = find_directory(path)
    family = family or family_in(path)
    config = read_config(path, family)
    params = read_weights(path, config, family, as_stored)
    settings = read_settings(path)
    tokenizer = read_tokenizer(path, config, exactly=settings is not None)
    heads = getattr(config, "heads", None)  # no tensor's shape shows them
    trained = trained_heads(settings)
    if heads and trained not in (None, heads):
        raise InputError(f"{path} was trained with {trained} heads, but its config.json"
                         f" names {heads}; restore it from a copy")
    return Checkpoint(path, config, params, tokenizer, settings, family)
