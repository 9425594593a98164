"""The engine, token by token: a model whose tokens are known beforehand shows
where each piece, each end and each pass through the model must lie."""

import threading
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.checking.edges import entered
from npgpt.families.gpt2 import Config
from npgpt.generation import SamplingSettings
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.speed import blas_threads
from npgpt.text import BytePairTokenizer, CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_map_with_path
from parity_tests.generation.test_generate_stops import ended
from parity_tests.suite import BOTH, in_both

LETTERS = CharacterTokenizer.train(["abcd,e\n"])
BYTES = BytePairTokenizer.train("a", 257)
CONFIG = Config(LETTERS.vocab_size, 12, 2, 2, 8)


def opinionated():
    """Weights large enough to have opinions, in float64."""
    return tree_map_with_path(
        lambda name, weight: weight + 0.4 * normals(weight.shape, 3, 0, name),
        init(gpt2, CONFIG, 1, np.float64))


PARAMS = opinionated()


def writer(package, params=PARAMS, tokenizer=LETTERS):
    return package.find("Engine")(
        package.find("models.gpt2"), entered(package, params), CONFIG, tokenizer)


class Follower:
    """A model without a cache: the likeliest token is the one that follows the
    last in a round of ids. `after`: called with the ids of each pass."""

    def __init__(self, ids, after=lambda ids: None):
        self.config = SimpleNamespace(vocab_size=257, context_length=None)
        weight = np.zeros((257, 257))
        weight[ids, [*ids[1:], ids[0]]] = 1
        self.params, self.after = {"next": {"weight": weight}}, after

    @staticmethod
    def cache_shapes(config, B):
        return None

    def forward(self, params, ids, config, *, mask=None, positions=None,
                dropout_masks=None, cache=None):
        assert cache is None
        self.after(ids)
        return params["next"]["weight"][ids], None


def follow(package, model, tokenizer=BYTES):
    return package.find("Engine")(
        model, entered(package, model.params), model.config, tokenizer)


def asked(count=100, stop=(), **more):
    return SamplingSettings(count, temperature=0, stop=stop, **more)


def one(pairs, completions):
    """The only completion, written to its end, and its pieces."""
    (completion,) = completions
    return completion, [piece for _, piece in pairs]


def written(engine, prompt, settings, **more):
    completions, pairs = engine.complete([prompt], settings, **more)
    return one(pairs, completions)


# whole characters


@in_both
def test_no_piece_holds_half_a_character(package):
    text = "aé→𝄞b"
    engine = follow(package, Follower(BYTES.encode(text)))
    completion, pieces = written(engine, "a", asked(len(BYTES.encode(text)) - 1))
    assert pieces == ["", "é", "", "", "→", "", "", "", "𝄞", "b", ""]
    assert (completion.text, completion.finish_reason) == ("é→𝄞b", "length")
    assert [*engine.stream("a", asked(10))] == ["é", "→", "𝄞", "b"]


@in_both
def test_a_text_that_ends_within_a_character_shows_it_as_decode_does(package):
    ids = BYTES.encode("aé→𝄞b")
    for count in range(len(ids)):
        completion, pieces = written(follow(package, Follower(ids)), "a", asked(count))
        assert completion.ids == ids[1:count + 1]
        assert completion.text == "".join(pieces) == BYTES.decode(completion.ids)
        assert completion.finish_reason == "length"


# stop strings


@in_both
@pytest.mark.parametrize(("stop", "text", "count", "reason"), [
    (("é→",), "a", 6, "stop"),                     # over the border of two characters
    (("→b", "aé"), "", 3, "stop"),                 # what is complete first
    (("→c",), "aé→b", 7, "length"),                # a beginning that comes to nothing
    (("bx",), "aé→b", 7, "length"),                # one that the end cuts off
    (("b", "→b"), "aé", 7, "stop"),                # of two that end together the longer
])
def test_a_stop_string_is_found_over_the_borders_of_pieces(package, stop, text, count, reason):
    ids = BYTES.encode("xaé→b")
    completion, pieces = written(follow(package, Follower(ids)), "x", asked(7, stop))
    assert completion.text == "".join(pieces) == text
    assert completion.ids == ids[1:count + 1]
    assert completion.finish_reason == reason


@in_both
@given(stop=st.lists(st.text("abc", min_size=1, max_size=3), max_size=3), seed=st.integers(0, 9))
def test_any_text_ends_before_its_first_stop_string(package, stop, seed):
    settings = SamplingSettings(20, 2.0, seed=seed)
    whole, _ = written(writer(package), "ab", settings)
    text, found = ended(whole.text, stop)
    cut = SamplingSettings(20, 2.0, seed=seed, stop=tuple(stop))
    completion, pieces = written(writer(package), "ab", cut)
    assert (completion.text, "".join(pieces)) == (text, text)
    assert completion.finish_reason == ("stop" if found else "length")
    read = next((n for n in range(21) if ended(whole.text[:n], stop)[1]), 20)
    assert completion.ids == whole.ids[:read]      # a token is a letter: no more are drawn


