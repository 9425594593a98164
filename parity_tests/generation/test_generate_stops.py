"""A text ends before its first stop string, however it is cut in pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.errors import InputError
from npgpt.generation import SamplingSettings
from npgpt.generation.completion import Completion
from npgpt.text import BytePairTokenizer, CharacterTokenizer, StopStrings

letters = st.text("ab", max_size=12)


def ended(text, stops):
    """The definition: walk on until some stop string is complete."""
    for end in range(len(text) + 1):
        hits = [stop for stop in stops if text[:end].endswith(stop)]
        if hits:
            return text[:end - max(map(len, hits))], True
    return text, False


@given(text=letters, stops=st.lists(st.text("ab", min_size=1, max_size=4), max_size=3),
       cuts=st.sets(st.integers(1, 11)))
def test_any_cut_of_a_text_ends_at_the_same_place(text, stops, cuts):
    expected, found = ended(text, stops)
    for inner in (cuts, range(len(text))):           # at random, and letter by letter
        ends = sorted({0, len(text), *(cut for cut in inner if cut < len(text))})
        watch = StopStrings(stops)
        shown = ""
        for start, end in pairwise(ends):
            shown += watch.push(text[start:end])
            assert expected.startswith(shown)        # nothing shown is taken back
            if not watch.found:                      # and no more held back than must be
                held = text[len(shown):end]
                assert held == "" or any(stop.startswith(held) for stop in stops)
        shown += watch.finish()
        assert (shown, watch.found) == (expected, found)
        assert watch.push("more") == ("" if found else "more")


def test_a_stop_string_is_found_across_tokens_and_within_a_character():
    watch = StopStrings(["→"])
    decoder = CharacterTokenizer.train(["a→b"]).stream_decoder()
    for id in CharacterTokenizer.train(["a→b"]).encode("a→b"):
        watch.push(decoder.push(id))
    assert watch.found


@pytest.mark.parametrize("stops", [[], ["x"], ["é"]])
def test_a_text_may_end_within_a_character(stops):
    """The lone byte is shown as `decode` shows it."""
    tokenizer = BytePairTokenizer.train("é", 257)
    row = Completion(tokenizer.encode("a"), tokenizer, SamplingSettings(stop=tuple(stops)))
    ids = [*tokenizer.encode("b"), tokenizer.encode("é")[0]]
    shown = "".join(row.push(id, 0.0) for id in ids) + row.finish()
    assert shown == row.text == tokenizer.decode(ids) == "b\ufffd"


@pytest.mark.parametrize(("stops", "text", "expected"), [
    (["wxyz", "xy"], "..wxyz..", "..w"),        # "xy" is complete first, though it begins later
    (["wxyz", "yz"], "..wxyz..", ".."),         # both end together: the longer
    (["xyzw", "xy"], "..xyzw..", ".."),         # "xy" is complete first and begins first
])
def test_of_several_stop_strings_the_one_that_is_complete_first_counts(stops, text, expected):
    """In whatever order they are given, and in whatever pieces the text comes."""
    for order in (stops, stops[::-1]):
        for size in range(1, len(text) + 1):
            watch = StopStrings(order)
            told = "".join(watch.push(text[at:at + size]) for at in range(0, len(text), size))
            assert (told + watch.finish(), watch.found) == (expected, True), (order, size)


def test_an_empty_stop_string_is_refused():
    with pytest.raises(InputError, match="a stop string is empty"):
        StopStrings(["a", ""])
