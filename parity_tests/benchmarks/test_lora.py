"""`npgpt bench lora`: what becomes of its record. The steps themselves are tried in
finetuning/test_smollm2_lora.py."""

from npgpt.benchmarks.lora import NAMES, loss_difference, markdown, report


def test_what_a_bench_says():
    """Its report, of a record."""
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
    table, machine = markdown(record).split("\n\n")
    assert len(table.splitlines()) == 2 + len(NAMES) and "| 7 MB | 1.00 |" in table
    assert "losses of 1 steps: at most 0.50" in machine


def test_how_far_losses_lie_apart():
    losses = {"a": [1.0, 2.5], "b": [1.25, 2.0]}
    assert loss_difference(losses, "b") == {"a": 0.5}
