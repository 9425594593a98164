"""Tokenizers: round trips, streaming, the naive page, and the libraries' own ids."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npgpt.text
from npgpt.errors import InputError
from npgpt.text import BytePairTokenizer, CharacterTokenizer, WordTokenizer, load_corpus
from npgpt.text.tokenizers.byte_pairs import count_words, train_merges
from npgpt.text.tokenizers.naive_byte_pairs import PATTERN
from parity_tests.text.tokenizers.tokenizer_checks import (
    CHECKS,
    END,
    TRAINING,
    drawn_text,
    mixed,
    tied,
)

DRAWN = [drawn_text(seed) for seed in range(2000)]


@pytest.fixture(scope="module")
def tokenizer():
    return BytePairTokenizer.train([*load_corpus("python-docs").documents, TRAINING], 2000)


def as_tokenizers(ours):
    from tokenizers import Tokenizer

    theirs = Tokenizer.from_str(ours.to_json())
    theirs.encode_special_tokens = True  # names in text are text, as with us
    return theirs


def as_tiktoken(ours):
    import tiktoken

    return tiktoken.Encoding(
        "ours", pat_str=PATTERN, mergeable_ranks=ours.to_tiktoken_ranks(),
        special_tokens=ours.special_ids)


@pytest.mark.parametrize("name", sorted(vars(CHECKS)))
def test_law(name):
    getattr(CHECKS, name)(npgpt.text)


def test_ids_equal_those_of_tokenizers_and_tiktoken_on_2000_texts(tokenizer):
    theirs, tik = as_tokenizers(tokenizer), as_tiktoken(tokenizer)
    assert len(set(DRAWN)) > 1900 and sum(END in text for text in DRAWN) > 20
    for text in DRAWN:
        ids = tokenizer.encode(text)
        assert ids == theirs.encode(text).ids
        assert ids == tik.encode_ordinary(text)
        assert tokenizer.decode(ids) == text == tik.decode(ids)
        assert theirs.decode(ids, skip_special_tokens=False) == text
        assert tokenizer.encode(text, "all") == tik.encode(text, allowed_special="all")


def test_long_words_get_the_ids_of_tokenizers(tokenizer):
    """Thousands of letters without a blank: many merges, and runs that overlap."""
    theirs = as_tokenizers(tokenizer)
    rng = np.random.default_rng(1)
    for text in ("a" * 3001, "abc" * 4000, " " * 999 + "x", "".join(rng.choice([*"etaoin"], 9000))):
        assert tokenizer.encode(text) == theirs.encode(text).ids


def their_merges(text, vocab_size):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = byte_level
    theirs.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=byte_level.alphabet(), show_progress=False))
    model = json.loads(theirs.to_str())["model"]
    return [tuple(model["vocab"][side] for side in merge) for merge in model["merges"]]


def test_merges_equal_those_that_tokenizers_learns():
    text = load_corpus("python-docs").text
    ours = BytePairTokenizer.train(text, 1500, special_tokens=())
    assert ours.merges == their_merges(text, 1500)


@given(st.one_of(tied, mixed))
def test_merges_equal_those_of_tokenizers_where_ties_are_the_rule(text):
    ours = train_merges(count_words(text), 20)
    assert ours == their_merges(text, 256 + 20)


def test_merges_equal_the_naive_ones_on_prose():
    text = load_corpus("python-docs").text[:4000]
    merges = train_merges(count_words(text), 150)
    assert merges == npgpt.text.tokenizers.naive_byte_pairs.train(text, 406)
    ids = npgpt.text.tokenizers.naive_byte_pairs.encode(text, merges)
    assert npgpt.text.tokenizers.naive_byte_pairs.decode(ids, merges) == text


def test_a_text_is_one_text_and_an_iterator_will_do():
    whole = BytePairTokenizer.train(TRAINING, 300)
    assert whole.merges == BytePairTokenizer.train(iter([TRAINING]), 300).merges
    words = WordTokenizer.train(TRAINING)
    assert words.words == WordTokenizer.train([TRAINING]).words


def test_the_longest_special_token_wins():
    tokenizer = BytePairTokenizer.train(TRAINING, 300, special_tokens=["<a>", "<a>b", "<c>"])
    first, second, third = tokenizer.special_ids.values()
    assert tokenizer.encode("<a>b<a><c>", "all") == [second, first, third]
    assert tokenizer.encode("<c>", ["<c>"]) == tokenizer.encode("<c>", "<c>") == [third]
    assert [third] != tokenizer.encode("<c>", ["<a>"])


@given(st.text(alphabet="ab\r\n é😀", max_size=40))
def test_characters_come_back(text):
    tokenizer = CharacterTokenizer.train("ab\r\n é😀")
    ids = tokenizer.encode(text)
    assert len(ids) == len(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(text.encode("utf-8"))).decode() == text


def test_character_ids_are_sorted_and_special_tokens_follow():
    tokenizer = CharacterTokenizer.train(["cab", "b\n"], special_tokens=["<end>"])
    assert tokenizer.characters == ["\n", "a", "b", "c"]
    assert tokenizer.encode("cab<end>"[:3]) == [3, 1, 2]
    assert tokenizer.encode("a<end>", "all") == [1, 4]
    assert tokenizer.vocab_size == 5
    assert CharacterTokenizer.train("abbbcc", vocab_size=2).characters == ["b", "c"]


def test_unknown_characters_are_named():
    tokenizer = CharacterTokenizer.train("abc")
    with pytest.raises(InputError, match="no character 'x' 'é'"):
        tokenizer.encode("axébx")


@given(st.lists(st.sampled_from(["king", "été", " ", "\n", ",", "_9", "x٣", "a\u0301"])))
def test_known_words_come_back(parts):
    tokenizer = WordTokenizer.train("king été, _9 x٣ a\u0301\n")
    text = " ".join(parts)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_words_are_by_frequency_and_the_others_unknown():
    tokenizer = WordTokenizer.train("b a b c", vocab_size=7, special_tokens=["<sep>"])
    assert list(tokenizer.special_ids) == ["<unk>", "<pad>", "<bos>", "<eos>", "<sep>"]
    assert tokenizer.words == [" ", "b"]
    assert tokenizer.encode("b a") == [6, 5, 0]
    assert tokenizer.decode([6, 5, 0]) == "b <unk>"
    assert 2 not in tokenizer.encode("<bos>") and tokenizer.encode("<bos>", "all") == [2]


@pytest.mark.parametrize("kind", [CharacterTokenizer, WordTokenizer])
def test_characters_and_words_stream(kind):
    tokenizer = kind.train(TRAINING)
    stream = tokenizer.stream_decoder()
    shown = [stream.push(id) for id in tokenizer.encode(TRAINING)]
    assert "".join(shown) == TRAINING and all(shown) and stream.finish() == ""


def test_ids_may_be_an_array_and_a_worker_may_be_handed_a_tokenizer(tokenizer):
    ids = tokenizer.encode(TRAINING)
    assert tokenizer.decode(np.array(ids, dtype=np.uint16)) == TRAINING
    assert pickle.loads(pickle.dumps(tokenizer)).encode(TRAINING) == ids


REFUSED = {
    "empty text for byte pairs": (lambda t: BytePairTokenizer.train([], 300), "text is empty"),
    "empty text for characters": (lambda t: CharacterTokenizer.train([""]), "text is empty"),
    "empty text for words": (lambda t: WordTokenizer.train(""), "text is empty"),
    "below 256": (lambda t: BytePairTokenizer.train("ab", 255, ()), "at least 256"),
    "no room for special tokens": (lambda t: BytePairTokenizer.train("ab", 256), "at least 257"),
    "more than the text gives": (lambda t: BytePairTokenizer.train("abab", 300), "at most 259"),
    "more words than there are": (lambda t: WordTokenizer.train("a b", 9), "from 5 to 7"),
    "more characters": (lambda t: CharacterTokenizer.train("ab", 3), "from 1 to 2"),
    "unknown special token": (lambda t: t.encode("a", ["<x>"]), "unknown special token '<x>'"),
    "special token twice": (lambda t: BytePairTokenizer.train("a", 300, ["<x>", "<x>"]), "twice"),
    "special token that is text": (lambda t: CharacterTokenizer("ab", ["a"]), "'a' is a special"),
    "special token that is a byte": (
        lambda t: BytePairTokenizer.train("ab", 258, ["a"]), "'a' is also a piece of text"),
    "id too large": (lambda t: t.decode([0, 2000]), "2000 is out of range.* 0 to 1999"),
    "id below 0": (lambda t: t.decode([-1]), "-1 is out of range"),
    "id in a stream": (lambda t: t.stream_decoder().push(2000), "out of range"),
    "half an id": (lambda t: t.decode([0.5]), "whole numbers"),
    "half a pair of surrogates": (lambda t: t.encode("a\ud83d"), r"U\+D83D\) at character 1"),
    "bytes for text": (lambda t: t.encode(b"a"), "must be a str, not bytes"),
    "character id too large": (lambda t: CharacterTokenizer("ab").decode([2]), "0 to 1"),
    "bytes that are no characters": (
        lambda t: CharacterTokenizer("ab").encode_bytes(b"a\xff"), "byte 1 is not UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name, tokenizer):
    call, message = REFUSED[name]
    with pytest.raises(InputError, match=message) as caught:
        call(tokenizer)
    assert "\n" not in str(caught.value)
