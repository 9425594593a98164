"""A model that is compared with others: a run, a model's directory, or an adapter's."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import shell_quote
from npgpt.finetuning.freeze import trained_only
from npgpt.runs.adapters import is_adapter, load_adapter, merged
from npgpt.runs.adapters.read import read_adapter_config
from npgpt.runs.adapters.with_adapters import template_path
from npgpt.runs.checkpoint import Checkpoint, find_directory, load_checkpoint
from npgpt.runs.checkpoint import read_settings as read_run_json
from npgpt.runs.log import read_log
from npgpt.tree import tree_leaves


@dataclass(frozen=True)
class Compared:
    """name: as it was asked for; path: its own directory; base: that of the weights, of an
    adapter those of the model that it was trained on."""

    name: str
    path: Path
    base: Path

    @cached_property
    def run(self) -> dict[str, Any]:
        """What its run.json says; {} where it has none."""
        return read_run_json(self.path) or {}

    @property
    def tuning(self) -> dict[str, Any] | None:
        """How its run.json says that it was fine-tuned, if it was."""
        found = self.run.get("finetune")
        return found if isinstance(found, dict) else None

    def open(self) -> tuple[Checkpoint, int]:
        """-> the model with its adapter, if it is one, and how many weights its fine-tuning
        moved: 0 where it was not fine-tuned."""
        checkpoint = load_checkpoint(self.base)
        if self.path != self.base:
            adapter = load_adapter(
                self.path, checkpoint.params, checkpoint.config, checkpoint.family)
            return replace(
                checkpoint, params=merged(checkpoint.params, adapter),
                template_path=template_path(self.base, [str(self.path)])), adapter.parameters
        if self.tuning is None:
            return checkpoint, 0
        return checkpoint, moved(checkpoint.params, str(self.tuning.get("train", "")))

    @cached_property
    def log(self) -> list[dict]:
        return read_log(self.path)

    @property
    def seconds(self) -> float | None:
        """Of all its training steps; None where its log does not tell."""
        found = [self.seconds_of(line) for line in self.log if "train_loss" in line]
        known = [each for each in found if each is not None]
        return sum(known) if known and len(known) == len(found) else None

    def seconds_of(self, line: dict[str, Any]) -> float | None:
        """Of one step. An older log has tokens a second instead, whose number is known where
        they are windows of a text."""
        seconds, speed = line.get("seconds"), line.get("tokens_per_second")
        if isinstance(seconds, int | float):
            return seconds
        sizes = self.run.get("settings")
        if not isinstance(speed, int | float) or not speed or self.tuning is not None or (
                not isinstance(sizes, dict)):
            return None
        batch_size, length = sizes.get("batch_size"), sizes.get("context_length")
        if not isinstance(batch_size, int) or not isinstance(length, int):
            return None
        return batch_size * length / speed

    @property
    def memory(self) -> float | None:
        """The peak of the process that trained it, in MB; None where its log does not tell."""
        found = [line.get("memory_mb") for line in self.log]
        return max((each for each in found if isinstance(each, int | float)), default=None)


def find(name: str) -> Compared:
    """The model of this name. Raises InputError where there is none, and for an adapter whose
    model is not there."""
    if is_adapter(name):
        return Compared(name, Path(name), base_of(Path(name)))
    path = find_directory(name)
    return Compared(name, path, path)


def base_of(path: Path) -> Path:
    """The directory of the model that an adapter was trained on, as the adapter names it.
    Raises InputError where it names none, or one that is not there."""
    settings = (read_run_json(path) or {}).get("settings")
    started = settings.get("start_from") if isinstance(settings, dict) else None
    base = read_adapter_config(path).base or started
    add = f"add it to its model: npgpt adapter merge MODEL {shell_quote(path)} --out MERGED"
    if not base:
        raise InputError(f"{path} holds a LoRA adapter that names no base model; {add}")
    try:
        return find_directory(base)
    except InputError as error:
        raise InputError(f"{path} holds a LoRA adapter of {base}, and {error}: put it there, or"
                         f" {add}") from None


def moved(params: dict, train: str) -> int:
    """How many of the weights a fine-tuning of these layers, "" for all, moves."""
    patterns = tuple(name.strip() for name in train.split(",") if name.strip())
    trained = trained_only(params, patterns).trained if patterns else params
    return sum(array.size for _, array in tree_leaves(trained) if hasattr(array, "size"))
