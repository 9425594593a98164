"""log.jsonl: a run's figures, a line a step."""

import json
import os
import sys
from pathlib import Path

from npgpt.errors import InputError
from npgpt.files import parse_json, write_atomically
from npgpt.runs.checkpoint import saved_step


def read_log(path: Path) -> list[dict]:
    """The lines of log.jsonl, each a dict with its step; one that was cut off, or is no
    record, is left out."""
    file = path / "log.jsonl"
    lines = []
    written = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    for text in written.splitlines():
        try:
            line = parse_json(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and type(line.get("step")) is int and all(
                isinstance(value, int | float | dict) for value in line.values()):
            lines.append(line)
    return lines


def open_log(path: Path, step: int):
    """The log, without the lines beyond `step`: they are about to be made again."""
    if saved_step(path) not in (None, step):
        raise InputError(f"{path} was trained on meanwhile; give the same command again")
    best = path / "best"
    whole = best.is_dir() and ((best / "config.json").is_file() or not any(best.iterdir()))
    if best.exists() and not whole:
        raise InputError(f"{best} is damaged: remove it, and give the same command again")
    lines = [json.dumps(line) for line in read_log(path) if line["step"] <= step and step > 0]
    write_atomically(path / "log.jsonl", "".join(line + "\n" for line in lines))
    return open(path / "log.jsonl", "a", encoding="utf-8")


def write_line(log, record: dict) -> None:
    log.write(json.dumps(record) + "\n")
    log.flush()


def flush(log) -> None:
    """Onto the disk, before a save: a log is never shorter than the run that was saved."""
    os.fsync(log.fileno())


def last_values(path: Path) -> dict:
    """The last losses of the log, and the step of the validation."""
    values: dict = {"train_loss": None, "validation_loss": None, "validation_step": None}
    for line in read_log(path):
        values.update({name: line[name] for name in values if name in line})
        if "validation_loss" in line:
            values["validation_step"] = line["step"]
            if isinstance(line["validation_loss"], dict):  # a duet's
                values["validation_loss"] = line["validation_loss"].get("numpy")
    return values


def peak_memory() -> float | None:
    """The most memory that this process has had, in MB, a GPU's aside; None where the system
    does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6
