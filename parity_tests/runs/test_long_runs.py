"""What only 2,000 steps can show: where they end, and in how much memory."""

import json
import subprocess
import sys

import pytest

from npgpt.training.curves import read_log
from npgpt.training.expected import FILE, NEAR

STEPS = 2000


@pytest.mark.acceptance
def test_both_halves_end_where_the_recorded_curve_does(tmp_path):
    (curve,) = (curve for curve in json.loads(FILE.read_text(encoding="utf-8"))
                if (curve["corpus"], curve["steps"]) == ("stories", STEPS))
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


CHILD = """
import resource
import numpy as np
from npgpt.cli import bench_step
from npgpt.model import Config
bench_step.tune_allocator()
layers, heads, channels, context, batch = bench_step.SIZES["S"][0]
config = Config(bench_step.VOCABULARY, context, layers, heads, channels)
ids = np.random.default_rng(0).integers(0, bench_step.VOCABULARY, (batch, context))
run = bench_step.numpy_step(config, ids, np.roll(ids, -1, axis=1))
for step in range(1, 2001):
    run()
    if step in (200, 2000):
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.acceptance
@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage, which Windows lacks")
def test_memory_stays_flat():
    """The peak of 200 steps is, within 3 %, that of 2,000."""
    done = subprocess.run([sys.executable, "-c", CHILD], check=True, capture_output=True,
                          text=True, timeout=900)
    early, late = map(int, done.stdout.split())
    assert late <= 1.03 * early, (early, late)
