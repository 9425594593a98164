"""stories:chat: the same everywhere, one right answer a question, nothing of the test part
in training; and files of conversations."""

import hashlib
import json
from itertools import islice

import pytest

from npgpt.errors import InputError
from npgpt.text import load_corpus
from npgpt.text.corpora.chats import load_chats, read_chats, write_chats
from npgpt.text.corpora.stories import score_story, short_stories
from npgpt.text.corpora.stories.questions import conversations, facts_of, stories_of
from npgpt.text.corpora.stories.short import LONGEST, SHORT, shorts

CHATS = load_chats("stories:chat:300")


def test_the_bytes_are_the_same_on_every_machine():
    texts = "\n\n".join(short_stories(300, seed=1)).encode()
    assert hashlib.sha256(texts).hexdigest() == STORIES
    assert CHATS.sha256 == QUESTIONS
    assert [*conversations("train", 20)] == CHATS.train[:20]
    assert [*conversations("train", 20, seed=1)] != CHATS.train[:20]


STORIES = "ec84c349e04c4ca8595be29de89af4814b892f2c091ca23b813ed72594a3b06e"
QUESTIONS = "5697db0fcfeb90a0719af4f78999ad9baf7f07b71ecb3c0dead017c4dd4b54e0"


def test_short_stories_are_short_and_well_formed():
    texts = list(short_stories(150, seed=2))
    assert max(map(len, texts)) <= LONGEST
    assert len(set(texts)) == len(texts)
    for text in texts[:60]:
        assert score_story(text).well_formed, score_story(text).problems
    size = len(load_corpus("stories:short:100KB").text)
    assert size == pytest.approx(100_000, rel=0.01)


def test_a_question_has_one_right_answer():
    for story, _ in islice(stories_of("train"), 150):
        answers = {}
        for test in (False, True):
            for fact in facts_of(story, test):
                for n in range(len(fact.wordings)):
                    asked = fact.question((n + 0.5) / len(fact.wordings))
                    assert answers.setdefault(asked.text, asked.answer) == asked.answer
        assert len({kind.kind for kind in facts_of(story)}) >= 3


def test_an_answer_stands_in_its_story():
    """But for the words that join it."""
    for test in CHATS.test:
        question, answer = (message["content"] for message in test)
        said = set(answer.split()) - {"near", "at", "of", "the", "a", "in"}
        assert all(word in question for word in said), (question, answer)


def test_train_and_test_share_no_story_and_no_wording():
    def parts(chats):
        stories, wordings = set(), set()
        for chat in chats:
            for message in chat[::2]:
                story, _, question = message["content"].rpartition("\n\n")
                stories.add(story)
                wordings.add(question)
        return stories - {""}, wordings

    (train, trained), (test, tested) = parts(CHATS.train), parts(CHATS.test)
    assert not train & test
    assert not trained & tested
    keys = {part: {story.key for story, _ in islice(stories_of(part), 300)}
            for part in ("train", "validation", "test")}
    assert not keys["train"] & keys["test"]
    assert not keys["train"] & keys["validation"]
    # what the base model reads ends before these begin
    assert not train & set(short_stories(300))


def test_a_test_wording_is_new_but_its_words_are_not():
    cores = [core for _, _, each in SHORT["questions"].values() for core in each]
    words = {word for chat in conversations("train", 1200) for message in chat[::2]
             for word in message["content"].rpartition("\n\n")[2].split()}
    assert {word for core in cores for word in core.split() if "{" not in word} <= words


def test_every_kind_is_asked():
    assert set(CHATS.kinds) == {"who", "where", "what", "how many"}
    assert len(CHATS.kinds) == len(CHATS.test) == 500


def test_every_question_is_about_a_sentence_of_the_grammar():
    sentences = {sentence for _, story in shorts(1500) for sentence, _ in story.sentences()}
    assert set(SHORT["asked"]) <= sentences
    asked = {name for names in SHORT["asked"].values() for name in names}
    assert asked == set(SHORT["questions"])


def test_stories_that_are_told_are_well_formed():
    assert len(CHATS.stories) == 40
    for text, test in CHATS.stories:
        score = score_story(text + test[-1]["content"])
        assert score.well_formed, score.problems


def test_files_are_read_as_they_were_written(tmp_path):
    write_chats(tmp_path / "chats.jsonl", CHATS.train)
    chats = load_chats(tmp_path / "chats.jsonl")
    assert read_chats(tmp_path / "chats.jsonl") == (CHATS.train, {})
    assert 10 < len(chats.validation) < 60
    assert len(chats.train) + len(chats.validation) == 300
    assert not [chat for chat in chats.train if chat in chats.validation]


USER, ANSWER = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}
SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(("line", "reason"), [
    ({"messages": [SYSTEM, USER, ANSWER]}, None),
    ({"messages": [USER, ANSWER, USER, ANSWER]}, None),
    ("no JSON", "that is no JSON"),
    ({"prompt": [USER], "chosen": [ANSWER], "rejected": [ANSWER]},
     "with a pair of answers, which --method dpo takes"),
    ({"text": "Why?"}, "without a list of messages"),
    ({"messages": []}, "without a list of messages"),
    ({"messages": [USER, {"role": "assistant", "content": None}]},
     "with a message that is no text"),
    ({"messages": [USER, {"role": "assistant", "content": "\ud800"}]},
     "with a message that is no text"),
    ({"messages": [USER, {"role": "teacher", "content": "So."}]},
     "with a role other than system, user and assistant"),
    ({"messages": [USER]}, "without an answer"),
    ({"messages": [USER, USER, ANSWER]}, "with roles out of order"),
    ({"messages": [ANSWER, USER]}, "with roles out of order"),
    ({"messages": [USER, ANSWER, USER]}, "with roles out of order"),
    ({"messages": [USER, SYSTEM, ANSWER]}, "with roles out of order"),
    ({"messages": [USER, {"role": "assistant", "content": " \n"}]}, "with an empty message"),
])
def test_a_line_is_checked(tmp_path, line, reason):
    file = tmp_path / "chats.jsonl"
    text = line if isinstance(line, str) else json.dumps(line)
    file.write_text(text + "\n\n" + json.dumps({"messages": [USER, ANSWER]}) + "\n")
    found, dropped = read_chats(file)
    assert dropped == ({reason: 1} if reason else {})
    assert len(found) == (1 if reason else 2)


def test_what_cannot_be_learned_from_is_refused(tmp_path):
    file = tmp_path / "chats.jsonl"
    file.write_text('{"messages": []}\n{"messages": 3}\n')
    with pytest.raises(InputError, match="2 without a list of messages"):
        load_chats(file)
    for name in ("stories:chat:0", "stories:chat:many", "notes.txt", "nothing.jsonl"):
        with pytest.raises(InputError):
            load_chats(name)
