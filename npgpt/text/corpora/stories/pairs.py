"""Preferences about short stories: a question, its right answer, and a wrong one.

The wrong answer is right for the same kind of question about the next story. Stories and
wordings are held out as for `stories:chat`.
"""

from collections.abc import Iterator

from npgpt.text.corpora.stories.questions import LINKED, facts_of, stories_of


def pairs(part: str, count: int, seed: int = 0) -> Iterator[tuple[str, str, str]]:
    """Yields `count` times (question behind its story, right answer, wrong answer)."""
    stories = stories_of(part, seed)
    story, row = next(stories)
    found = 0
    while found < count:
        other, other_row = next(stories)
        facts = facts_of(story)
        asked = facts[int(row[0] * len(facts))].question(row[1])
        wrong = [fact.question(0.0).answer for fact in facts_of(other) if fact.kind == asked.kind]
        wrong = [answer for answer in wrong if answer != asked.answer]
        if wrong:
            found += 1
            yield story.text + LINKED + asked.text, asked.answer, wrong[int(row[2] * len(wrong))]
        story, row = other, other_row