def test_a_stop_string_may_be_what_the_end_leaves_of_a_character():
    ids = BYTES.encode("aé")
    completion, _ = written(follow(BOTH[0], Follower(ids)), "a", asked(1, ("\ufffd",)))
    assert (completion.text, completion.finish_reason) == ("", "stop")


# several


@in_both
@given(prompts=st.lists(st.text("abcd", min_size=1, max_size=15), min_size=2, max_size=3),
       log_probs=st.booleans())
def test_texts_of_different_length_are_each_as_alone(package, prompts, log_probs):
    engine = writer(package)
    settings = SamplingSettings(14, 1.5, seed=5, stop=("ab", "e"))
    completions, pairs = engine.complete(prompts, settings, log_probs=log_probs)
    pieces = {id(completion): [] for completion in completions}
    for completion, piece in pairs:
        pieces[id(completion)].append(piece)
    for row, (prompt, found) in enumerate(zip(prompts, completions)):
        own = SamplingSettings(14, 1.5, seed=5 + row, stop=("ab", "e"))
        alone, own_pieces = written(engine, prompt, own, log_probs=log_probs)
        assert (found.prompt, found.ids, found.text) == (prompt, alone.ids, alone.text)
        assert found.finish_reason == alone.finish_reason
        assert pieces[id(found)] == own_pieces
        np.testing.assert_allclose(found.log_probs, alone.log_probs, rtol=0, atol=1e-11)
        assert len(found.log_probs) == (len(found.ids) if log_probs else 0)


@in_both
def test_two_texts_of_a_model_without_a_cache(package):
    ids, rows = BYTES.encode("aé→b"), []
    engine = follow(package, Follower(ids, lambda ids: rows.append(len(ids))))
    completions, pairs = engine.complete(["a", ids[:6]], asked(5, ("b",)))
    order = [completions.index(completion) for completion, _ in pairs]
    assert [each.text for each in completions] == ["é→", ""]
    assert [each.finish_reason for each in completions] == ["length", "stop"]
    assert order == [0, 1, 1, 0, 0, 0, 0, 0]       # in turns, and once more as one ends
    assert rows == [2, 1, 1, 1, 1]                 # what has ended is computed no more


@in_both
def test_each_has_a_reason_only_with_its_last_piece(package):
    completions, pairs = writer(package).complete(["a", "bc"], SamplingSettings(9, stop=("d",)))
    left = len(completions)
    for completion, _ in pairs:
        left -= completion.finish_reason is not None
        assert left == sum(each.finish_reason is None for each in completions)
    assert left == 0


@in_both
def test_texts_that_are_read_by_turns_do_not_meet(package):
    engine, settings = writer(package), SamplingSettings(20, 1.5)
    alone = ["".join(engine.stream(prompt, settings)) for prompt in ("a", "bcd")]
    one, other = (engine.stream(prompt, settings) for prompt in ("a", "bcd"))
    assert ["".join(both) for both in zip(*zip(one, other))] == alone


# cancelling


@in_both
def test_another_thread_may_end_a_text(package):
    ids = BYTES.encode("aé→b")
    (completion,), pairs = follow(package, Follower(ids)).complete(["a"], asked(10**5))
    pieces, some = [], threading.Event()

    def read():
        for _, piece in pairs:
            pieces.append(piece)
            if len(pieces) == 9:
                some.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert some.wait(20)
    completion.cancelled.set()
    reader.join(20)
    assert not reader.is_alive()
    assert completion.finish_reason == "cancelled"
    assert 9 <= len(completion.ids) < 10**5
    assert completion.text == "".join(pieces) == BYTES.decode(completion.ids)


