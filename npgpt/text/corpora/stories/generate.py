"""Stories drawn from the grammar, some hundred at a time."""

import re
from collections.abc import Iterator
from math import lcm

from npgpt.random_stream import uniforms
from npgpt.text.corpora.stories.grammar import (
    ANIMALS,
    CLOSING,
    CUBE,
    EPISODES,
    KIN,
    NAMES,
    OPENING,
    PRONOUNS,
    TITLE,
    WORDS,
    facts,
)

BLOCK = 256  # stories drawn together
MEAN_BYTES = 1554  # a story's length with the empty line after it, on average


def _every_choice(paragraph: list[list[str]]) -> list[str]:
    """All texts of a paragraph, as %-templates."""
    texts = [""]
    for choices in paragraph:
        texts = [f"{text} {choice}".strip() for text in texts for choice in choices]
    return [re.sub(r"\{(\w+)\}", r"%(\1)s", text) for text in texts]


_TITLE = _every_choice([[TITLE]])[0]
_OPENING, _CLOSING = _every_choice(OPENING), _every_choice(CLOSING)
_EPISODES = [_every_choice(episode) for episode in EPISODES]
_COUNTS = {key: len(words) for key, words in WORDS.items()} | {"animal": len(ANIMALS)}


def stories(count: int, seed: int = 0, start: int = 0) -> Iterator[str]:
    """Stories number `start` to `start + count`, each a text of some 1,550 characters.

    A line is a paragraph; the first is the title.
    """
    for block in range(start // BLOCK, -(-(start + count) // BLOCK)):
        first = block * BLOCK
        texts = _block(seed, block)
        yield from texts[max(0, start - first) : start + count - first]


def story_count(size: int) -> int:
    """How many stories make about `size` bytes."""
    return max(1, round(size / MEAN_BYTES))


_PARAGRAPHS = 10
_CHOICES = lcm(*map(len, (_OPENING, _CLOSING, *_EPISODES)))
_SLOTS = ("paragraph", "choice", *_COUNTS)


def _block(seed: int, block: int) -> list[str]:
    """The 256 stories number 256·block and on."""
    draws = uniforms((BLOCK, 4 + (_PARAGRAPHS + 2) * len(_SLOTS)), seed, block, "stories")
    people, rest = draws[:, :4].tolist(), draws[:, 4:].reshape(BLOCK, -1, len(_SLOTS))
    columns = []
    for slot, key in enumerate(_SLOTS):
        size = {"paragraph": len(_EPISODES), "choice": _CHOICES}.get(key) or _COUNTS[key]
        columns.append((rest[:, :, slot] * size).astype(int).tolist())
    nouns, kin, animals = list(CUBE), list(KIN), list(ANIMALS)
    words = [animals if key == "animal" else WORDS[key] for key in _COUNTS]
    texts = []
    for index, (u_noun, u_kin, u_a, u_b) in enumerate(people):
        noun, relation = nouns[int(u_noun * 8)], kin[int(u_kin * len(kin))]
        sex, other = CUBE[noun][0], KIN[relation]
        name = NAMES[sex][int(u_a * 16)]
        names = [theirs for theirs in NAMES[other] if theirs != name]
        slots = facts(noun)
        slots.update(A=name, B=names[int(u_b * len(names))], noun=noun, kin=relation)
        slots["age_a"] = "an old" if slots["age"] == "old" else "a young"
        slots["he"], slots["his"], slots["him"] = PRONOUNS[sex]
        slots["bhe"], slots["bhis"], slots["bhim"] = PRONOUNS[other]
        slots["He"], slots["His"] = slots["he"].title(), slots["his"].title()
        which, choice, *fillers = (column[index] for column in columns)
        lines = []
        for paragraph in range(_PARAGRAPHS + 2):
            for key, choices, filler in zip(_COUNTS, words, fillers):
                slots[key] = choices[filler[paragraph]]
            slots["young"], slots["voice"] = ANIMALS[slots["animal"]]
            if paragraph == 0:
                lines.append(_TITLE % slots)
                templates = _OPENING
            elif paragraph <= _PARAGRAPHS:
                templates = _EPISODES[which[paragraph]]
            else:
                templates = _CLOSING
            lines.append(templates[choice[paragraph] % len(templates)] % slots)
        texts.append("\n".join(lines))
    return texts
