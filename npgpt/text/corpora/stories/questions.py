"""stories:chat: conversations about short stories, each question with its one right answer.

A conversation begins with a story and goes on with questions about it (who, where, what, how
many), or it asks for the story again in a few sentences, or for its end. What is held out
for testing is told by two hashes: stories by which sentences they are made of, questions by
their wording, so that no test question and no test story's frame occurs in training. All of a
test wording's words do: only their combination is new.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from npgpt.random_stream import uniforms
from npgpt.text.corpora.stories.grammar import CLOSING, OPENING
from npgpt.text.corpora.stories.short import BLOCK, SHORT, Short, hashed, shorts

FIRST = 1_000_000  # number of the first story; those before it are for pretraining
LINKED = "\n\n"  # between a story and what is asked of it
AGAIN = ["Tell the story again in a few words.", "Please tell me the story again."]
GO_ON = ["How does the story go on?", "Tell me the end of the story."]


@dataclass(frozen=True)
class Question:
    """One question about a story. kind: who, where, what or how many."""

    kind: str
    text: str
    answer: str


@dataclass(frozen=True)
class Fact:
    """What can be asked about one sentence: an answer, and the questions it is right for,
    each an opening and a core with slots."""

    kind: str
    answer: str
    wordings: list[tuple[str, str]]
    slots: dict[str, str]

    def question(self, draw: float) -> Question:
        """The wording that a number in [0, 1) draws."""
        opening, core = self.wordings[int(draw * len(self.wordings))]
        return Question(self.kind, opening + core.format(**self.slots),
                        self.answer.format(**self.slots))


def facts_of(story: Short, test: bool = False) -> list[Fact]:
    """What can be asked about a story, in the wordings for testing or in the others."""
    found = []
    for sentence, slots in story.sentences():
        for name in SHORT["asked"].get(sentence, ()):
            kind, answer, cores = SHORT["questions"][name]
            found.append(Fact(kind, answer, wordings(tuple(cores), test), slots))
    return found


@lru_cache(None)
def wordings(cores: tuple[str, ...], test: bool) -> list[tuple[str, str]]:
    """Each core with the one opening, of four, that is for testing, or with the others."""
    openings = SHORT["openings"]
    return [(opening, core) for core in cores for i, opening in enumerate(openings)
            if (hashed(re.sub(r"\{\w+\}", "{}", core)) % len(openings) == i) == test]


def part_of(key: str) -> str:
    """Train, validation or test, by which sentences a story is made of: a tenth is for
    testing, a twentieth for validation."""
    number = hashed(key) % 20
    return "test" if number < 2 else "validation" if number == 2 else "train"


def stories_of(part: str, seed: int = 0) -> Iterator[tuple[Short, list[float]]]:
    """Yields a part's stories without end, each with a dozen random numbers."""
    start = FIRST // BLOCK * BLOCK
    while True:
        draws = uniforms((BLOCK, 12), seed, start, "questions").tolist()
        for number, story in shorts(BLOCK, seed, start, lambda key: part_of(key) == part):
            yield story, draws[number - start]
        start += BLOCK


def conversations(part: str, count: int, seed: int = 0) -> Iterator[list[dict[str, str]]]:
    """`count` conversations as lists of OpenAI's messages: eight in ten with two to five
    questions, one that asks for the story again, one for its end."""
    for _, (story, row) in zip(range(count), stories_of(part, seed)):
        kind, *row = row
        if kind < 0.1:
            asked = [again(story, row)]
        elif kind < 0.2:
            asked = [go_on(story, row)]
        else:
            asked = several(story, row)
        yield messages(asked)


def messages(asked: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Questions with their answers, as a conversation."""
    return [message for question, answer in asked
            for message in ({"role": "user", "content": question},
                            {"role": "assistant", "content": answer})]


def several(story: Short, row: list[float]) -> list[tuple[str, str]]:
    """Two to five questions about different facts; the story stands before the first."""
    left, asked = facts_of(story), []
    for number in range(2 + int(row[0] * 4)):
        fact = left.pop(int(row[1 + 2 * number] * len(left)))
        chosen = fact.question(row[2 + 2 * number])
        asked.append((chosen.text, chosen.answer))
    first, answer = asked[0]
    return [(story.text + LINKED + first, answer), *asked[1:]]


def again(story: Short, row: list[float]) -> tuple[str, str]:
    """The story told again: who it is about, the first sentence of what happens, the end."""
    opening, events, closing = list(zip(story.lines, story.slots))[-3:]
    who, kin = (OPENING[i][int(row[n] * len(OPENING[i]))] for n, i in ((1, 0), (2, 4)))
    feeling = CLOSING[0][int(row[3] * len(CLOSING[0]))]
    said = [who.format(**opening[1]), kin.format(**opening[1]),
            events[0][0].format(**events[1]), feeling.format(**closing[1]), "The end."]
    return story.text + LINKED + AGAIN[int(row[0] * len(AGAIN))], " ".join(said)


def go_on(story: Short, row: list[float]) -> tuple[str, str]:
    """The story without its last paragraph is given, and that is the answer."""
    begun, _, end = story.text.rpartition("\n")
    return begun + LINKED + GO_ON[int(row[0] * len(GO_ON))], end


def tests(count: int, seed: int = 0) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yields (kind, conversation): one question for each test story, in a wording that is not
    trained on, and its answer."""
    for _, (story, row) in zip(range(count), stories_of("test", seed)):
        facts = facts_of(story, test=True)
        asked = facts[int(row[0] * len(facts))].question(row[1])
        yield asked.kind, messages([(story.text + LINKED + asked.text, asked.answer)])


def story_tests(count: int, seed: int = 0) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yields (text, conversation): half of the test stories are to be told again, of half the
    end is to be told. `score_story` scores an answer behind its text."""
    for number, (story, row) in zip(range(count), stories_of("test", seed)):
        if number % 2:
            yield story.text.rpartition("\n")[0] + "\n", messages([go_on(story, row)])
        else:
            yield "", messages([again(story, row)])
