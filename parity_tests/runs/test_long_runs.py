"""What only 2,000 steps can show: where they end."""

import json
import subprocess
import sys

import pytest

from npgpt.runs.expected import FILE, NEAR
from npgpt.runs.log import read_log

STEPS = 2000


@pytest.mark.acceptance
def test_both_halves_end_where_the_recorded_curve_does(tmp_path):
    (curve,) = (curve for curve in json.loads(FILE.read_text(encoding="utf-8"))
                if (curve["corpus"], curve["steps"]) == ("stories", STEPS)
                and curve.get("model", "gpt2") == "gpt2")
    done = subprocess.run(
        [sys.executable, "-m", "npgpt", "duet", "--corpus", "stories", "--steps", str(STEPS),
         "--out", "run"], cwd=tmp_path, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    about = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))
    assert about["data"]["sha256"] == curve["sha256"]
    found = {str(line["step"]): line["validation_loss"] for line in read_log(tmp_path / "run")
             if "validation_loss" in line}
    assert str(STEPS) in found
    for step, losses in found.items():
        expected = curve["validation_loss"][step]
        assert abs(losses["numpy"] - losses["torch"]) <= NEAR, step
        assert abs(losses["numpy"] - expected) <= NEAR, step
