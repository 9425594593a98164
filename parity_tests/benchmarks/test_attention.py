"""npgpt bench attention, as it is typed."""

import json

from npgpt.benchmarks import attention
from npgpt.cli.main import main


def test_bench_attention_measures_what_it_names(capsys, tmp_path):
    record, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    assert main(["bench", "attention", "--lengths", "64,512", "--rounds", "1",
                 "--record", str(record), "--plot", str(picture)]) == 0
    out, found = capsys.readouterr().out, json.loads(record.read_text())
    assert picture.read_bytes().startswith(b"\x89PNG")
    for length in ("64", "512"):
        row = found["lengths"][length]
        plain, blockwise, flash = (row[name] for name in attention.NAMES)
        assert blockwise["of_blockwise"]["median"] == 1
        ratio = flash["median_ms"] / blockwise["median_ms"]
        assert abs(flash["of_blockwise"]["median"] - ratio) < 1e-9
        assert f"{flash['of_blockwise']['median']:.2f} (" in out
    # a number for each pair of tokens: heads, tokens squared, float32
    scores = attention.HEADS * 512 * 512 * 4
    assert plain["peak_bytes"] > 2 * scores and flash["peak_bytes"] < 2 * scores
    table, machine = attention.markdown(found).split("\n\n")
    assert len(table.splitlines()) == 8 and "one thread" in machine
    assert main(["bench", "attention", "--lengths", "64,many"]) == 2
    assert "give whole numbers" in capsys.readouterr().err
