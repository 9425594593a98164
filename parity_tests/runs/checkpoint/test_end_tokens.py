"""`sample` ends a text where `transformers` does: at the model's end token."""

import json

import numpy as np
import pytest
import torch

from npgpt.cli.main import main as npgpt_main
from npgpt.errors import InputError
from npgpt.families import gpt2 as family
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.runs.checkpoint.end_tokens import end_ids
from npgpt.text import BytePairTokenizer, CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_map_with_path
from torchgpt.cli.main import main as torchgpt_main

transformers = pytest.importorskip("transformers")
END = "<|endoftext|>"
TOKENIZER = BytePairTokenizer.train("a boat, a bird and a bell; " * 9, 262)
CONFIG = gpt2.Config(TOKENIZER.vocab_size, 32, 2, 2, 16, tied=False)
both = pytest.mark.parametrize("main", [npgpt_main, torchgpt_main], ids=["npgpt", "torchgpt"])


@pytest.fixture
def run_dir(tmp_path):
    """A model that soon repeats itself, in tokens and not in one."""
    params = tree_map_with_path(lambda path, weight: (
        weight + 0.3 * normals(weight.shape, 6, 0, path)).astype(np.float32), init(gpt2, CONFIG, 6))
    save_checkpoint(tmp_path / "run", CONFIG, params, TOKENIZER)
    return tmp_path / "run"


def edit(file, **fields):
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def theirs(path, start, count):
    model = transformers.GPT2LMHeadModel.from_pretrained(path).eval()
    with torch.no_grad():
        found = model.generate(torch.tensor([start]), attention_mask=torch.ones(1, len(start)),
                               max_new_tokens=count, do_sample=False, pad_token_id=0)
    return found[0, len(start):].tolist()


@both
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("where", ["config.json", "generation_config.json"])
def test_a_text_ends_with_the_token_that_ends_it_in_transformers(
        run_dir, main, capsys, where, several):
    edit(run_dir / "config.json", eos_token_id=None)
    start = TOKENIZER.encode("a bo")
    line = ["sample", str(run_dir), "--ids", ",".join(map(str, start)), "--tokens", "20",
            "--temperature", "0"]
    assert main([*line, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert len(whole["ids"]) == 20 and whole["finish_reason"] == "length"
    last = max(range(20), key=lambda i: whole["ids"].index(whole["ids"][i]))
    end = whole["ids"][last]
    place = whole["ids"].index(end)
    assert 2 < place < 19
    if where == "generation_config.json":  # which counts, if it is there
        edit(run_dir / "config.json", eos_token_id=whole["ids"][1])
        (run_dir / where).write_text("{}")
    edit(run_dir / where, eos_token_id=[end, CONFIG.vocab_size - 1] if several else end)
    assert main([*line, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["ids"] == whole["ids"][:place + 1] == theirs(run_dir, start, 20)
    assert found["finish_reason"] == "stop" and found["stopped"] is True
    assert found["text"] == TOKENIZER.decode(whole["ids"][:place])     # without the end token
    assert err == f"note: the text ends with the model's end token, {TOKENIZER.decode([end])!r}\n"
    assert main(line) == 0
    out, err = capsys.readouterr()
    assert out == "a bo" + found["text"] + "\n" and "note: the text ends" in err


def test_each_of_several_texts_ends_alone(run_dir, capsys):
    line = ["sample", str(run_dir), "--prompt", "a bo", "--prompt", "a bird", "--tokens", "20",
            "--temperature", "0", "--json"]
    edit(run_dir / "config.json", eos_token_id=None)
    assert npgpt_main(line) == 0
    first, second = (each["ids"] for each in json.loads(capsys.readouterr().out)["samples"])
    end = next(id for id in first if id not in second)
    edit(run_dir / "config.json", eos_token_id=end)
    assert npgpt_main(line) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)["samples"]
    assert [each["finish_reason"] for each in found] == ["stop", "length"]
    assert found[0]["ids"] == first[:first.index(end) + 1] and found[1]["ids"] == second
    assert err.startswith("note: text 1 ends with the model's end token")


def test_a_run_s_own_end_token_is_written_where_transformers_looks(run_dir, tmp_path):
    end = TOKENIZER.special_ids[END]
    assert end_ids(run_dir, CONFIG, family) == (end,)
    model = transformers.GPT2LMHeadModel.from_pretrained(run_dir)
    assert model.generation_config.eos_token_id == end
    letters = CharacterTokenizer.train(["a boat"])
    config = gpt2.Config(letters.vocab_size, 8, 1, 1, 4)
    save_checkpoint(tmp_path / "letters", config, init(gpt2, config), letters)
    assert end_ids(tmp_path / "letters", config, family) == ()
    save_checkpoint(tmp_path / "none", config, init(gpt2, config))
    assert end_ids(tmp_path / "none", config, family) == ()


def test_what_a_file_leaves_out_is_gpt2_s_own_end_token(run_dir):
    fields = json.loads((run_dir / "config.json").read_text())
    del fields["eos_token_id"]
    (run_dir / "config.json").write_text(json.dumps(fields))
    large = gpt2.Config(50257, 8, 1, 1, 4)
    assert end_ids(run_dir, large, family) == (transformers.GPT2Config().eos_token_id,)
    assert end_ids(run_dir, CONFIG, family) == ()       # there is no such row
    (run_dir / "generation_config.json").write_text("{}")
    assert end_ids(run_dir, large, family) == ()


@pytest.mark.parametrize("wrong", ["50256", 1.5, [1, None], True])
def test_an_end_token_that_is_no_number_is_refused(run_dir, wrong):
    edit(run_dir / "config.json", eos_token_id=wrong)
    with pytest.raises(InputError, match=r"config\.json: eos_token_id is"):
        end_ids(run_dir, CONFIG, family)


@both
def test_special_tokens_in_a_prompt_are_text_unless_allowed(run_dir, main, capsys):
    line = ["sample", str(run_dir), "--prompt", f"a{END}b", "--tokens", "1", "--json"]
    assert main(line) == 0
    text = json.loads(capsys.readouterr().out)
    assert TOKENIZER.special_ids[END] not in text["prompt_ids"]
    assert text["prompt"] == f"a{END}b"
    assert main([*line, "--allow-special", END]) == 0
    special = json.loads(capsys.readouterr().out)
    a, b = TOKENIZER.encode("a"), TOKENIZER.encode("b")
    assert special["prompt_ids"] == [*a, TOKENIZER.special_ids[END], *b]
    assert main([*line, "--allow-special", "<x>"]) == 2
    assert "unknown special token '<x>'" in capsys.readouterr().err
    assert load_checkpoint(run_dir).tokenizer.special_ids == TOKENIZER.special_ids
