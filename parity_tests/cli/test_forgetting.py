"""What a fine-tuning run says of the text that its base was trained on."""

import json
import math

import pytest

from npgpt.runs.forgetting import old_corpus, windows_of
from npgpt.runs.log import read_log
from npgpt.text import load_tokenizer
from parity_tests.runs.run_checks import log_of

pytestmark = pytest.mark.usefixtures("no_pictures")
LINE = ("--steps", 4, "--batch-size", 2, "--evaluate-every", 2, "--sample-every", 0)
TRAIN = ("--context-length", 32, "--layers", 1, "--heads", 2, "--channels", 8, "--steps", 2,
         "--batch-size", 2, "--end-of-text")


@pytest.fixture
def there(tmp_path, npgpt):
    """A base that has a text of its own, and conversations."""
    (tmp_path / "old.txt").write_text("".join(
        f"Q: had Al {n} balls?\nA: {n + 1}<|endoftext|>" for n in range(200)))
    chats = [{"messages": [{"role": "user", "content": f"a {n}"},
                           {"role": "assistant", "content": "ball"}]} for n in range(20)]
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(each) + "\n" for each in chats))
    base = tmp_path / "base"
    assert npgpt("train", "--corpus", tmp_path / "old.txt", *TRAIN, "--out", base)[0] == 0
    return tmp_path


def finetune(npgpt, there, start, out, *more):
    status, _, err = npgpt("finetune", there / start, "--data", there / "chats.jsonl", *LINE,
                           *more, "--out", there / out)
    assert status == 0, err
    return err, {line["step"]: line["old_loss"] for line in read_log(there / out)
                 if "old_loss" in line}


def perplexities(npgpt, there, *names):
    """As `evaluate` finds them, of the models as they are on the disk."""
    rows = json.loads(npgpt("evaluate", *[there / name for name in names], "--data",
                            there / "chats.jsonl", "--json")[1])["rows"]
    return [row["perplexity"] for row in rows]


def test_the_loss_on_the_old_text_is_that_of_the_model_as_it_is(there, npgpt):
    err, losses = finetune(npgpt, there, "base", "chat", "--learning-rate", 0.05)
    assert "perplexity on the old text" in err and list(losses) == [0, 2, 4]
    before, after = perplexities(npgpt, there, "base", "chat")
    assert math.exp(losses[0]) == pytest.approx(before, rel=1e-6)
    assert math.exp(losses[4]) == pytest.approx(after, rel=1e-6)
    assert abs(losses[4] - losses[0]) > 1e-3
    # an adapter on the tuned model: of the text that the base's base was trained on
    _, again = finetune(npgpt, there, "chat", "mine", "--method", "lora", "--rank", 2,
                        "--learning-rate", 0.05)
    assert again[0] == pytest.approx(losses[4], rel=1e-6) and again[4] != again[0]


def test_a_run_that_goes_on_says_the_same(there, npgpt):
    _, whole = finetune(npgpt, there, "base", "whole")
    finetune(npgpt, there, "base", "part", "--steps", 2, "--decay-steps", 4)
    status, _, err = npgpt("finetune", "--resume", "--out", there / "part", "--steps", 4)
    assert status == 0, err
    _, straight = finetune(npgpt, there, "base", "straight", "--decay-steps", 4)
    part = {line["step"]: line["old_loss"] for line in read_log(there / "part")
            if "old_loss" in line}
    assert part == straight and list(whole) == list(part)
    assert log_of(there / "part") == log_of(there / "straight")


def test_where_the_text_is_gone_the_run_says_so(there, npgpt):
    (there / "old.txt").rename(there / "elsewhere.txt")
    err, losses = finetune(npgpt, there, "base", "chat")
    assert not losses and "what the model forgets is not measured: " in err


def test_the_windows_are_of_the_validation_part(there, npgpt):
    corpus = old_corpus(there / "base")
    tokenizer = load_tokenizer(there / "base" / "tokenizer.json")
    windows = windows_of(corpus, tokenizer, 32)
    assert corpus.end_of_text and {inputs.shape[1] for inputs, _ in windows} == {32}
    assert old_corpus(there) is None
