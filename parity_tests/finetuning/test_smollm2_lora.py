"""LoRA on a real model: NumPy, PyTorch by hand, modules and `peft` train alike."""

import pytest

from npgpt.benchmarks.lora import NAMES, Task, contender, loss_budget
from npgpt.runs.fetch import cached

pytestmark = pytest.mark.acceptance


@pytest.mark.skipif(cached("smollm2") is None, reason="needs smollm2: npgpt fetch smollm2")
def test_twenty_steps_on_smollm2():
    """Rank 8 on queries and values; each loss within float32's budget of theirs."""
    pytest.importorskip("peft")
    task = Task("smollm2", 1, 24)
    allowed = loss_budget(task)
    steps = {name: contender(name, task) for name in NAMES}
    for number in range(20):
        losses = {name: step(number) for name, step in steps.items()}
        theirs = losses[NAMES[-1]]
        for name, loss in losses.items():
            assert abs(loss - theirs) <= allowed, (number, name, abs(loss - theirs) / allowed)


def test_what_a_bench_says(capsys):
    """Its report, of a record."""
    from npgpt.benchmarks.lora import report

    row = {"median_ms": 2.0, "least_ms": 1.0, "most_ms": 3.0, "tokens_per_second": 10.0,
           "of_peft": {"median": 1.0, "low": 0.9, "high": 1.1}}
    record = {"model": "m", "rank": 8, "targets": ["q"], "trained": 5, "batch_size": 1,
              "tokens": 2, "contenders": dict.fromkeys(NAMES, row),
              "losses": {name: [1.0] for name in NAMES}, "loss_budget": 1e-6,
              "loss_difference": dict.fromkeys(NAMES[:-1], 5e-7), "peak_mb": dict.fromkeys(
                  NAMES, 7.0), "wanted": {"of_peft": 1.3, "accepted": 1.6, "memory": 1.15},
              "machine": {"processor": "p", "cores": 2, "numpy": "2", "numpy_blas": "b",
                          "numpy_instructions": "Haswell"}}
    said = " ".join(map(str, report(record)))
    assert "1.00 (0.90–1.10)" in said and "0.50" in said and "7 MB" in said
