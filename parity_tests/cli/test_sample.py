"""npgpt sample and torchgpt sample, as they are typed."""

import json

import numpy as np
import pytest

from npgpt.cli.main import main as npgpt_main
from npgpt.families.gpt2 import Config
from npgpt.generation import Engine, generate
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.speed.memory_order import PAYS_AFTER, by_longer_side
from npgpt.text import CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_map_with_path
from parity_tests.runs.run_checks import flags, refused
from torchgpt.cli.main import main as torchgpt_main

TEXT = "the cat, the dog.\n"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("commands") / "run"
    tokenizer = CharacterTokenizer.train([TEXT])
    config = Config(tokenizer.vocab_size, 16, 2, 2, 8, tied=False)
    params = tree_map_with_path(lambda name, weight: (
        weight + 0.5 * normals(weight.shape, 1, 0, name)).astype(np.float32), init(gpt2, config, 1))
    save_checkpoint(path, config, params, tokenizer)
    return path

both = pytest.mark.parametrize("main", [npgpt_main, torchgpt_main], ids=["npgpt", "torchgpt"])


def alone(path, prompt, count, seed, **how):
    found = load_checkpoint(path)
    ids = list(generate(gpt2, found.params, found.config, found.tokenizer.encode(prompt), count,
                        seed=seed, **how))
    return ids, found.tokenizer.decode(ids)


@both
def test_one_prompt_is_printed_with_what_follows(run, main, checkpoint):
    status, out, _ = run(main, "sample", checkpoint, "--prompt", "the ", "--tokens", 30)
    assert (status, out) == (0, "the " + alone(checkpoint, "the ", 30, 1)[1] + "\n")


def test_a_long_text_of_a_large_model_is_written_from_turned_weights(
        run, checkpoint, monkeypatch):
    turned, read = [], []

    def turn(params):
        turned.append(by_longer_side(params))
        return turned[0]

    def watched(model, params, *given, **more):
        read.append(params)
        return generate(model, params, *given, **more)

    monkeypatch.setattr("npgpt.generation.engine.by_longer_side", turn)
    monkeypatch.setattr("npgpt.generation.engine.blas_threads", lambda config: None)
    monkeypatch.setitem(Engine.__init__.__kwdefaults__, "generate", watched)
    for tokens in (PAYS_AFTER - 1, PAYS_AFTER):
        assert not turned
        line = ["sample", checkpoint, "--prompt", "the ", "--tokens", tokens]
        assert run(npgpt_main, *line) == (
            0, "the " + alone(checkpoint, "the ", tokens, 1)[1] + "\n", "")
    weight = turned[0]["blocks"][0]["feed_forward"]["down"]["weight"]
    assert weight.flags.f_contiguous and not weight.flags.c_contiguous
    assert read[-1] is turned[0]
    several = ["--prompt", "the ", "--prompt", "a dog", "--tokens", PAYS_AFTER]
    assert run(npgpt_main, "sample", checkpoint, *several)[0] == 0
    assert len(turned) == 1


@both
def test_a_prompt_longer_than_the_context_says_what_is_not_read(run, main, checkpoint):
    """The last 16 of its characters count, the ones before do not."""
    end = "the cat, the dog"
    line = ["--tokens", 9, "--temperature", 1.5]
    status, out, err = run(main, "sample", checkpoint, "--prompt", end, *line)
    assert (status, err) == (0, "")
    for start, said in (("t", "17 tokens and the context 16: the first one is not read"),
                        ("do ", "19 tokens and the context 16: the first 3 are not read")):
        status, longer, err = run(main, "sample", checkpoint, "--prompt", start + end, *line)
        assert (status, longer) == (0, start + out)
        assert err == f"note: the prompt has {said}\n"
    status, _, err = run(main, "sample", checkpoint, "--prompt", "the", "--prompt",
                         "a" + end, "--json", *line)
    assert status == 0 and err.count("note: ") == 1


@both
def test_several_prompts_stand_in_their_order(run, main, checkpoint):
    line = ["sample", checkpoint, "--prompt", "the ", "--prompt", "a dog", "--tokens", 30]
    texts = [alone(checkpoint, prompt, 30, seed)[1]
             for prompt, seed in (("the ", 1), ("a dog", 2))]
    status, out, _ = run(main, *line)
    assert status == 0
    assert out == f"── 1 ──\nthe {texts[0]}\n── 2 ──\na dog{texts[1]}\n"
    found = json.loads(run(main, *line, "--json")[1])
    assert [each["text"] for each in found["samples"]] == texts
    assert [each["stopped"] for each in found["samples"]] == [False, False]


@both
def test_stop_strings_end_each_text_alone(run, main, checkpoint):
    texts = [alone(checkpoint, prompt, 60, seed)[1]
             for prompt, seed in (("the ", 1), ("a dog", 2))]
    stop = texts[0][20:22]                               # two letters: across tokens
    cut = [text.split(stop)[0] for text in texts]
    line = ["sample", checkpoint, "--prompt", "the ", "--prompt", "a dog", "--tokens", 60,
            "--stop", stop]
    status, out, _ = run(main, *line)
    assert (status, out) == (0, f"── 1 ──\nthe {cut[0]}\n── 2 ──\na dog{cut[1]}\n")
    found = json.loads(run(main, *line, "--json")[1])["samples"]
    assert [each["text"] for each in found] == cut
    assert [each["stopped"] for each in found] == [stop in text for text in texts]
    single = run(main, "sample", checkpoint, "--prompt", "the ", "--tokens", 60, "--stop", stop)
    assert single[1] == f"the {cut[0]}\n"