@in_both
@pytest.mark.parametrize("log_probs", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_token_in_hand_is_the_last(package, count, log_probs):
    """The flag is set while a token is computed; what was held back comes."""
    ids = BYTES.encode("aé→b")
    passes = []

    def after(given):
        passes.append(given)
        if len(passes) == count:
            completion.cancelled.set()

    engine = follow(package, Follower(ids, after))
    (completion,), pairs = engine.complete(["a"], asked(50, ("→bx",)), log_probs=log_probs)
    pieces = [piece for _, piece in pairs]
    assert len(completion.ids) == len(passes) == count
    assert completion.text == "".join(pieces) == BYTES.decode(completion.ids)
    assert completion.finish_reason == "cancelled"


@in_both
@pytest.mark.parametrize("log_probs", [False, True])
def test_who_reads_may_end_it_between_two_pieces(package, log_probs):
    passes = []
    engine = follow(package, Follower(BYTES.encode("ab,→"), passes.append))
    (completion,), pairs = engine.complete(["a"], asked(50), log_probs=log_probs)
    for _, piece in pairs:
        if piece == ",":
            completion.cancelled.set()
    assert (completion.text, len(passes), completion.finish_reason) == ("b,", 2, "cancelled")


@in_both
def test_one_that_is_cancelled_leaves_the_others_alone(package):
    engine, settings = writer(package), SamplingSettings(12, 1.5)
    alone, _ = written(engine, "a", settings)
    completions, pairs = engine.complete(["a", "bcd", "c"], settings)
    completions[2].cancelled.set()                 # before it has begun
    for completion, _ in pairs:
        if completion is completions[0] and len(completion.ids) == 4:
            completions[1].cancelled.set()         # its fourth token is not drawn yet
    assert [len(each.ids) for each in completions] == [12, 3, 0]
    assert [each.finish_reason for each in completions] == ["length", "cancelled", "cancelled"]
    assert completions[0].text == alone.text


@in_both
def test_a_stream_is_cancelled_by_the_event_it_is_given(package):
    cancelled, engine = threading.Event(), follow(package, Follower(BYTES.encode("abc")))
    pieces = []
    for piece in engine.stream("a", asked(50), cancelled):
        pieces.append(piece)
        if len(pieces) == 4:
            cancelled.set()
    assert pieces == ["b", "c", "a", "b"]
    assert [*engine.stream("a", asked(50), cancelled)] == []


# what is drawn


@in_both
def test_the_log_probabilities_are_those_of_generate_batch(package):
    engine, prompts = writer(package), ["ab", "d,e"]
    how = {"temperature": 2.0, "repetition_penalty": 1.5, "seed": 4}
    expected = list(package.find("generate_batch")(
        engine.model, engine.params, CONFIG, [LETTERS.encode(prompt) for prompt in prompts],
        25, **how))
    completions, pairs = engine.complete(prompts, SamplingSettings(25, **how), log_probs=True)
    list(pairs)
    for row, completion in enumerate(completions):
        assert [(row, *found) for found in zip(completion.ids, completion.log_probs)] == [
            found for found in expected if found[0] == row]


@in_both
def test_to_ask_for_log_probabilities_changes_no_text(package):
    settings = SamplingSettings(25, 1.5)
    plain, _ = written(writer(package), "ab", settings)
    told, _ = written(writer(package), "ab", settings, log_probs=True)
    assert (plain.ids, plain.text) == (told.ids, told.text)
    assert plain.log_probs == [] and len(told.log_probs) == 25


@in_both
@pytest.mark.parametrize("log_probs", [False, True])
def test_nothing_more_is_a_text_too(package, log_probs):
    completion, pieces = written(writer(package), "ab", SamplingSettings(0), log_probs=log_probs)
    assert (completion.text, completion.ids, pieces) == ("", [], [""])
    assert completion.finish_reason == "length"


# the fast way


@in_both
@pytest.mark.parametrize(("prompts", "more", "log_probs", "way"), [
    (["a"], {}, False, "generate"),
    (["a"], {}, True, "generate_batch"),
    (["a"], {"repetition_penalty": 1.1}, False, "generate_batch"),
    (["a", "b"], {}, False, "generate_batch"),
])
def test_a_lone_text_goes_the_fast_way(package, monkeypatch, prompts, more, log_probs, way):
    engine, taken = writer(package), []

    def watch(name, function):
        monkeypatch.setattr(engine, name, lambda *given, **how: (
            taken.append(name) or function(*given, **how)))

    watch("generate", engine.generate)
    watch("generate_batch", engine.generate_batch)
    list(engine.complete(prompts, SamplingSettings(3, **more), log_probs)[1])
    assert taken == [way]


@in_both
@pytest.mark.parametrize("prompts", [["a"], ["a", "ab"]])
@pytest.mark.parametrize("channels", [None, 255, 256])
def test_a_small_model_is_computed_by_one_blas_thread(package, monkeypatch, prompts, channels):
    """By NumPy: while a token is computed, not while the reader has it."""
    limits = []

    @contextmanager
    def limit():
        limits.append(True)
        yield
        limits.pop()

    monkeypatch.setattr(blas_threads, "one_blas_thread", limit)
    small = package.name == BOTH[0].name and channels != 256
    model = Follower(BYTES.encode("abc"), lambda ids: inside.append(len(limits)))
    if channels is not None:
        model.config.channels = channels
    inside = []
    for _ in follow(package, model).complete(prompts, asked(5))[1]:
        assert not limits
    assert inside == [int(small)] * 5


@in_both
@pytest.mark.parametrize("log_probs", [False, True])
def test_numpy_makes_the_other_memory_order_once_and_keeps_it(package, monkeypatch, log_probs):
    from npgpt.generation import engine as room

    made, given = [], []
    monkeypatch.setattr(room, "blas_threads", lambda config: None)
    monkeypatch.setattr(room, "by_longer_side", lambda params: made.append(params) or {
        **params})
    engine = writer(package)
    for name in ("generate", "generate_batch"):
        monkeypatch.setattr(engine, name, lambda model, params, *_, **__: given.append(params)
                            or iter(()))
    for prompts, count in ((["a"], 99), (["a"], 100), (["a", "b"], 100), (["a"], 500)):
        list(engine.complete(prompts, SamplingSettings(count), log_probs)[1])
    reordered = [params is not engine.params for params in given]
    if package.name != BOTH[0].name:
        assert (made, reordered) == ([], [False] * 4)
        return
    assert made == [engine.params]
    assert reordered == [False, True, False, True]
    assert given[1] is given[3]
