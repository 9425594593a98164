"""How well a text follows the stories' grammar."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from npgpt.text.corpora.stories.grammar import (
    ANIMALS,
    CLOSING,
    CUBE,
    EPISODES,
    FACTS,
    KIN,
    NAMES,
    OPENING,
    PRONOUNS,
    TITLE,
    WORDS,
    facts,
)
from npgpt.text.corpora.stories.short import COUNTS, SHORT, plural


@lru_cache(1)
def _patterns() -> list[re.Pattern[str]]:
    """One expression a sentence of the grammar; a slot is a group named slot_number."""
    choices = {key: sorted(words) for key, words in WORDS.items()}
    choices |= {
        "A": sorted(NAMES["he"] + NAMES["she"]),
        "B": sorted(NAMES["he"] + NAMES["she"]),
        "noun": list(CUBE),
        "kin": list(KIN),
        "animal": list(ANIMALS),
        "young": [young for young, _ in ANIMALS.values()],
        "voice": [voice for _, voice in ANIMALS.values()],
        "age_a": ["an old", "a young"],
        "He": ["He", "She"],
        "His": ["His", "Her"],
        "count": COUNTS,
        "things": [plural(thing) for thing in WORDS["thing"]],
    }
    choices |= {"b" + key: choices[key] for key in ("count", "things")}
    for form, key in enumerate(("he", "his", "him")):
        choices[key] = choices["b" + key] = [forms[form] for forms in PRONOUNS.values()]
    for key in FACTS:
        choices[key] = sorted({facts(noun)[key] for noun in CUBE})
    sentences = [TITLE]
    for paragraph in (OPENING, *EPISODES, CLOSING):
        sentences += [sentence for alternatives in paragraph for sentence in alternatives]
    sentences += [each for alternatives in SHORT["counting"] for each in alternatives]
    sentences += SHORT["talking"]
    patterns = []
    for sentence in dict.fromkeys(sentences):
        parts = re.split(r"\{(\w+)\}", sentence)
        for i in range(1, len(parts), 2):
            parts[i] = f"(?P<{parts[i]}_{i}>{'|'.join(choices[parts[i]])})"
        parts[::2] = map(re.escape, parts[::2])
        patterns.append(re.compile("".join(parts)))
    return patterns


@dataclass
class StoryScore:
    """How well a text follows the stories' grammar.

    `grammatical` of the `sentences` are ones that the grammar makes; in
    `consistent` of them names, pronouns and facts agree with what came
    before. `problems` holds the others.
    """

    sentences: int = 0
    grammatical: int = 0
    consistent: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def well_formed(self) -> bool:
        return 0 < self.sentences == self.consistent


def score_story(text: str) -> StoryScore:
    """Score every whole sentence of one story or of several, also of a torn-out piece.

    What follows the last full stop, or comes before the first sentence (it
    begins with a small letter), is not counted. A title begins a new story.
    """
    score = StoryScore()
    readings: list[dict[str, str]] = [{}]  # what may be known: a torn piece has several
    titled = False  # the sentence before was a title
    lines = text.split("\n")
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        if not line.strip():
            continue
        for sentence in re.split(r"(?<=[.!?])\s+(?=\S)|(?<=[.!?]\")\s+(?=[A-Z\"])", line.strip()):
            whole = sentence.rstrip('"').endswith((".", "!", "?"))
            if (last and not whole) or (score.sentences == 0 and sentence[0].islower()):
                continue
            score.sentences += 1
            found = [match for p in _patterns() if (match := p.fullmatch(sentence))]
            if not found:
                score.problems.append(f"not a sentence of the grammar: {sentence}")
                continue
            score.grammatical += 1
            opens = sentence.startswith(("Once there was", "Long ago there lived"))
            if not whole or (opens and not titled):
                readings = [{}]
            titled = not whole
            after: list[dict[str, str]] = []
            for state in (_agree(state, match) for state in readings for match in found):
                if state is not None and state not in after:
                    after.append(state)
            if after:
                readings = after
                score.consistent += 1
            else:
                score.problems.append(f"does not agree with what came before: {sentence}")
    return score


def _agree(known: dict[str, str], match: re.Match[str]) -> dict[str, str] | None:
    """What is known after a sentence, or None where it contradicts what was known."""
    after = dict(known)
    animal: dict[str, str] = {}
    for group, value in match.groupdict().items():
        slot = group.split("_")[0]
        learned: dict[str, str] = {}
        if slot in ("A", "B"):
            learned = {slot: value, f"sex of {slot}": "he" if value in NAMES["he"] else "she"}
        elif slot == "noun":
            learned = {"noun": value, "sex of A": CUBE[value][0], **facts(value)}
        elif slot == "kin":
            learned = {"kin": value, "sex of B": KIN[value]}
        elif slot in FACTS:
            learned = {"age": value.split()[-1]} if group.startswith("age") else {slot: value}
        elif slot.lower() in ("he", "his", "him", "bhe", "bhis", "bhim"):
            sex = "he" if value.lower() in PRONOUNS["he"] else "she"
            learned = {"sex of B" if slot.startswith("b") else "sex of A": sex}
        elif slot in ("animal", "young", "voice"):
            animal[slot] = value
        for key, word in learned.items():
            if after.setdefault(key, word) != word:
                return None
    if after.get("A") is not None and after.get("A") == after.get("B"):
        return None
    fits = any(
        animal.get("animal", name) == name
        and animal.get("young", young) == young
        and animal.get("voice", voice) == voice
        for name, (young, voice) in ANIMALS.items()
    )
    return after if fits else None
