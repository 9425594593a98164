"""npgpt bench tokenizer, as it is typed."""

import json

import pytest

from npgpt.benchmarks import long_words
from npgpt.cli.main import main
from parity_tests.text.tokenizers.tokenizer_checks import TRAINING


@pytest.fixture
def bench(capsys):
    def run(*words):
        status = main(["bench", "tokenizer", *map(str, words)])
        return status, capsys.readouterr().out

    return run


def test_bench_measures_side_by_side(tmp_path, bench, monkeypatch):
    monkeypatch.setattr(long_words.measure, "__defaults__", ((1000, 2000),))
    (tmp_path / "text.txt").write_text(TRAINING * 5, encoding="utf-8")
    options = ["--corpus", tmp_path / "text.txt", "--rounds", 2, "--vocab-size", 300]
    status, printed = bench(*options, "--json")
    result = json.loads(printed)
    assert status == 0 and result["same_ids"] and result["same_merges"]
    assert [len(times) for times in result["milliseconds"].values()] == [2] * 6
    assert len(result["ratios"]) == 4
    assert [*result["long_words"]] == [*long_words.LONG_WORDS]
    for row in result["long_words"].values():
        assert row["same_ids"] and row["growth"] > 0 and row["to_tiktoken"] > 0
        for name in ("npgpt", "tiktoken"):
            assert [*map(len, row[name].values())] == [2, 2]
    status, table = bench(*options)
    assert status == 0 and "the same ids: yes" in table and "tiktoken encode" in table
    assert "one emoji" in table and "1,000" in table and "NO" not in table


@pytest.mark.acceptance
def test_bench_holds_its_limits_on_a_megabyte(bench):
    _, printed = bench("--json")
    for name, ratio in json.loads(printed)["ratios"].items():
        assert ratio["median"] <= ratio["limit"], name
