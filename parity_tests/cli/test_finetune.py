"""finetune, prepare-chat and evaluate, as a user runs them."""

import json
import signal

import pytest

from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.runs.log import read_log
from npgpt.text import CharacterTokenizer
from npgpt.training import init
from parity_tests.runs.run_checks import log_of, python, refused, same_bits

pytestmark = pytest.mark.usefixtures("no_pictures")
BOTH = [("npgpt", ()), ("torchgpt", ("--device", "cpu"))]
ALL = [*BOTH, ("npgpt", ("--compile",)), ("npgpt", ("--pack", "--accumulate", 2)),
       ("torchgpt", ("--device", "cpu", "--by-hand", "--pack"))]
LINE = ("--steps", 6, "--batch-size", 4, "--evaluate-every", 3, "--save-every", 2,
        "--sample-every", 2, "--learning-rate", 0.01)


def chat(question, answer):
    return {"messages": [{"role": "user", "content": question},
                         {"role": "assistant", "content": answer}]}


@pytest.fixture
def chats(tmp_path):
    """A file of conversations, two lines of which cannot be learned from."""
    lines = [chat(f"Say {'ab'[n % 2]}{n}", "ab"[n % 2] * (1 + n % 3)) for n in range(40)]
    lines += [{"messages": []}, chat("Say a " * 40, "a")]
    file = tmp_path / "chats.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


@pytest.fixture
def base(tmp_path):
    """A model that was trained on nothing, with a token that ends texts."""
    tokenizer = CharacterTokenizer.train(
        ["Q: Say ab0123456789\nA:"], special_tokens=["<|endoftext|>"])
    config = gpt2.Config(tokenizer.vocab_size, 64, 1, 2, 8)
    save_checkpoint(tmp_path / "base", config, init(gpt2, config, 5), tokenizer)
    return tmp_path / "base"


@pytest.mark.parametrize(("command", "more"), [
    BOTH[0], pytest.param(*BOTH[1], marks=pytest.mark.acceptance)], ids=["numpy", "torch"])
def test_a_model_learns_answers(request, tmp_path, base, chats, command, more):
    run, out = request.getfixturevalue(command), tmp_path / "run"
    status, said, err = run("finetune", base, "--data", chats, *LINE, *more, "--out", out)
    assert status == 0, err
    assert "the default one, for the model has none" in err
    assert "what it forgets is not measured" in err
    assert "1 left out: without a list of messages" in err
    assert "1 left out: longer than the context of 64 tokens" in err
    assert f"{command} chat {out}" in said
    log = read_log(out)
    losses = [line["validation_loss"] for line in log if "validation_loss" in line]
    assert losses[-1] < losses[0]
    assert all(line["seconds"] > 0 for line in log if "train_loss" in line)
    assert [line["step"] for line in log if line.get("memory_mb", 0) > 10] == [2, 4, 6]
    samples = [line["samples"] for line in log if "samples" in line]
    assert len(samples) == 4 and set(samples[0]["1"]) == {"question", "answer", "right"}
    about = json.loads((out / "run.json").read_text())
    tuning = {"method": "full", "pack": False, "longest": 0, "sample_every": 2}
    assert {name: about["finetune"][name] for name in tuning} == tuning
    data = about["data"]
    lengths = [len(each["messages"][1]["content"]) for each in
               map(json.loads, chats.read_text().splitlines()[:40])]
    assert data["conversations"] + data["validation_conversations"] == 40
    assert 0 < data["answer_tokens"] <= sum(lengths) * 2 + 40
    assert (out / "chat_template.jinja").exists()
    assert (out / "best" / "chat_template.jinja").exists()
    status, said, err = run("chat", out, "--prompt", "Say a2", "--tokens", 5, "--json")
    assert status == 0 and json.loads(said)["question"] == "Say a2"


