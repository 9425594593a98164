"""From sentences to what word2vec learns from: words, their neighbours, noise.

All of it is whole numbers, drawn by name from the seed, so that both packages learn from the same
batches.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from npgpt.random_stream import uniforms

IGNORE = -100


def number_words(sentences: list[list[str]]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """-> the words, the most frequent first; ids (n,) of all sentences in one row; counts (V,),
    how often each word occurs."""
    counter = Counter(word for sentence in sentences for word in sentence)
    words = sorted(counter, key=lambda word: (-counter[word], word))
    number = {word: i for i, word in enumerate(words)}
    ids = np.array([number[word] for sentence in sentences for word in sentence])
    return words, ids, np.array([counter[word] for word in words])


def thinned(
    ids: np.ndarray, counts: np.ndarray, threshold: float, seed: int, epoch: int
) -> np.ndarray:
    """ids (n,), counts (V,) -> (n,), True for the words that stay.

    A word that makes up more than `threshold` of the text is left out here and there, the more
    often the more frequent it is: what stands beside "the" tells little (word2vec.c, `-sample`)."""
    parts = counts / counts.sum() / threshold
    probs = (np.sqrt(parts) + 1) / parts
    return uniforms(ids.shape, seed, epoch, "thinned") < probs[ids]


def neighbours(
    ids: np.ndarray, sentence: np.ndarray, window: int, seed: int, epoch: int
) -> np.ndarray:
    """ids (n,); sentence (n,), in which sentence each word stands -> context (n, 2·window), the
    words around each, -100 where there is none.

    How far a word looks is drawn from 1 to `window`, as in word2vec.c: near neighbours are met
    more often than far ones."""
    reach = 1 + (uniforms(ids.shape, seed, epoch, "window") * window).astype(int)
    columns = []
    for offset in [*range(-window, 0), *range(1, window + 1)]:
        at = np.arange(len(ids)) + offset
        inside = (at >= 0) & (at < len(ids)) & (abs(offset) <= reach)
        at = np.where(inside, at, 0)
        inside &= sentence[at] == sentence
        columns.append(np.where(inside, ids[at], IGNORE))
    return np.stack(columns, axis=1)


def draw_noise(
    target: np.ndarray, probs: np.ndarray, count: int, seed: int, step: int
) -> np.ndarray:
    """target (B,), probs (V,) -> negatives (B, count); one that equals its target is skipped,
    which -100 says."""
    draws = uniforms((len(target), count), seed, step, "noise")
    drawn = np.searchsorted(np.cumsum(probs)[:-1], draws, side="right")
    return np.where(drawn == target[:, None], IGNORE, drawn)


def word_batches(
    sentences: list[list[str]], probs: np.ndarray, method: str = "skip-gram", window: int = 4,
    negatives: int = 5, epochs: int = 4, size: int = 256, threshold: float = 1e-3,
    seed: int = 0,
) -> Iterator[tuple[dict, float]]:
    """Yields a batch and the progress, from 0 to 1: what `fit_word_vectors` reads.

    probs (V,): of the noise. method: "skip-gram" or "cbow", whose arguments the batch has. Each
    epoch goes over all words in another order, with other windows."""
    _, all_ids, counts = number_words(sentences)
    all_sentences = np.repeat(np.arange(len(sentences)), [len(words) for words in sentences])
    step = 0
    for epoch in range(epochs):
        stay = thinned(all_ids, counts, threshold, seed, epoch)
        ids, sentence = all_ids[stay], all_sentences[stay]
        context = neighbours(ids, sentence, window, seed, epoch)
        if method == "skip-gram":
            at, column = np.nonzero(context != IGNORE)
            rows = {"focus": ids[at], "target": context[at, column]}
        else:
            some = (context != IGNORE).any(axis=1)
            rows = {"context": context[some], "target": ids[some]}
        total = len(rows["target"])
        order = np.argsort(uniforms((total,), seed, epoch, "order"))
        for begin in range(0, total, size):
            batch = {name: array[order[begin:begin + size]] for name, array in rows.items()}
            batch["negatives"] = draw_noise(batch["target"], probs, negatives, seed, step)
            yield batch, (epoch + begin / total) / epochs
            step += 1
