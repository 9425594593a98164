"""The stories' words and sentences, which stand in grammar.json, and what follows from them.

In a sentence, {A} is the hero, with {he} {his} {him} {noun}; {B} is the other character, with
{bhe} {bhis} {bhim} {kin}. A paragraph is one choice from each of its lists.
"""

import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

_GRAMMAR = json.loads(Path(__file__).with_name("grammar.json").read_text(encoding="utf-8"))

CUBE: dict[str, tuple[str, bool, bool]] = {
    noun: (features["pronoun"], features["grown"], features["royal"])
    for noun, features in _GRAMMAR["people"].items()
}
KIN: dict[str, str] = _GRAMMAR["kin"]  # the second character, and which pronoun they take
NAMES: dict[str, list[str]] = _GRAMMAR["names"]
PRONOUNS: dict[str, list[str]] = _GRAMMAR["pronouns"]
ANIMALS: dict[str, tuple[str, str]] = {  # grown animal: (its young, its voice)
    animal: (about["young"], about["voice"]) for animal, about in _GRAMMAR["animals"].items()
}
WORDS: dict[str, list[str]] = _GRAMMAR["words"]
TITLE: str = _GRAMMAR["title"]
OPENING: list[list[str]] = _GRAMMAR["opening"]
EPISODES: list[list[list[str]]] = [*_GRAMMAR["episodes"].values()]
CLOSING: list[list[str]] = _GRAMMAR["closing"]
FACTS = ("home", "wear", "deed", "folk", "age", "call", "child")


def episodes_by_name() -> dict[str, list[list[str]]]:
    return dict(_GRAMMAR["episodes"])


def facts(noun: str) -> dict[str, str]:
    """What follows from a noun of the cube."""
    sex, grown, royal = CUBE[noun]
    return {
        "home": "castle" if royal else "cottage",
        "wear": "crown" if royal else "hat",
        "folk": "people bowed" if royal else "neighbours waved",
        "deed": "worked" if grown else "played",
        "age": "old" if grown else "young",
        "call": "sir" if sex == "he" else "madam",
        "child": {True: {"he": "father", "she": "mother"}, False: {"he": "son", "she": "daughter"}}[
            grown
        ][sex],
    }


def _analogies() -> Iterator[tuple[str, str, str, str]]:
    pairs: dict[str, list[tuple[str, str]]] = {"sex": [], "age": [], "rank": [], "young": []}
    for noun, features in CUBE.items():
        for axis, values in (
            ("sex", ("she", *features[1:])),
            ("age", (features[0], False, features[2])),
            ("rank", (*features[:2], False)),
        ):
            if values != features:
                other = next(word for word, theirs in CUBE.items() if theirs == values)
                pairs[axis].append((noun, other))
    kin = list(KIN)
    pairs["sex"] += [(kin[i], kin[i + 1]) for i in range(0, len(kin), 2)]
    pairs["young"] = [(animal, young) for animal, (young, _) in ANIMALS.items()]
    for same in pairs.values():
        for first, second in permutations(same, 2):
            yield *first, *second


ANALOGIES = list(_analogies())
"""(a, b, c, d): a is to b as c is to d."""
