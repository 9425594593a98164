"""Stories: the same everywhere, all well-formed, and a score that sees what is wrong."""

import hashlib
import re

import pytest

from npgpt.text import load_corpus
from npgpt.text.corpora.stories import (
    ANALOGIES,
    ANIMALS,
    BLOCK,
    CUBE,
    KIN,
    score_story,
    stories,
    story_count,
)


def test_the_bytes_are_the_same_on_every_machine():
    texts = "\n\n".join(stories(300, seed=1)).encode()
    assert hashlib.sha256(texts).hexdigest() == DIGEST
    assert (
        list(stories(20, seed=1, start=BLOCK - 10)) == list(stories(300, seed=1))[BLOCK - 10 :][:20]
    )
    assert next(stories(1, seed=2)) != next(stories(1, seed=1))


DIGEST = "37e719dd3386dbc4947046a15537410e28f8003a0242ef61c1b6e100bf3b7fe7"


@pytest.mark.parametrize("size", [20_000, 1_000_000, 2_000_000])
def test_a_size_is_met_within_a_percent(size):
    texts = list(stories(story_count(size)))
    assert sum(map(len, texts)) + 2 * len(texts) == pytest.approx(
        size, rel=0.05 if size < 1e6 else 0.01
    )
    assert len(set(texts)) == len(texts)


def test_every_story_is_well_formed():
    for text in stories(300, seed=3):
        score = score_story(text)
        assert score.well_formed, score.problems
        assert score.sentences == 49
    assert score_story("\n\n".join(stories(20, seed=4))).well_formed


def test_torn_pieces_are_well_formed():
    text = "\n\n".join(stories(6, seed=5))
    for start in range(0, 6000, 173):
        start = text.index(". ", start) + 2
        score = score_story(text[start : start + 700])
        assert score.well_formed, score.problems


@pytest.mark.parametrize(
    "change",
    [
        (r"\bcottage\b", "castle"),  # a fact
        (r"\b(He|She) (?=wore|lived)", lambda m: "She " if m[1] == "He" else "He "),  # a pronoun
        (r"\bThe end\.", "The finish."),  # no sentence of the grammar
        (r"\bOne (?=\w+ \w+ went)", "Two "),
        (r"\bplayed\b", "worked"),
        (r"(?<=dog )barked", "mooed"),
    ],
)
def test_a_changed_word_is_noticed(change):
    seen = 0
    for text in stories(40, seed=6):
        for match in re.finditer(change[0], text):
            new = match.expand(change[1]) if isinstance(change[1], str) else change[1](match)
            changed = text[: match.start()] + new + text[match.end() :]
            if changed != text:
                seen += 1
                assert not score_story(changed).well_formed, changed
    assert seen


def test_a_name_that_changes_is_noticed():
    for text in stories(20, seed=7):
        name = text.split()[0]
        other = "Rose" if name != "Rose" else "Lily"
        at = text.rindex(name)
        changed = text[:at] + other + text[at + len(name) :]
        score = score_story(changed)
        assert score.grammatical == score.sentences > score.consistent, changed


def test_a_story_without_a_title_begins_where_it_says_so():
    texts = [text.split("\n", 1)[1] for text in stories(10, seed=8)]
    assert score_story("\n\n".join(texts)).well_formed


def test_empty_text_is_not_well_formed():
    assert not score_story("").well_formed
    assert not score_story("and then").well_formed


def test_analogies_are_true_of_the_words_and_stand_in_the_text():
    words = set(re.findall(r"\w+", load_corpus("stories:500kB").text))
    assert {word for analogy in ANALOGIES for word in analogy} <= words
    assert ("man", "woman", "king", "queen") in ANALOGIES
    assert ("dog", "puppy", "cat", "kitten") in ANALOGIES
    for a, b, c, d in ANALOGIES:
        if a in CUBE and c in CUBE:
            change = [x != y for x, y in zip(CUBE[a], CUBE[b])]
            assert change == [x != y for x, y in zip(CUBE[c], CUBE[d])]
        elif a in ANIMALS:
            assert ANIMALS[a][0] == b and ANIMALS[c][0] == d
        else:
            sex = {noun: features[0] for noun, features in CUBE.items()} | KIN
            assert (sex[a], sex[b]) == (sex[c], sex[d]) == ("he", "she")