@both
@pytest.mark.parametrize("how", [
    {"temperature": 2.5}, {"temperature": 2.5, "top_k": 3}, {"temperature": 2.5, "top_p": 0.5}])
def test_what_is_asked_of_the_draw_reaches_it(run, main, checkpoint, how):
    words = [word for name, value in how.items() for word in (f"--{name.replace('_', '-')}", value)]
    line = ["sample", checkpoint, "--prompt", "the ", "--tokens", 40]
    ids, text = alone(checkpoint, "the ", 40, 1, **how)
    for name in how:                                     # each of them matters here
        without = {other: value for other, value in how.items() if other != name}
        assert ids != alone(checkpoint, "the ", 40, 1, **without)[0]
    assert run(main, *line, *words)[:2] == (0, f"the {text}\n")
    assert json.loads(run(main, *line, *words, "--json")[1])["ids"] == ids


@both
def test_a_penalty_bends_plain_text_as_it_bends_json(run, main, checkpoint):
    line = ["sample", checkpoint, "--prompt", "the ", "--tokens", 40, "--repetition-penalty", 3]
    text = json.loads(run(main, *line, "--json")[1])["text"]
    assert text != alone(checkpoint, "the ", 40, 1)[1]
    assert run(main, *line)[:2] == (0, f"the {text}\n")


def test_streamed_objects_make_up_the_text(run, checkpoint):
    line = ["sample", checkpoint, "--prompt", "the ", "--prompt", "a", "--tokens", 9, "--json"]
    *tokens, last = map(json.loads, run(npgpt_main, *line, "--stream")[1].splitlines())
    assert last == json.loads(run(npgpt_main, *line)[1])
    assert len(tokens) == 18
    for row, sample in enumerate(last["samples"]):
        own = [token for token in tokens if token["row"] == row]
        assert [token["id"] for token in own] == sample["ids"]
        assert [token["log_prob"] for token in own] == sample["log_probs"]
        assert "".join(token["text"] for token in own) == sample["text"]


def test_log_probabilities_are_listed_a_line_a_token(run, checkpoint):
    line = ["sample", checkpoint, "--prompt", "the", "--tokens", 6]
    found = json.loads(run(npgpt_main, *line, "--json")[1])
    prompt, *lines = run(npgpt_main, *line, "--logprobs")[1].splitlines()
    assert prompt == "the"
    assert len(lines) == 6
    for line, id, log_prob in zip(lines, found["ids"], found["log_probs"]):
        assert line.split()[:2] == [f"{log_prob:.4f}", str(id)]


def test_a_penalty_changes_what_is_drawn_as_the_library_says(run, checkpoint):
    line = ["sample", checkpoint, "--prompt", "the ", "--tokens", 40, "--json"]
    plain = json.loads(run(npgpt_main, *line)[1])
    bent = json.loads(run(npgpt_main, *line, "--repetition-penalty", 3)[1])
    assert plain["ids"] != bent["ids"]
    assert len(set(bent["ids"])) > len(set(plain["ids"]))
    assert bent["ids"] == json.loads(run(torchgpt_main, *line, "--repetition-penalty", 3)[1])["ids"]


@pytest.mark.usefixtures("no_pictures")
def test_samples_of_both_halves_are_the_same(npgpt, torchgpt, tmp_path, corpus):
    out = tmp_path / "run"
    npgpt("train", *flags(corpus=corpus), "--out", out)
    line = ["sample", out, "--prompt", "the ", "--tokens", 40, "--top-k", 9, "--seed", 3]
    status, text, _ = npgpt(*line)
    assert status == 0 and text.startswith("the ") and len(text) == 45
    assert torchgpt(*line, "--device", "cpu")[1] == text
    found = json.loads(npgpt(*line, "--json")[1])
    assert found["prompt"] + found["text"] + "\n" == text
    assert len(found["ids"]) == len(found["log_probs"]) == 40
    stop = found["text"][10:12]
    _, short, _ = npgpt(*line, "--stop", stop)
    assert short == "the " + found["text"][:found["text"].index(stop)] + "\n"
    assert npgpt("sample", out / "best", "--ids", "1,2", "--tokens", 3)[0] == 0


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
@pytest.mark.parametrize(("arguments", "words"), [
    (["--prompt", "Zürich"], ["'Z'", "'ü'"]),
    (["--prompt", ""], ["prompt is empty"]),
    (["--ids", "1,2,99"], ["id 99 is out of range"]),
    (["--ids", "-1"], ["id -1 is out of range"]),
    (["--ids", "one"], ["--ids is 'one'"]),
    (["--ids", "1", "--prompt", "a"], ["not both"]),
    (["--tokens", "-5"], ["tokens is -5"]),
    (["--temperature", "-1"], ["temperature is -1"]),
    (["--temperature", "nan"], ["temperature is nan"]),
    (["--top-k", "0"], ["top_k is 0"]),
    (["--top-p", "0"], ["top_p is 0"]),
    (["--seed", "-1"], ["seed is -1"]),
])
def test_a_sample_that_cannot_be(request, trained, command, arguments, words):
    more = ["--device", "cpu"] if command == "torchgpt" else []
    refused(request.getfixturevalue(command)("sample", trained, *arguments, *more), *words)
