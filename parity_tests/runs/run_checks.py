"""A tiny run, and what two directories of runs have in common."""

import json
import re
import subprocess
import sys
from pathlib import Path

TINY = {
    "layers": 1, "heads": 2, "channels": 8, "context_length": 8, "batch_size": 4,
    "evaluate_batches": 2, "evaluate_every": 4, "save_every": 5, "steps": 12,
    "decay_steps": 12, "warmup_steps": 2,
}


def flags(**changes) -> list[str]:
    """TINY as a command's flags, with changes; None leaves one out."""
    line = []
    for name, value in {**TINY, **changes}.items():
        if value is not None:
            line += ["--" + name.replace("_", "-"), str(value)]
    return line


def write_corpus(path: Path) -> Path:
    """Some thousand characters, the same each time."""
    words = ["the", "model", "reads", "one", "letter", "and", "guesses", "what", "comes", "next"]
    lines = [" ".join(words[(i * k) % len(words)] for k in range(1, 9)) for i in range(160)]
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


def log_of(path: Path) -> list[dict]:
    """log.jsonl without what a clock says, and without the process's memory."""
    lines = [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]
    measured = {"tokens_per_second", "seconds", "memory_mb"}
    return [{k: v for k, v in line.items() if k not in measured}
            for line in lines if "memory_mb" not in line]


def same_bits(one: Path, other: Path) -> bool:
    """Weights, moments, step and best loss are the same bytes."""
    return all(
        (one / name).read_bytes() == (other / name).read_bytes()
        for name in ("training.safetensors", "model.safetensors")
    )


def python(code: str, *arguments: object) -> subprocess.CompletedProcess:
    """Run code in a process of its own, without pictures."""
    quiet = "import npgpt.runs.train as loop; loop.draw_run = lambda path: None\n"
    return subprocess.run(
        [sys.executable, "-c", quiet + code, *map(str, arguments)],
        capture_output=True, text=True, timeout=120,
    )


def refused(result, *words):
    """One line on stderr with these words, nothing on stdout, status 2."""
    status, out, err = result
    assert status == 2 and out == ""
    assert re.fullmatch(r"error: [^\n]+\n", err), err
    assert "Traceback" not in err
    for word in words:
        assert word in err, err
