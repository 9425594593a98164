"""Engine: whole characters, stop strings, several streams, a way to cancel."""

import threading

import pytest

import torchgpt
from npgpt.errors import InputError
from npgpt.generation import Engine, SamplingSettings, generate, generate_batch
from npgpt.generation.completion import Completion
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.text import BytePairTokenizer
from npgpt.training import init
from npgpt.tree import tree_map_with_path
from torchgpt import generation as torch_generation
from torchgpt.models import gpt2 as torch_gpt2

TEXT = "é→ü, „naïve“ 日本 … the cat and the dog\n" * 3
TOKENIZER = BytePairTokenizer.train(TEXT, 262)
CONFIG = gpt2.Config(TOKENIZER.vocab_size, 12, 2, 2, 8)
PARAMS = tree_map_with_path(lambda path, weight: (
    weight + 0.5 * normals(weight.shape, 1, 0, path)).astype("float32"), init(gpt2, CONFIG, 1))
HOT = {"temperature": 1.5, "max_new_tokens": 40}


def engine():
    return Engine(gpt2, PARAMS, CONFIG, TOKENIZER)


def torch_engine():
    return torch_generation.Engine(torch_gpt2, torchgpt.to_torch(PARAMS), CONFIG, TOKENIZER)


both = pytest.mark.parametrize("make", [engine, torch_engine], ids=["numpy", "torch"])


def written(prompt, seed=1):
    ids = list(generate(gpt2, PARAMS, CONFIG, TOKENIZER.encode(prompt), 40, 1.5, seed=seed))
    return ids, TOKENIZER.decode(ids)


@both
@pytest.mark.parametrize("prompt", ["the ", [3, 200, 7]])
def test_a_stream_is_the_text_of_the_drawn_tokens(make, prompt):
    text = prompt if isinstance(prompt, str) else TOKENIZER.decode(prompt)
    ids = TOKENIZER.encode(text) if isinstance(prompt, str) else prompt
    drawn = list(generate(gpt2, PARAMS, CONFIG, ids, 40, 1.5, seed=5))
    pieces = list(make().stream(prompt, SamplingSettings(seed=5, **HOT)))
    assert "".join(pieces) == TOKENIZER.decode(drawn)
    assert all(pieces) and len(pieces) > 5


def test_a_piece_holds_no_half_character():
    """Bytes that are no character yet wait for the rest of it."""
    ids = TOKENIZER.encode("→")
    assert len(ids) == 3                                # a byte each
    completion = Completion(TOKENIZER.encode("a"), TOKENIZER, SamplingSettings())
    assert [completion.push(id) for id in ids] == ["", "", "→"]
    assert [completion.push(ids[0]), completion.finish()] == ["", "\ufffd"]
    assert completion.text == "→\ufffd"


@both
def test_a_stop_string_ends_a_text_and_is_not_shown(make):
    _, text = written("the ")
    for start in (1, 6):                                # across pieces
        stop = text[start:start + 3]
        (completion,), pairs = make().complete(["the "], SamplingSettings(stop=(stop,), **HOT))
        pieces = [piece for _, piece in pairs]
        assert "".join(pieces) == completion.text == text[:text.index(stop)]
        assert completion.finish_reason == "stop"
        assert len(completion.ids) < 40


@both
def test_streams_of_different_length_are_each_as_alone(make):
    prompts = ["a", "the cat and the dog, the cat"]
    settings = SamplingSettings(**HOT)
    completions, pairs = make().complete(prompts, settings, log_probs=True)
    order = [completions.index(completion) for completion, _ in pairs]
    assert order[:4] == [0, 1, 0, 1]                    # in turns
    for row, (prompt, completion) in enumerate(zip(prompts, completions)):
        ids, text = written(prompt, seed=1 + row)
        assert (completion.ids, completion.text) == (ids, text)
        assert completion.finish_reason == "length"
    found = {0: [], 1: []}
    for row, _, log_prob in generate_batch(
            gpt2, PARAMS, CONFIG, [TOKENIZER.encode(prompt) for prompt in prompts], 40, 1.5):
        found[row].append(log_prob)
    for row, completion in enumerate(completions):
        assert completion.log_probs == pytest.approx(found[row], abs=1e-5)


@both
def test_one_stream_ends_and_the_other_goes_on(make):
    _, text = written("a")
    completions, pairs = make().complete(
        ["a", "the cat"], SamplingSettings(stop=(text[2:4],), **HOT))
    for _ in pairs:
        pass
    assert completions[0].finish_reason == "stop"
    other = written("the cat", seed=2)[1]
    expected = other.split(text[2:4])[0]
    assert completions[1].text == expected and len(completions[1].ids) > len(completions[0].ids)


@both
def test_another_thread_may_cancel(make):
    cancelled, pieces = threading.Event(), []
    for piece in make().stream("the ", SamplingSettings(temperature=1.5, max_new_tokens=300),
                               cancelled=cancelled):
        pieces.append(piece)
        if len(pieces) == 3:
            thread = threading.Thread(target=cancelled.set)
            thread.start()
            thread.join()
    assert 3 <= len(pieces) <= 4                        # what was held back may follow
    assert written("the ")[1].startswith("".join(pieces[:3]))


@both
def test_the_reason_of_one_that_is_cancelled(make):
    completions, pairs = make().complete(["a", "the "], SamplingSettings(**HOT))
    for count, _ in enumerate(pairs):
        if count == 3:
            completions[0].cancelled.set()
    assert [each.finish_reason for each in completions] == ["cancelled", "length"]
    assert len(completions[0].ids) < 5 and len(completions[1].ids) == 40
    assert completions[0].ids == written("a")[0][:len(completions[0].ids)]


@both
def test_without_a_tokenizer_ids_are_the_text(make):
    made = make()
    made.tokenizer = None
    ids, _ = written("a")
    pieces = list(made.stream(TOKENIZER.encode("a"), SamplingSettings(**HOT)))
    assert pieces == [f"{id} " for id in ids]
    with pytest.raises(InputError, match="give its ids"):
        made.stream("a")
    with pytest.raises(InputError, match="stop string"):
        made.complete([[1]], SamplingSettings(stop=("a",)))


def test_both_packages_write_one_text():
    settings = SamplingSettings(repetition_penalty=1.3, top_p=0.9, **HOT)
    one, two = ("".join(make().stream("the cat", settings)) for make in (engine, torch_engine))
    assert one == two != ""


@pytest.mark.parametrize(("given", "said"), [
    ({"max_new_tokens": -1}, "max_new_tokens is -1"), ({"seed": -1}, "seed is -1"),
    ({"temperature": -1.0}, "temperature"), ({"top_k": 0}, "top_k"), ({"top_p": 0.0}, "top_p"),
    ({"repetition_penalty": 0.0}, "repetition_penalty"), ({"stop": "ab"}, "a tuple of strings")])
def test_settings_without_a_meaning_are_refused(given, said):
    with pytest.raises(InputError, match=said):
        SamplingSettings(**given)


@both
@pytest.mark.parametrize(("prompts", "said"), [
    ([], "at least one"), ("abc", "a list of prompts"), ([""], "the prompt is empty"),
    ([[CONFIG.vocab_size]], "outside the vocabulary")])
def test_prompts_of_no_use_are_refused_at_once(make, prompts, said):
    with pytest.raises(InputError, match=said):
        make().complete(prompts)


def test_nothing_is_asked_for():
    (completion,), pairs = engine().complete(["a"], SamplingSettings(max_new_tokens=0))
    assert [piece for _, piece in pairs] == [""]
    assert completion.finish_reason == "length"
