"""npgpt bench tokenizer, as it is typed."""

import json

import pytest

from npgpt.cli.main import main
from parity_tests.text.tokenizers.tokenizer_checks import TRAINING


@pytest.fixture
def bench(capsys):
    def run(*words):
        status = main(["bench", "tokenizer", *map(str, words)])
        return status, capsys.readouterr().out

    return run


def test_bench_measures_side_by_side(tmp_path, bench):
    (tmp_path / "text.txt").write_text(TRAINING * 5, encoding="utf-8")
    options = ["--corpus", tmp_path / "text.txt", "--rounds", 2, "--vocab-size", 300]
    status, printed = bench(*options, "--json")
    result = json.loads(printed)
    assert status == 0 and result["same_ids"] and result["same_merges"]
    assert [len(times) for times in result["milliseconds"].values()] == [2] * 6
    assert len(result["ratios"]) == 4
    status, table = bench(*options)
    assert status == 0 and "the same ids: yes" in table and "tiktoken encode" in table


@pytest.mark.acceptance
def test_bench_holds_its_limits_on_a_megabyte(bench):
    _, printed = bench("--json")
    for name, ratio in json.loads(printed)["ratios"].items():
        assert ratio["median"] <= ratio["limit"], name
