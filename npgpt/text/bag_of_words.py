"""A text as the set of its words: which are in it, without order or number."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

NUMBER = "<number>"


def words_of(text: str) -> set[str]:
    """Words in small letters, "£" and "!"; every number counts as one word."""
    found = re.findall(r"[^\W\d_]+(?:'[a-z]+)?|\d[\d.,]*|[£$!]", text.lower())
    return {NUMBER if word[0].isdigit() else word for word in found}


def vocabulary_of(texts: Iterable[str], least: int = 2, most: int | None = None) -> list[str]:
    """The words of at least `least` of the texts, in alphabetical order; the `most` of them
    that are in the most texts."""
    counts = Counter(word for text in texts for word in words_of(text))
    common = sorted((-count, word) for word, count in counts.items() if count >= least)
    return sorted(word for _, word in common[:most])


def bag_of_words(texts: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    """texts, words -> (N, V) in float64: 1 where a word is in a text, else 0."""
    place = {word: i for i, word in enumerate(vocabulary)}
    rows = np.zeros((len(texts), len(vocabulary)))
    for row, text in zip(rows, texts):
        row[[place[word] for word in words_of(text) if word in place]] = 1
    return rows
