"""npgpt bench generation, as it is typed."""

import json

import pytest

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
