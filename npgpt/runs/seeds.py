"""Runs that differ in their seed alone: one row of figures, with their spread."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npgpt.runs.checkpoint import saved_step
from npgpt.runs.compared import Compared
from npgpt.runs.evaluate import Row

FIGURES = ("exact_match", "drawn", "answer_loss", "perplexity", "grammatical", "consistent",
           "length", "seconds", "memory_mb")


@dataclass(frozen=True)
class Spread:
    """The mean of some runs' figures, the least of them and the most."""

    mean: float
    least: float
    most: float


@dataclass
class SharedRow:
    """models, seeds: of the runs in this row; rows: their figures; figures: by a Row's names,
    None where one of the runs lacks it; by_kind: the same of each kind of question."""

    models: list[str]
    seeds: list[int]
    method: str | None
    rows: list[Row]
    figures: dict[str, Spread | None]
    by_kind: dict[str, Spread | None]

    @property
    def name(self) -> str:
        """The last parts of the runs' names, of several the first and the last."""
        names = [Path(each).name or each for each in self.models]
        return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"


def shared_rows(models: list[Compared], rows: list[Row]) -> list[SharedRow]:
    """The models' rows, those of runs that differ in their seed alone as one, in the order
    of the first of each."""
    groups: list[list[int]] = []
    for i, model in enumerate(models):
        group = next((each for each in groups if belongs(model, [models[n] for n in each])), None)
        if group is None:
            groups.append([i])
        else:
            group.append(i)
    return [shared([models[i] for i in group], [rows[i] for i in group]) for group in groups]


def belongs(model: Compared, group: list[Compared]) -> bool:
    """Whether a run differs from all of a group in its seed, and in nothing else."""
    mine = likeness(model)
    return mine is not None and mine == likeness(group[0]) and (
        seed_of(model) not in map(seed_of, group))


def seed_of(model: Compared) -> int | None:
    settings = model.run.get("settings")
    found = settings.get("seed") if isinstance(settings, dict) else None
    return found if isinstance(found, int) else None


def likeness(model: Compared) -> str | None:
    """All but the seed of how a run was trained, and how far; None for what is no run."""
    if seed_of(model) is None:
        return None
    settings = {name: value for name, value in model.run["settings"].items() if name != "seed"}
    return json.dumps([settings, model.tuning, saved_step(model.path)], sort_keys=True)


def shared(models: list[Compared], rows: list[Row]) -> SharedRow:
    method = (models[0].tuning or {}).get("method")
    return SharedRow(
        [each.name for each in models],
        [seed for each in models if (seed := seed_of(each)) is not None],
        str(method) if method else None,
        rows,
        {name: spread(getattr(row, name) for row in rows) for name in FIGURES},
        {kind: spread(row.by_kind[kind] for row in rows) for kind in rows[0].by_kind})


def spread(values: Iterable[Any]) -> Spread | None:
    found = [*values]
    if any(value is None for value in found):
        return None
    return Spread(sum(found) / len(found), min(found), max(found))
