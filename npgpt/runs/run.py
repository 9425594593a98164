"""A run: its settings, its data and the state of its training; started, and resumed."""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError, quote
from npgpt.files import locked, shell_quote
from npgpt.runs.advice import how_to_continue
from npgpt.runs.checkpoint import (
    clear_unstarted,
    create_run,
    family_in,
    find_directory,
    load_training,
    read_config,
    read_tokenizer,
)
from npgpt.runs.checkpoint import read_settings as read_run_json
from npgpt.runs.checkpoint.run_json import read_data
from npgpt.runs.checkpoint.training_state import check_state
from npgpt.runs.curves import draw_run
from npgpt.runs.data import Data, encode_source, from_anywhere, open_source, same_data
from npgpt.runs.log import read_log
from npgpt.runs.settings import Settings, complete, read_settings
from npgpt.runs.start_from import fingerprint, read_again, read_start
from npgpt.tree import tree_leaves


@dataclass
class Run:
    """`model`: a module as `npgpt.models.gpt2` is. `params` and `optimizer` are
    NumPy, or None at step 0: then they are made."""

    path: Path
    settings: Settings
    config: Any
    data: Data
    model: Any
    step: int = 0
    params: dict | None = None
    optimizer: dict | None = None
    best: float | None = None
    # what is trained in the place of params, which are then `base` as well: an adapter, or
    # the layers that these patterns match
    adapter: Any = None
    trains: tuple[str, ...] = ()
    base: dict | None = None
    # what its directory must not lose while it is trained
    files: list[str] = field(default_factory=list)
    # whether it was started here, and in a directory that was there, empty
    new: bool = False
    filled: bool = False


def start_run(
    path: str | Path, given: dict[str, Any], command: str, extra: dict[str, Any], model: Any
) -> Run:
    """A new run's directory, made whole before its first step.

    `given`: the settings that are not left to default; `extra`: what else
    run.json records of the trainer.
    """
    path = Path(path)
    settings = complete(given)
    check_free(path, command)
    tokenizer = params = None
    if settings.start_from:
        settings, tokenizer, params = read_start(settings, given, model)
        extra = {**extra, "weights_sha256": fingerprint(params)}
    run = plan_run(path, settings, model, tokenizer)
    run.params = params
    make_directory(run, command, extra)
    return run


def check_free(path: Path, command: str) -> None:
    """Raise InputError where a new run cannot be made at `path`."""
    if path.is_dir() and any(path.iterdir()):
        raise InputError(f"{path} holds another run or other files: choose another --out"
                         + how_to_continue(command.split()[0], path))
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a directory")


def make_directory(
    run: Run, command: str, extra: dict[str, Any], files: dict[str, str] | None = None
) -> None:
    """A new run's directory, with all that never changes in it."""
    run_json = {
        "command": command,
        "settings": run.settings.stored(run.model.Config),
        "data": run.data.record,
        "parameters": count_parameters(run.model, run.config),
        "versions": versions(),
        **extra,
    }
    run.new, run.filled = True, run.path.is_dir()
    create_run(run.path, run.config, run.data.tokenizer, run_json, run.model, files)


@contextmanager
def cleared_unless_started(run: Run) -> Iterator[None]:
    """A new run that fails before its first step in this block leaves no directory
    behind, which would block its name."""
    try:
        yield
    except Exception:
        if run.new:
            with suppress(InputError, OSError), locked(run.path):  # nobody else has it
                if not any(line["step"] > 0 for line in read_log(run.path)):
                    clear_unstarted(run.path, directory_stays=run.filled)
        raise


def plan_run(path: Path, settings: Settings, model: Any, tokenizer: Any = None) -> Run:
    """A run with its data, at step 0; nothing is written. `tokenizer`: instead of the one
    that the settings ask for."""
    settings.config(1, model.Config)  # refuses sizes before a text is read
    source, tokenizer = open_source(settings, tokenizer)
    data = encode_source(source, tokenizer, settings)
    config = settings.config(tokenizer.vocab_size, model.Config)
    settings = replace(settings, corpus=from_anywhere(settings.corpus))
    return Run(path, settings, config, data, model)


def resume_run(
    path: str | Path, changes: dict[str, Any], by_type: dict[str, Any],
    data_of: Callable = same_data, kind: str = "train", restore: Callable | None = None,
) -> Run:
    """A run as its last save left it; at step 0 where there was none yet. by_type:
    model_type -> model. data_of: reads its data again; kind: the command that began it;
    restore(run, run_json): brings it to its last save, if that is no model's."""
    path = find_directory(path)
    run_json = read_run_json(path)
    if run_json is None:
        raise InputError(f"{path} has no run.json: it is a model, not a run that can be resumed")
    began = "finetune" if "finetune" in run_json else "train"
    if began != kind:
        raise InputError(f"{path} was begun by npgpt {began}: go on with npgpt {began} --out"
                         f" {shell_quote(path)} --resume")
    model = family_in(path, by_type)
    settings = read_settings(
        run_json.get("settings", {}), changes, str(path / "run.json"), model.Config)
    recorded = read_data(run_json, path / "run.json")
    config = read_config(path, model)
    if config != replace(config, **settings.sizes_for(model.Config)):
        raise InputError(f"{path / 'config.json'} and run.json are of different models;"
                         " restore them from a copy")
    tokenizer = read_tokenizer(path, config, exactly=True)
    if tokenizer is None:
        raise InputError(f"{path} has lost its tokenizer.json; restore it from a copy")
    data = data_of(path, settings, tokenizer, recorded)
    run = Run(path, settings, config, data, model)
    (restore or restore_model)(run, run_json)
    if run.step >= settings.steps:
        drawn = complete_picture(path)
        raise InputError(f"{path} has already done its {quote(run.step)} steps{drawn}:"
                         " give more with --steps")
    return run


def restore_model(run: Run, run_json: dict[str, Any]) -> None:
    """The run's weights and moments, as its last save left them."""
    path, settings = run.path, run.settings
    training = load_training(path, run.config, run.model)
    if training is None and saved_before(path, run_json["settings"]["save_every"]):
        raise InputError(f"{path} has lost its training.safetensors; restore it from a copy,"
                         " or start a new run: its weights are still in model.safetensors")
    if training is None and settings.start_from:
        run.params = read_again(
            settings, run.config, run.model, str(run_json.get("weights_sha256")))
    if training is not None:
        check_state(path, training)
        run.step, run.best = training["step"], training["best"]
        run.params, run.optimizer = training["params"], training["optimizer"]


def complete_picture(path: Path) -> str:
    """Draw loss.png where the run was killed after its last save, before that -> words
    that say so, or none."""
    log, picture = path / "log.jsonl", path / "loss.png"
    if not log.exists() or (
            picture.exists() and picture.stat().st_mtime >= log.stat().st_mtime):
        return ""
    draw_run(path)
    return ", and its loss.png is drawn now" if picture.exists() else ""


def saved_before(path: Path, first: int, weights: str = "model.safetensors") -> bool:
    """Whether a training state was there once: the log goes on after the first save, of
    step `first`. A resume may have put that save off, so there must be weights as well."""
    went_on = any(line["step"] > first for line in read_log(path))
    return went_on and (path / weights).exists()


def count_parameters(family: Any, config: Any) -> int:
    return sum(prod(weight.shape) for _, weight in tree_leaves(family.weights(config)))


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {
        "npgpt": version("npgpt"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }
