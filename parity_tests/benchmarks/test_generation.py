"""npgpt bench generation, as it is typed."""

import json

import pytest

from npgpt.benchmarks import generation
from npgpt.cli.main import main


def test_bench_generation_measures_what_it_names(capsys, tmp_path):
    pytest.importorskip("transformers")
    record, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    assert main(["bench", "generation", "--size", "tiny", "--tokens", "3", "--rounds", "1",
                 "--json", "--record", str(record), "--plot", str(picture)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert json.loads(record.read_text()) == found
    assert picture.read_bytes().startswith(b"\x89PNG")
    row = found["sizes"]["tiny"]
    assert row["same_tokens"]
    assert set(row["contenders"]) == {
        "npgpt", "npgpt, longer side", "torchgpt, by hand", "transformers"}
    ours, theirs = row["contenders"]["npgpt"], row["contenders"]["transformers"]
    assert ours["times_transformers"]["median"] == pytest.approx(
        theirs["median_ms"] / ours["median_ms"])
    # all weights but the positions, and 8 + 3/2 keys and values in 4 layers
    cached = 2 * 4 * 9.5 * 128
    assert row["read_gb"] == pytest.approx(4e-9 * (row["parameters"] - 512 * 128 + cached))
    reached = row["read_gb"] / (1e-3 * ours["median_ms"])
    assert ours["share_of_bandwidth"]["median"] == pytest.approx(reached / row["bandwidth_gb_s"])
    assert main(["bench", "generation", "--size", "huge"]) == 2
    assert "give tiny, gpt2 or both" in capsys.readouterr().err


def test_bench_generation_of_a_real_model(capsys, tmp_path):
    """A small Llama in a file of `transformers`, as SmolLM2 is."""
    from npgpt.families.llama import Config
    from npgpt.models import llama
    from npgpt.runs.checkpoint import save_checkpoint
    from npgpt.text import BytePairTokenizer
    from npgpt.training import init

    pytest.importorskip("transformers")
    config = Config(vocab_size=257, context_length=256, layers=2, heads=2, kv_heads=1,
                    channels=16, tied=True)
    save_checkpoint(tmp_path / "model", config, init(llama, config, 1),
                    BytePairTokenizer.train("a", 257))
    assert main(["bench", "generation", "--model", str(tmp_path / "model"), "--tokens", "3",
                 "--rounds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same_tokens"] and found["model"] == "model"
    assert set(found["contenders"]) == {"npgpt", "torchgpt, by hand", "transformers"}
    assert found["contenders"]["transformers"]["first_token"]["of_transformers"]["median"] == 1
    cached = 2 * 2 * 8 * (8 + 3 / 2)  # keys and values, layers, one head of 8
    assert found["read_gb"] == pytest.approx(4e-9 * (found["parameters"] + cached))
    assert 0 < found["ready_s"]["least"] <= found["ready_s"]["median"]
    table, machine = generation.markdown(found).split("\n\n")
    assert len(table.splitlines()) == 5 and "until" not in table and "cores" in machine
    assert main(["bench", "generation", "--model", str(tmp_path / "none")]) == 2
    assert "there is no checkpoint" in capsys.readouterr().err
