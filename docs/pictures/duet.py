"""The losses of `npgpt duet` and their difference, from docs/records/duet.json."""

import json
from pathlib import Path

from svg import chart

RECORD = Path(__file__).parents[1] / "records" / "duet.json"


def picture(width):
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    steps, ours, theirs = record["steps"], record["numpy_loss"], record["torch_loss"]
    every = slice(None, None, max(1, len(steps) // 60))
    return chart(width, {"NumPy": (steps, ours, "np"),
                         "PyTorch": (steps[every], theirs[every], "pt")},
                 "step", "loss, nats a token", height=300)


def difference(width):
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    found = [(step, gap) for step, gap in zip(record["steps"], record["difference"]) if gap]
    exact = len(record["steps"]) - len(found)
    return chart(width, {"difference": ([s for s, _ in found], [g for _, g in found], "ink")},
                 "step", "|Δ| of the losses", y_log=True, y_range=(1e-8, 1e-2),
                 notes=[(record["steps"][-1], 2.2e-8,
                         f"in {exact} of {len(record['steps'])} steps it is exactly 0", "end")],
                 height=300)
