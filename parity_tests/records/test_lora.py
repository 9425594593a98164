"""The records of LoRA on SmolLM2 hold what the pages say of them."""

import json
from pathlib import Path

import pytest

RECORDS = Path(__file__).parents[2] / "docs" / "records"


def record(name):
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))


def test_a_step_keeps_to_what_is_wanted():
    """Time and memory beside peft's, and the losses of twenty steps within float32's budget."""
    found = record("lora-zen5-avx2")
    *ours, theirs = found["contenders"]
    assert found["data"] == "stories:chat:500" and theirs == "transformers + peft"
    assert (found["batch_size"], found["tokens"], found["rank"], found["targets"]) == (
        4, 256, 8, ["q", "v"])
    assert all(len(losses) == 20 for losses in found["losses"].values())
    for name in ours:
        apart = [abs(a - b) for a, b in zip(found["losses"][name], found["losses"][theirs])]
        assert max(apart) == found["loss_difference"][name] <= found["loss_budget"]
        assert found["contenders"][name]["of_peft"]["median"] <= found["wanted"]["of_peft"]
        assert found["peak_mb"][name] <= found["wanted"]["memory"] * found["peak_mb"][theirs]


def test_what_it_learned():
    """The share of right answers is that of the kinds, each by its number of questions."""
    from npgpt.text.corpora.chats import load_chats

    found = record("smollm2_lora")
    kinds = load_chats("stories:chat:1").kinds[:found["questions"]]
    for when in ("before", "after"):
        row = found[when]
        assert row["exact_match"] == pytest.approx(
            sum(row["by_kind"][kind] for kind in kinds) / len(kinds))
    assert found["after"]["exact_match"] > 0.5 > found["before"]["exact_match"]
    curve = found["training"]["train_loss"]
    assert len(curve) * found["mean_of"] == found["training"]["steps"]
