"""Sentences from the grammar, each drawn from the seed."""

from npgpt.random_stream import uniform_stream

from .grammar import FORMS


def word_sentences(count=24000, seed=0):
    """-> `count` sentences, each a list of words; every kind of sentence is drawn alike often,
    within it every meaning, every shape of it, and every form of that shape."""
    draws = uniform_stream(seed, 0, "words")

    def one_of(options):
        return options[int(next(draws) * len(options))]

    return [sentence(one_of).split() for _ in range(count)]


def sentence(one_of):
    """One sentence; one_of(options) draws."""
    table, forms, besides = FORMS[one_of(list(FORMS))]
    shapes, own = one_of(table)
    shape = one_of(list(forms))
    said = dict(besides.get(shape, {}))
    if "things" in said:
        said["thing"] = one_of(said.pop("things").split())
    word = shapes[list(forms).index(shape)]
    return one_of(forms[shape]).format(word=word, own=one_of(own), **said)
