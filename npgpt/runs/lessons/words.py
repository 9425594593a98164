"""The lesson of the words: vectors learned from sentences, and what they know."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npgpt.files import write_atomically
from npgpt.random_stream import uniforms
from npgpt.text.corpora.words import ANALOGIES, word_sentences
from npgpt.text.word_batches import IGNORE, neighbours, number_words, word_batches

SENTENCES, D, WINDOW, NEGATIVES, SIZE = 24000, 32, 4, 5, 256
EPOCHS = {"skip-gram": 3, "cbow": 8}
RATE = {"skip-gram": 0.1, "cbow": 0.15}
MEASURED = 12       # times that the analogies are asked while it learns
ASKED = ("king", "man", "woman")
NEAREST = ("king", "paris", "cold", "swam", "cat")


def same(array: np.ndarray) -> np.ndarray:
    return array


def learn_words(
    foundations: ModuleType, seed: int = 1, method: str = "skip-gram",
    enter: Callable = same, leave: Callable = same,
    report: Callable[[float, str], None] = lambda progress, text: None,
) -> dict[str, Any]:
    """Vectors for the words of `word_sentences`, and what they answer.

    foundations: npgpt's or torchgpt's; enter, leave: from NumPy's arrays to its own and back.
    report(progress, text) is called as it learns."""
    sentences = word_sentences(SENTENCES, seed)
    words, _, counts = number_words(sentences)
    questions, relation = analogy_questions(words)
    tables = foundations.init_word_vectors(
        enter(uniforms((len(words), D), seed, 0, "word_vectors").astype(np.float32)))

    def accuracy(vectors):
        answers = leave(foundations.solve_analogies(vectors, enter(questions[:, :3])))
        return by_relation(answers == questions[:, 3], relation)

    progress, path, losses = 0.0, [], []

    def batches() -> Iterator[tuple[dict, float]]:
        nonlocal progress
        probs = leave(foundations.noise_probs(enter(counts.astype(float))))
        drawn = word_batches(
            sentences, probs, method, WINDOW, NEGATIVES, EPOCHS[method], SIZE, seed=seed)
        for batch, done in drawn:
            progress = done
            yield {name: enter(array) for name, array in batch.items()}, progress

    untrained = accuracy(tables["input_vectors"])
    name = method.replace("-", "_")
    fitted = foundations.fit_word_vectors(
        getattr(foundations, name), getattr(foundations, f"{name}_backward"), tables, batches(),
        RATE[method])
    for learned, loss in fitted:
        tables = learned
        losses.append(loss)
        if progress >= len(path) / MEASURED:
            path.append({"progress": progress, "loss": float(np.mean(losses)),
                         "accuracy": accuracy(tables["input_vectors"])})
            losses = []
        report(progress, f"loss {loss:.3f}  analogies {mean_of(path[-1]['accuracy']):.0%}")
    vectors = leave(tables["input_vectors"])
    path.append({"progress": 1.0, "loss": float(np.mean(losses or [loss])),
                 "accuracy": accuracy(tables["input_vectors"])})
    return {
        "method": method, "seed": seed, "sentences": SENTENCES, "words": words,
        "channels": D, "window": WINDOW, "negatives": NEGATIVES,
        "epochs": EPOCHS[method], "rate": RATE[method],
        "examples": [" ".join(sentence) for sentence in sentences[:3]],
        "questions": len(questions), "path": path, "accuracy": path[-1]["accuracy"],
        "baselines": {"untrained": untrained,
                      "counts": accuracy(enter(neighbour_counts(sentences, seed)))},
        "asked": list(ASKED), "answers": answers_to(foundations, vectors, words, enter, leave),
        "nearest": {word: nearest(foundations, vectors, words, word, enter, leave)
                    for word in NEAREST},
        "vectors": vectors,
    }


def analogy_questions(words: list[str]) -> tuple[np.ndarray, list[str]]:
    """-> questions (Q, 4), a is to b as c is to d, in numbers; the relation of each."""
    number = {word: i for i, word in enumerate(words)}
    found = [((*first, *second), relation) for relation, pairs in ANALOGIES.items()
             for first in pairs for second in pairs if first != second]
    return (np.array([[number[word] for word in question] for question, _ in found]),
            [relation for _, relation in found])


def by_relation(right: np.ndarray, relation: list[str]) -> dict[str, float]:
    """The part of the questions of each relation that has the right answer."""
    names = np.array(relation)
    return {name: float(right[names == name].mean()) for name in ANALOGIES}


def mean_of(accuracy: dict[str, float]) -> float:
    """Each relation counts alike, however many questions it has."""
    return sum(accuracy.values()) / len(accuracy)


def neighbour_counts(sentences: list[list[str]], seed: int) -> np.ndarray:
    """(V, V): how often each word stands beside each; a vector that nothing has learned."""
    words, ids, _ = number_words(sentences)
    sentence = np.repeat(np.arange(len(sentences)), [len(each) for each in sentences])
    context = neighbours(ids, sentence, WINDOW, seed, 0)
    at, column = np.nonzero(context != IGNORE)
    counts = np.zeros((len(words), len(words)))
    np.add.at(counts, (ids[at], context[at, column]), 1)
    return counts


def write_vectors(file: Path, words: list[str], vectors: np.ndarray) -> None:
    """The text format of word2vec.c, which gensim reads too: the sizes, then a word a line."""
    lines = [f"{len(words)} {vectors.shape[1]}"]
    lines += [" ".join([word, *(f"{number:.6f}" for number in vector)])
              for word, vector in zip(words, vectors)]
    write_atomically(file, "\n".join(lines) + "\n")


def answers_to(
    foundations: ModuleType, vectors: np.ndarray, words: list[str], enter: Callable,
    leave: Callable,
) -> list[tuple[str, float]]:
    """The four words that lie nearest to king − man + woman, but for these three."""
    a, b, c = (words.index(word) for word in ASKED)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    wanted = (units[a] - units[b] + units[c])[None]
    return ranked(foundations, wanted, vectors, words, ASKED, enter, leave)


def nearest(
    foundations: ModuleType, vectors: np.ndarray, words: list[str], word: str, enter: Callable,
    leave: Callable,
) -> list[tuple[str, float]]:
    """The four words whose vectors point most alike, and their cosines."""
    i = words.index(word)
    return ranked(foundations, vectors[i:i + 1], vectors, words, (word,), enter, leave)


def ranked(
    foundations: ModuleType, wanted: np.ndarray, vectors: np.ndarray, words: list[str],
    but: tuple[str, ...], enter: Callable, leave: Callable,
) -> list[tuple[str, float]]:
    cosine = leave(foundations.cosine_similarity(
        enter(wanted.astype(vectors.dtype)), enter(vectors)))[0]
    order = [i for i in np.argsort(-cosine, kind="stable") if words[i] not in but]
    return [(words[i], float(cosine[i])) for i in order[:4]]