@pytest.mark.acceptance
def test_both_packages_take_the_same_steps(tmp_path, base, chats, npgpt, torchgpt):
    logs = []
    for run, more in ((npgpt, ()), (torchgpt, ("--device", "cpu")),
                      (torchgpt, ("--device", "cpu", "--by-hand")), (npgpt, ("--compile",))):
        out = tmp_path / f"run-{len(logs)}"
        assert run("finetune", base, "--data", chats, *LINE, *more, "--out", out)[0] == 0
        logs.append([line["train_loss"] for line in read_log(out) if "train_loss" in line])
    for losses in logs[1:]:
        assert losses == pytest.approx(logs[0], abs=1e-4)


@pytest.mark.acceptance
@pytest.mark.parametrize(("command", "more"), ALL)
def test_ctrl_c_and_resume_give_the_same_bits(
        request, tmp_path, base, chats, monkeypatch, command, more):
    run = request.getfixturevalue(command)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    line = ["finetune", base, "--data", chats, *LINE, "--dropout", 0.1, *more]
    assert run(*line, "--out", whole)[0] == 0
    from npgpt.runs import train

    loop = train.loop

    def pressed(*arguments, log, **others):
        def after_the_step(step, *values):
            if step == 3:
                signal.raise_signal(signal.SIGINT)
            log(step, *values)

        return loop(*arguments, log=after_the_step, **others)

    monkeypatch.setattr(train, "loop", pressed)
    status, _, err = run(*line, "--out", stopped)
    assert status == 130
    assert f"{command} finetune --out {stopped} --resume" in err
    monkeypatch.setattr(train, "loop", loop)
    device = ["--device", "cpu"] if command == "torchgpt" else []
    status, _, err = run("finetune", "--out", stopped, "--resume", *device)
    assert status == 0, err
    assert same_bits(whole, stopped) and same_bits(whole / "best", stopped / "best")
    assert log_of(whole) == log_of(stopped)


@pytest.mark.acceptance
@pytest.mark.parametrize("place", ["write_weights", "write_training", "check_files"])
def test_killed_while_it_saves(tmp_path, base, chats, npgpt, place):
    """kill −9 within the second save: the next process goes on from the first."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    line = ["finetune", base, "--data", chats, *LINE]
    assert npgpt(*line, "--out", whole)[0] == 0
    code = KILL.format(module="npgpt.runs.train" if place == "check_files" else
                       "npgpt.runs.checkpoint.save_and_load", place=place)
    assert python(code, *map(str, line), "--out", str(killed)).returncode == -signal.SIGKILL
    assert npgpt("finetune", "--out", killed, "--resume")[0] == 0
    assert same_bits(whole, killed)
    assert log_of(whole) == log_of(killed)


KILL = """
import importlib, os, signal, sys
from npgpt.cli.main import main
module = importlib.import_module("{module}")
real, calls = module.{place}, []
def dies(*arguments, **more):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **more)
module.{place} = dies
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.acceptance
def test_begun_in_one_package_and_ended_in_the_other(tmp_path, base, chats, npgpt, torchgpt):
    out = tmp_path / "run"
    line = ["--data", chats, *LINE, "--out", out]
    assert npgpt("finetune", base, *line)[0] == 0
    status, _, err = torchgpt("finetune", "--out", out, "--resume", "--steps", 9,
                              "--device", "cpu")
    assert status == 0, err
    assert load_checkpoint(out).training["step"] == 9


@pytest.mark.parametrize(("words", "error"), [
    (["--data", "{chats}", "--method", "lots"], "method is 'lots'"),
    (["--data", "stories:chat:none"], "is not a number of conversations"),
    (["--data", "{base}/config.json"], "give stories:chat"),
    (["--data", "{empty}"], "has no conversation to learn from: 2 without an answer"),
    (["--data", "{chats}", "--longest", "8"], "a larger --context-length"),
    (["--data", "{chats}", "--sample-every", "-1"], "sample_every is -1"),
    (["--resume", "--out", "{base}"], "it is a model, not a run"),
    (["--resume"], "--resume needs --out"),
])
def test_it_refuses(tmp_path, base, chats, npgpt, words, error):
    empty = tmp_path / "empty.jsonl"
    empty.write_text(2 * '{"messages": [{"role": "user", "content": "Why?"}]}\n')
    words = [word.format(chats=chats, base=base, empty=empty) for word in words]
    model = [] if "--resume" in words else [base, "--out", tmp_path / "run"]
    refused(npgpt("finetune", *model, *words), error)
    assert not (tmp_path / "run").exists()


