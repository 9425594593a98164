"""The page that compares five ways of fine-tuning: its record has what it names, its marks are
those of the evaluation, and the record says what the page tells."""

import sys
from pathlib import Path

from npgpt.runs.answers import right
from npgpt.text.corpora.chats import load_chats

DOCS = Path(__file__).parents[2] / "docs"
sys.path += [str(DOCS / "_ext"), str(DOCS / "pictures")]

import before_after  # noqa: E402


def test_every_way_has_its_runs_and_their_rows():
    runs, rows = before_after.record()["runs"], before_after.rows()
    assert set(rows) == {*runs, before_after.BASE}
    seeds = {way: len(before_after.of_way(runs, way)) for way in before_after.WAYS}
    assert seeds == {"sft": 1, "lora": 1, "dpo": 3, "grpo": 3, "dr-grpo": 1}
    for name, run in runs.items():
        assert rows[name]["trained"] == run["trained"], name
        assert f"--out {name}" in run["command"], name


def test_marks_are_those_of_the_evaluation():
    """Each ✓ of the page stands before an answer that is right, and before no other."""
    heads, *lines = before_after.answers()
    assert len(lines) == before_after.ASKED
    models = [before_after.BASE, *(f"{way}-1" for way in before_after.WAYS)]
    for i, (test, line) in enumerate(zip(load_chats("stories:chat:1").test, lines)):
        assert line[0].startswith(test[0]["content"].rpartition("\n")[2])
        for model, cell in zip(models, line[1:], strict=True):
            answer = before_after.rows()[model]["answers"][i]["answer"]
            assert cell.startswith("✓ ") == right(answer, test), (model, cell)


def test_a_mean_and_its_spread():
    assert before_after.with_spread([0.5, 0.6, 0.7], 1, 100) == "60.0\xa0±\xa010.0"
    assert before_after.curve({"x": {"100": 2.0, "20": 1.0}}, "x") == ((20, 100), (1.0, 2.0))


def test_the_comparison_says_what_the_page_tells():
    (found,) = before_after.worked().values()
    names = found["names"]
    base, ways = names["base"], names["ways"]
    start, kinds = names["start"], names["kinds"]
    for way, each in ways.items():
        assert each["exact_match"] > 0.5 > 0.1 > base["exact_match"], way
    assert ways["lora"]["exact_match"] < ways["sft"]["exact_match"] - 0.1
    # GRPO: drawn answers to what it was rewarded for, beyond the spread of its seeds
    gain = names["drawn"]["grpo"]["how many"] - start["drawn_by_kind"]["how many"]
    assert gain > 2 * (names["most"]["grpo"] - names["least"]["grpo"]) > 0
    assert abs(kinds["grpo"]["how many"] - kinds["sft"]["how many"]) < 0.06
    # DPO: the chosen gain on the rejected, and the answers get worse
    assert names["chosen"] > 0.9 and kinds["dpo"]["how many"] < 0.1
    assert ways["dpo"]["exact_match"] < start["exact_match"] - 0.05
    assert 0.4 < kinds["sft"]["how many"] < 0.6 and kinds["lora"]["how many"] < 0.2
    assert 2 * base["perplexity"] < ways["lora"]["perplexity"] < ways["sft"]["perplexity"] / 10
    assert names["course"][0] < 2 and names["course"][200] > 10
    assert ways["sft"]["perplexity"] > 200
    assert ways["sft"]["grammatical"] > 0.8
    assert min(names["kinds"]["sft"], key=names["kinds"]["sft"].get) == "how many"
    for run in before_after.runs("sft"):
        first, last = (before_after.curve(run, "validation_loss")[1][i] for i in (0, -1))
        assert last < first / 10
