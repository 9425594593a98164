"""Short stories, of at most 400 characters, and what can be asked about each sentence.

A short story is one episode of the long ones between three sentences of their opening and one
of their closing. Two sentences count things, and half of the stories hold a line of speech;
these stand in short.json, with the questions. The same seed gives the same bytes everywhere.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from npgpt.random_stream import uniforms
from npgpt.text.corpora.stories.grammar import (
    ANIMALS,
    CLOSING,
    CUBE,
    KIN,
    NAMES,
    OPENING,
    PRONOUNS,
    TITLE,
    WORDS,
    episodes_by_name,
    facts,
)

BLOCK = 256  # stories drawn together
LONGEST = 400  # characters
MEAN_BYTES = 378  # a story's length with the empty line after it, on average
SHORT = json.loads(Path(__file__).with_name("short.json").read_text(encoding="utf-8"))
COUNTS: list[str] = SHORT["counts"]
EPISODES = [episodes_by_name()[name] for name in SHORT["episodes"]]
OPENINGS = [OPENING[i] for i in (0, 1, 4)]  # who, where and the second character
DRAWS = 40  # random numbers of one story


@dataclass
class Short:
    """A short story: its sentences as they stand in the grammar, a list a line of the text,
    and for each what its slots say."""

    lines: list[list[str]]
    slots: list[dict[str, str]]
    key: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        return "\n".join(" ".join(sentence.format(**slots) for sentence in line)
                         for line, slots in zip(self.lines, self.slots))

    def sentences(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each sentence of the grammar with its slots."""
        for line, slots in zip(self.lines, self.slots):
            yield from ((sentence, slots) for sentence in line)


def plural(thing: str) -> str:
    return SHORT["plurals"].get(thing, thing + "s")


def short_stories(count: int, seed: int = 0, start: int = 0) -> Iterator[str]:
    """Short stories number `start` to `start + count`; a line is a paragraph, the first is
    the title."""
    for _, story in shorts(count, seed, start):
        yield story.text


def shorts(
    count: int, seed: int = 0, start: int = 0,
    wanted: Callable[[str], bool] = lambda key: True,
) -> Iterator[tuple[int, Short]]:
    """(number, story), with what each is made of; those whose key is `wanted`."""
    for block in range(start // BLOCK, -(-(start + count) // BLOCK)):
        draws = uniforms((BLOCK, DRAWS), seed, block, "short stories").tolist()
        first = block * BLOCK
        for number in range(max(start, first), min(start + count, first + BLOCK)):
            story = drawn(draws[number - first], wanted)
            if story is not None:
                yield number, story


def short_count(size: int) -> int:
    """How many short stories make about `size` bytes."""
    return max(1, round(size / MEAN_BYTES))


def drawn(row: list[float], wanted: Callable[[str], bool]) -> Short | None:
    """The story of these random numbers; None where its key, which names its sentences and
    not their slots, is not wanted."""
    numbers = iter(row)

    def pick(choices: Any) -> Any:
        return choices[int(next(numbers) * len(choices))]

    common = characters(pick)
    opening = [pick(choices) for choices in OPENINGS]
    counting = [pick(choices) for choices in SHORT["counting"]]
    episode = [pick(choices) for choices in pick(EPISODES)]
    closing = pick(CLOSING[0])
    spoken = [pick(SHORT["talking"])] if next(numbers) < 0.5 else []
    key = "|".join([*opening, *counting, *episode, closing])
    if not wanted(key):
        return None
    where, far = distinct(WORDS["place"], pick, 2)
    thing, counted, other = distinct(WORDS["thing"], pick, 3)
    count, bcount = distinct(COUNTS, pick, 2)
    common |= {key: pick(WORDS[key]) for key in
               ("adj", "food", "weather", "time", "feeling", "sorrow")}
    common |= {"thing": thing, "things": plural(counted), "count": count,
               "bthings": plural(other), "bcount": bcount, "animal": pick(list(ANIMALS))}
    common["young"], common["voice"] = ANIMALS[common["animal"]]
    lines = [[TITLE], opening + counting, episode + spoken, [closing, "The end."]]
    slots = [{**common, "place": place} for place in (far, where, far, far)]
    story = Short(lines, slots, key)
    # what a story can do without, until it is short enough
    if len(story.text) > LONGEST:
        lines[2] = episode
    if len(story.text) > LONGEST:
        lines[1] = opening + counting[:1]
    if len(story.text) > LONGEST:
        story = Short(lines[1:], slots[1:], key)
    return story


def characters(pick) -> dict[str, str]:
    """Who the two characters are, and what follows from that."""
    noun, relation = pick(list(CUBE)), pick(list(KIN))
    sex, other = CUBE[noun][0], KIN[relation]
    name = pick(NAMES[sex])
    slots = facts(noun)
    slots |= {"A": name, "B": pick([theirs for theirs in NAMES[other] if theirs != name]),
              "noun": noun, "kin": relation}
    slots["age_a"] = "an old" if slots["age"] == "old" else "a young"
    slots["he"], slots["his"], slots["him"] = PRONOUNS[sex]
    slots["bhe"], slots["bhis"], slots["bhim"] = PRONOUNS[other]
    slots["He"], slots["His"] = slots["he"].title(), slots["his"].title()
    return slots


def distinct(words: list[str], pick, count: int) -> list[str]:
    """Some of the words, no two the same."""
    left, found = list(words), []
    for _ in range(count):
        found.append(pick(left))
        left.remove(found[-1])
    return found


def hashed(text: str) -> int:
    """A whole number that depends on the text alone: what decides where it belongs."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
