"""What a model forgets while it is fine-tuned: its loss on the text that it learned first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.layers.cross_entropy import IGNORE
from npgpt.runs.adapter_run import params_of
from npgpt.runs.checkpoint import find_directory, read_settings
from npgpt.runs.data import ended
from npgpt.runs.run import Run
from npgpt.text import load_corpus
from npgpt.training import mean_loss
from npgpt.training.batches import evaluation_batches

WINDOWS = 32  # of the old corpus, and how long they are at most, in tokens
LONGEST = 256
AT_ONCE = 16


@dataclass(frozen=True)
class Corpus:
    """The text that a model was trained on before it learned to answer."""

    name: str
    end_of_text: bool = False


def old_corpus(path: Path) -> Corpus | None:
    """What the run in `path` was trained on, or the run that it was fine-tuned from, however
    many fine-tunings lie between; None where no run.json says so."""
    passed: set[Path] = set()
    while path not in passed:
        passed.add(path)
        run = read_settings(path) or {}
        settings = run.get("settings")
        if not isinstance(settings, dict):
            return None
        if "finetune" not in run:
            name = settings.get("corpus")
            return Corpus(name, bool(settings.get("end_of_text"))) if isinstance(
                name, str) else None
        try:
            path = find_directory(str(settings.get("start_from")))
        except InputError:  # its base is gone
            return None
    return None


def windows_of(
    corpus: Corpus, tokenizer: Any, context_length: int | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """(inputs, targets) spread over the corpus' validation part. InputError where it cannot
    be read."""
    text = load_corpus(corpus.name, end_of_text=corpus.end_of_text)
    ids = (ended(text.validation, tokenizer) if corpus.end_of_text
           else tokenizer.encode(text.validation_text))
    T = min(context_length or LONGEST, LONGEST)
    return list(evaluation_batches(np.array(ids), T, AT_ONCE, WINDOWS // AT_ONCE))


def mean_over(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], model: Any, params: dict, config: Any
) -> float:
    """The mean loss in nats over all targets of some batches."""
    total, count = 0.0, 0
    for inputs, targets in batches:
        counted = int((targets != IGNORE).sum())
        total += counted * float(mean_loss(model, params, inputs, targets, config))
        count += counted
    return total / count


def measuring(run: Run, trainer: Any) -> tuple[Callable[[int], dict], str]:
    """-> old_loss(step): {"old_loss": nats a token of the old text} where validation is due,
    else {}; and a line that says what is measured, or why nothing is."""
    corpus = old_corpus(find_directory(str(run.settings.start_from)))
    if corpus is None:
        return lambda step: {}, ("no run.json says what the model was trained on first, so what"
                                 " it forgets is not measured")
    try:
        windows = windows_of(corpus, run.data.tokenizer, run.settings.context_length)
    except InputError as error:
        return lambda step: {}, f"what the model forgets is not measured: {error}"

    def old_loss(step: int) -> dict:
        if step % run.settings.evaluate_every and step != run.settings.steps:
            return {}
        return {"old_loss": mean_over(windows, run.model, params_of(run, trainer), run.config)}

    return old_loss, f"measured meanwhile: perplexity on {corpus.name}, to see what is forgotten"