def test_a_model_without_an_end_token_is_refused(tmp_path, chats, npgpt):
    tokenizer = CharacterTokenizer.train(["Q: Say ab0123456789\nA:"])
    config = gpt2.Config(tokenizer.vocab_size, 64, 1, 2, 8)
    save_checkpoint(tmp_path / "base", config, init(gpt2, config, 5), tokenizer)
    refused(npgpt("finetune", tmp_path / "base", "--data", chats, "--out", tmp_path / "run"),
            "no token that could end an answer")


@pytest.mark.acceptance
def test_each_run_is_continued_by_the_command_that_began_it(
        tmp_path, base, chats, npgpt, torchgpt, trained):
    out = tmp_path / "run"
    assert npgpt("finetune", base, "--data", chats, *LINE, "--out", out)[0] == 0
    refused(npgpt("train", "--out", out, "--resume"), "go on with npgpt finetune")
    refused(npgpt("finetune", "--out", trained, "--resume"), "go on with npgpt train")
    for more in (["--method", "full"], ["--data", chats], ["--pack"]):
        refused(npgpt("finetune", "--out", out, "--resume", *more),
                "cannot be given with --resume")
    refused(torchgpt("finetune", base, "--data", chats, "--pack", "--device", "cpu", "--out",
                     tmp_path / "other"), "packed rows need the hand-written functions")
    chats.write_text(chats.read_text().replace("Say a", "Say b"))
    refused(npgpt("finetune", "--out", out, "--resume", "--steps", 9),
            "restore them, or start a new run")


@pytest.mark.parametrize(("out", "said"), [
    ("chats.jsonl", "is a file; give a new directory"),
    ("chats.jsonl/deep/er", "chats.jsonl is a file; give a new directory"),
    ("base", "holds other files: choose another --out")])
def test_nothing_is_prepared_over_what_is_there(tmp_path, base, chats, npgpt, out, said):
    def files():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = files()
    refused(npgpt("prepare-chat", chats, "--model", base, "--out", tmp_path / out), said)
    assert files() == before


def test_conversations_are_prepared_in_a_directory_that_is_made(tmp_path, base, chats, npgpt):
    out = tmp_path / "new" / "prepared"
    assert npgpt("prepare-chat", chats, "--model", base, "--out", out)[0] == 0
    assert (out / "train.jsonl").exists()


@pytest.mark.acceptance
def test_conversations_are_prepared_and_models_compared(
        tmp_path, base, chats, npgpt, monkeypatch):
    out = tmp_path / "prepared"
    status, said, err = npgpt("prepare-chat", chats, "--model", base, "--out", out)
    assert status == 0, err
    assert "next: npgpt finetune" in said and "--method lora" not in said
    monkeypatch.setattr("npgpt.cli.prepare_chat.LARGE", 1000)
    said = npgpt("prepare-chat", chats, "--model", base, "--out", tmp_path / "large")[1]
    assert said.endswith("--method lora\n")
    page = (out / "examples.html").read_text()
    assert page.count("<h2>") == 10
    assert "<b>&lt;|endoftext|&gt;</b>" in page and "<span>Q</span>" in page
    report = json.loads((out / "report.json").read_text())
    assert report["dropped"]["without a list of messages"] == 1
    run = tmp_path / "run"
    assert npgpt("finetune", base, "--data", out / "train.jsonl", *LINE, "--out", run)[0] == 0
    status, said, err = npgpt("evaluate", base, run, "--data", chats, "--json")
    assert status == 0, err
    before, after = json.loads(said)["rows"]
    assert before["trained"] == 0 and after["trained"] == after["parameters"] > 0
    assert after["answer_loss"] < before["answer_loss"]
    assert before["perplexity"] is None
    status, said, err = npgpt("evaluate", base, run, "--data", chats, "--questions", 2)
    assert status == 0 and "exact match" in said
