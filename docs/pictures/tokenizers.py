"""Tokenizers drawn: words that nobody has read before, one text cut in three ways, byte pairs
as they are learned and used, and how many bytes a token holds."""

from collections import Counter
from functools import lru_cache
from itertools import pairwise

import regex
from npgpt.text import BytePairTokenizer, CharacterTokenizer, WordTokenizer, load_corpus
from npgpt.text.tokenizers.colours import pieces
from npgpt.text.tokenizers.naive_byte_pairs import BYTES, decode, encode, merge, split, train
from svg import Svg, chart

TEXT = "the cat sat; the cat ate the hat"
NEW = "that cat"
LEARNED = 6
SENTENCE = "Unhashable objects cannot be keys."
SIZES = [257, 400, 600, 1000, 1600, 2500, 4000]
CHARACTERS = ["a", "é", "€", "🙂"]


def printable(text):
    return text.replace(" ", "␣")


def worked():
    """The counts of every pair before every merge; a new text, merge by merge."""
    merges = train(TEXT, 256 + LEARNED)
    made = [printable(decode([256 + n], merges)) for n in range(LEARNED)]
    words, tables, order = split(TEXT), [], []
    for new, pair in enumerate(merges, start=256):
        counts = Counter(pair for word in words for pair in pairwise(word))
        tables.append(counts)
        order += [pair for pair in sorted(counts, key=lambda pair: (-counts[pair], pair))
                  if pair not in order]
        words = [merge(word, pair, new) for word in words]
    steps, word_list = [], split(NEW)
    for new, pair in enumerate(merges, start=256):
        steps.append([printable("·".join(decode([id], merges) for id in word))
                      for word in word_list])
        word_list = [merge(word, pair, new) for word in word_list]
    steps.append([printable("·".join(decode([id], merges) for id in word)) for word in word_list])
    rows = [" ".join(printable(decode([id], merges)) for id in pair) for pair in order]
    bytes_of = [[f"U+{ord(c):04X}", str(len(c.encode())), " ".join(
        str(byte) for byte in c.encode())] for c in CHARACTERS]
    return {"tokenizers": {"names": {
        "counts": [[count(table, pair, best) for table, best in zip(tables, merges)]
                   for pair in order], "pairs": rows,
        "heads": made, "made": made,
        "ids": [str(256 + n) for n in range(LEARNED)], "length": len(TEXT.encode()),
        "tokens": len(encode(TEXT, merges)), "merges": merges,
        "steps": steps, "stages": ["the bytes", *(f"after {n}: {name}"
                                                  for n, name in enumerate(made, 1))],
        "new_ids": encode(NEW, merges), "new_bytes": len(NEW.encode()),
        "cut": [len(parts) for _, _, parts in three()], "read_words": unknown_words()[0][-1],
        "one_in": 100 / unknown_words()[1][-1],
        "id_of": lambda c: BYTES.index(c.encode()[0]),
        "utf8": bytes_of, "characters": CHARACTERS}}}


def count(table, pair, best):
    """A number where the pair wins, which the page then colours; words where it does not."""
    return table[pair] if pair == best else str(table[pair]) if pair in table else None


def word_pattern(text):
    return regex.findall(r"\p{L}+", text)


@lru_cache(maxsize=1)
def unknown_words():
    """How many of the words of a new text were not in the first n words of another."""
    corpus = load_corpus("python-docs")
    new, learnt = word_pattern(corpus.validation_text), word_pattern(corpus.train_text)
    sizes = [300, 1000, 3000, 10000, 30000, len(learnt)]
    unknown = []
    for size in sizes:
        known = set(learnt[:size])
        unknown.append(100 * sum(word not in known for word in new) / len(new))
    return sizes, unknown


def problem(width):
    sizes, unknown = unknown_words()
    return chart(width, {"words of a new text that were never read": (sizes, unknown, "att")},
                 "words read in training", "unknown, in %", x_log=True, y_range=(0, 65),
                 x_ticks=sizes[:-1])


@lru_cache(maxsize=1)
def three():
    """One sentence as three tokenizers cut it, all learned from Python's documentation."""
    text = load_corpus("python-docs").train_text
    found = []
    for name, tokenizer in (("characters", CharacterTokenizer.train(text)),
                            ("words", WordTokenizer.train(text)),
                            ("byte pairs", BytePairTokenizer.train(text, 1000))):
        parts = [piece for _, piece in pieces(tokenizer, tokenizer.encode(SENTENCE))]
        found.append((name, tokenizer.vocab_size, parts))
    return found


def boxes(image, x, y, parts, unit, gap=3, kind=None, limit=None):
    """Pieces of a text as boxes, as wide as their letters; returns where they end."""
    at, row = x, y
    for part in parts:
        size = max(unit * len(part) + 7, 0)
        if limit and at + size > limit:
            at, row = x, row + 34
        kinds = kind(part) if kind else "grey"
        image.rect(at, row, size, 28, f"cellbox {kinds}", 3,
                   f"--share:{min(1, 0.3 + 0.12 * len(part)):.2f}")
        image.text(at + size / 2, row + 18, printable(part), "val", "middle")
        at += size + gap
    return at, row


def ways(width):
    """The sentence in characters, words and byte pairs."""
    phone = width < 500
    image = Svg(width, 1)
    y = 4
    for name, size, parts in three():
        image.text(0, y + 13, f"{name}: {len(parts)} tokens, a vocabulary of {size:,}", "lab")
        _, y = boxes(image, 0, y + 22, parts, 8, 2 if phone else 3,
                     lambda part: "grey" if part in ("<unk>",) or len(part) == 1 else "att",
                     width)
        y += 52
    image.height = y - 14
    return image


def picture(width):
    merges = train(TEXT, 256 + LEARNED)
    phone = width < 500
    text = TEXT[:16] if phone else TEXT[:24]
    rows = range(LEARNED + 1)
    left = 0 if phone else 128
    step = (width - left - 2) / len(text)
    gap = 56 if phone else 44
    image = Svg(width, len(rows) * gap + 4)
    for row, count in enumerate(rows):
        y = row * gap + (22 if phone else 8)
        new = printable(decode([256 + count - 1], merges)) if count else ""
        words = f"merge {count}: {new}" if count else "the bytes"
        image.text(0, y - 7 if phone else y + 18, words, "lab")
        at = 0
        for id in encode(text, merges[:count]):
            piece = decode([id], merges)
            image.rect(left + at * step, y, len(piece) * step - 2, 28,
                       f"cellbox {'att' if len(piece) > 1 else 'grey'}", 3,
                       f"--share:{min(1, 0.22 * len(piece)):.2f}")
            for i, character in enumerate(piece):
                image.text(left + (at + i + 0.5) * step - 1, y + 18, printable(character), "val",
                           "middle")
            at += len(piece)
    return image


def plot(width):
    corpus = load_corpus("python-docs")
    learnt, unseen = corpus.train_text, corpus.validation_text

    def bytes_a_token(tokenizer):
        return len(unseen.encode()) / len(tokenizer.encode(unseen))

    pairs = [bytes_a_token(BytePairTokenizer.train(learnt, size)) for size in SIZES]
    characters = bytes_a_token(CharacterTokenizer.train(learnt))
    words = bytes_a_token(WordTokenizer.train(learnt))
    return chart(width, {"byte pairs": (SIZES, pairs, "att"),
                         "words": (SIZES, [words] * len(SIZES), "ink"),
                         "characters": (SIZES, [characters] * len(SIZES), "dim")},
                 "size of the byte-pair vocabulary", "bytes a token", y_range=(0, 5))
