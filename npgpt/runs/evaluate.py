"""Before and after: what a model answers, what it has forgotten, in one row of figures."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.finetuning import answer_log_probs
from npgpt.finetuning.rows import example, padded
from npgpt.runs.answers import ask, by_kind, prompt_of, right
from npgpt.runs.chat_data import chat_of, encoded
from npgpt.runs.checkpoint import Checkpoint
from npgpt.runs.forgetting import Corpus, mean_over, windows_of
from npgpt.runs.run import count_parameters
from npgpt.runs.train import perplexity
from npgpt.text.chat import Chat
from npgpt.text.corpora.chats import Chats, Conversation
from npgpt.text.corpora.stories import score_story

AT_ONCE = 16  # sequences of one forward pass
STORY_TOKENS = 90  # of an answer that tells a story


@dataclass
class Row:
    """One model's figures. exact_match: fraction of the test questions whose likeliest answer
    is right; drawn: the same where answers are drawn at temperature 1; answer_loss: nats an
    answer's token; perplexity: on the old corpus, None where none is known; grammatical,
    consistent: fractions of the sentences in stories it tells; length: tokens of an answer;
    trained, parameters: numbers of weights; seconds, memory_mb: what its training took, None
    where no log tells."""

    model: str
    exact_match: float
    by_kind: dict[str, float]
    answer_loss: float
    perplexity: float | None
    grammatical: float | None
    consistent: float | None
    length: float
    trained: int
    parameters: int
    seconds: float | None = None
    memory_mb: float | None = None
    drawn: float | None = None
    drawn_by_kind: dict[str, float] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(repr=False, default_factory=list)


def evaluate_model(
    checkpoint: Checkpoint, name: str, engine: Callable, chats: Chats, corpus: Corpus | None,
    model: Any, questions: int | None = None, trained: int = 0,
    report: Callable[[str, int, int], None] = lambda what, done, total: None,
    **costs: float | None,
) -> Row:
    """The figures of one checkpoint. engine(checkpoint) gives what writes; questions: how
    many of the test questions are asked, all by default; trained and costs: as in a Row;
    report(what, done, total): of what it is asked."""
    chat, _ = chat_of(checkpoint.template_path or checkpoint.path, checkpoint.tokenizer)
    loss = answer_loss(checkpoint, model, chat, chats.validation)
    asked = engine(checkpoint), chat
    about = checkpoint.path, checkpoint.config, checkpoint.family
    tests = chats.test[:questions]

    def asking(what: str, total: int) -> Callable[[int], None]:
        return lambda done: report(f"{Path(name).name}: {what}", done, total)

    found = ask(*asked, tests, *about, report=asking("questions", len(tests)))
    marks = [right(answer, test) for answer, test in zip(found, tests)]
    grammatical, consistent = stories_told(
        chats, asked, about, asking("stories", len(chats.stories)))
    tokenizer = checkpoint.tokenizer
    old = None if corpus is None else mean_over(
        windows_of(corpus, tokenizer, checkpoint.config.context_length),
        model, checkpoint.params, checkpoint.config)
    drawn = drawn_right(checkpoint, model, chat, tests)
    return Row(
        model=name,
        exact_match=sum(marks) / len(marks),
        by_kind=dict(by_kind(chats.kinds[:len(marks)], marks)),
        answer_loss=loss,
        perplexity=None if old is None else perplexity(old),
        grammatical=grammatical,
        consistent=consistent,
        length=sum(len(tokenizer.encode(answer)) for answer in found) / len(found),
        trained=trained,
        parameters=count_parameters(checkpoint.family, checkpoint.config),
        **costs,
        drawn=float(drawn.mean()),
        drawn_by_kind=dict(by_kind(chats.kinds[:len(tests)], drawn.tolist())),
        answers=[{"question": test[-2]["content"].rpartition("\n")[2], "answer": answer,
                  "right": test[-1]["content"]} for test, answer in zip(tests, found)],
    )


def stories_told(
    chats: Chats, asked: tuple, about: tuple, report: Callable[[int], None]
) -> tuple[float | None, float | None]:
    """Of all sentences in the stories that it tells when asked to: those that the grammar
    makes, and those that also agree with the story so far. None where nothing is told."""
    if not chats.stories:
        return None, None
    before, tests = zip(*chats.stories)
    told = ask(*asked, list(tests), *about, tokens=STORY_TOKENS, report=report)
    counts = np.zeros(3)
    for text, answer in zip(before, told):
        whole, begun = (score_story(each) for each in (f"{text}{answer}", text))
        counts += [whole.sentences - begun.sentences, whole.grammatical - begun.grammatical,
                   whole.consistent - begun.consistent]
    sentences, grammatical, consistent = counts.tolist()
    return grammatical / max(sentences, 1), consistent / max(sentences, 1)


def drawn_right(
    checkpoint: Checkpoint, model: Any, chat: Chat, tests: list[Conversation]
) -> np.ndarray:
    """(tests,): how often an answer that is drawn at temperature 1 is the right one, word for
    word and with its end, which is that answer's probability."""
    found, examples = np.zeros(len(tests)), {}
    for i, test in enumerate(tests):
        ids, learnt = chat.learnt(test)
        asked = len(prompt_of(chat, test))  # of several answers the last one counts
        limit = checkpoint.config.context_length
        if limit is None or len(ids) - 1 <= limit:
            examples[i] = example(ids, [False] * asked + learnt[asked:])
    order = sorted(examples, key=lambda i: len(examples[i][0]))
    for first in range(0, len(order), AT_ONCE):
        some = order[first:first + AT_ONCE]
        rows = padded([examples[i] for i in some])
        log_probs = answer_log_probs(model, checkpoint.params, rows["inputs"][:, None],
                                     rows["targets"][:, None], checkpoint.config)
        found[some] = np.exp(log_probs.sum(axis=(1, 2)))
    return found


def answer_loss(
    checkpoint: Checkpoint, model: Any, chat: Chat, chats: list[Conversation]
) -> float:
    """Mean loss in nats over the answers' tokens. InputError where no conversation fits."""
    dropped: Counter[str] = Counter()
    _, examples = encoded(chats, chat, checkpoint.config.context_length, dropped)
    if not examples:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
        raise InputError(f"no validation conversation can be read by {checkpoint.path}: {reasons}")
    examples.sort(key=lambda each: len(each[0]))
    batches = [padded(examples[first:first + AT_ONCE])
               for first in range(0, len(examples), AT_ONCE)]
    return mean_over([(batch["inputs"], batch["targets"]) for batch in batches],
                     model, checkpoint.params, checkpoint.config)
