"""Sentences whose words differ in known ways, so that word vectors can be measured.

A king is to a queen as a man is to a woman; Paris is to France as Rome is to Italy; taller is to
tall as colder is to cold. Each of these differences shows in the sentences of `word_sentences`,
and in nothing else: two words of a pair stand in the same sentences, but for the words that tell
the one from the other. `ANALOGIES` says which pairs there are. The same seed gives the same
sentences on every machine.
"""

from .generate import word_sentences
from .grammar import ANALOGIES, FORMS

__all__ = ["ANALOGIES", "FORMS", "word_sentences"]
