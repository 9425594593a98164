"""Is my loss right? Validation losses of the default runs, recorded.

`expected.json` holds, for each run, the model (GPT-2 where it names none), the
corpus with its SHA-256, the steps, and the validation losses. Any other seed,
size or text has another curve; so does another release of Python, whose
`python-docs` differ.
"""

import json
from pathlib import Path

from npgpt.files import read_json
from npgpt.runs.log import read_log
from npgpt.runs.run import Run
from npgpt.runs.settings import complete

FILE = Path(__file__).with_name("expected.json")
NEAR = 0.02  # nats
# settings that do not move the curve, or by less than NEAR
FREE = ("corpus", "save_every", "evaluate_every", "dtype", "accumulate")


def recorded_curve(run: Run) -> dict | None:
    """The curve recorded for just this run's settings and data."""
    for curve in json.loads(FILE.read_text(encoding="utf-8")):
        if curve.get("model", "gpt2") != run.model.FILES["model_type"]:
            continue
        default = complete({"corpus": curve["corpus"], "steps": curve["steps"]})
        default, mine = (each.stored(run.model.Config) for each in (default, run.settings))
        same = {key: value for key, value in mine.items() if key not in FREE}
        if all(default[key] == value for key, value in same.items()) and (
            curve["sha256"] == run.data.record["sha256"]
        ):
            return curve
    return None


def compare(run: Run) -> str | None:
    """Where the run lies against the recorded curve; None where there is none."""
    curve = recorded_curve(run)
    if curve is None:
        return None
    losses = {int(step): loss for step, loss in curve["validation_loss"].items()}
    mine = {line["step"]: line["validation_loss"] for line in read_log(run.path)
            if isinstance(line.get("validation_loss"), float) and line["step"] in losses}
    if not mine:
        return None
    step = max(mine)
    off = mine[step] - losses[step]
    word = "as expected" if abs(off) <= NEAR else f"more than {NEAR} off: something differs"
    return f"the recorded curve has {losses[step]:.4f} at step {step}: {off:+.4f}, {word}"


def record(path: str | Path) -> dict:
    """A finished default run as a curve for expected.json."""
    path = Path(path)
    about = read_json(path / "run.json")
    return {
        "model": read_json(path / "config.json")["model_type"],
        "corpus": about["settings"]["corpus"],
        "sha256": about["data"]["sha256"],
        "source": about["data"]["source"],
        "half": about["half"],
        "versions": about["versions"],
        "steps": about["settings"]["steps"],
        "validation_loss": {
            str(line["step"]): round(line["validation_loss"], 5)
            for line in read_log(path) if "validation_loss" in line
        },
    }
