"""Tokenizers drawn: a text as merges join its bytes; and how many bytes a token holds."""

from npgpt.text import BytePairTokenizer, CharacterTokenizer, WordTokenizer, load_corpus
from npgpt.text.tokenizers.naive_byte_pairs import decode, encode, train
from svg import Svg, chart

TEXT = "the cat sat on the mat; the cat sat"
SIZES = [257, 400, 600, 1000, 1600, 2500, 4000]


def picture(width):
    merges = train(TEXT, 256 + 12)
    phone = width < 500
    text = TEXT[:16] if phone else TEXT[:22]
    rows = [0, 1, 2, 4, 8, 12]
    left = 0 if phone else 118
    step = (width - left - 2) / len(text)
    gap = 62 if phone else 52
    image = Svg(width, len(rows) * gap + 4)
    for row, count in enumerate(rows):
        y = row * gap + (22 if phone else 8)
        pair = f"{decode([256 + count - 1], merges)!r}" if count else ""
        words = f"{count} merges" if count != 1 else "1 merge"
        if phone:
            image.text(0, y - 7, words + (f", the last {pair}" if pair else ""), "nt")
        else:
            image.text(0, y + 15, words, "lab")
            if pair:
                image.text(0, y + 31, f"last: {pair}", "nt")
        at = 0
        for n, id in enumerate(encode(text, merges[:count])):
            piece = decode([id], merges)
            kind = "np" if n % 2 else "pt"
            image.rect(left + at * step, y, len(piece) * step - 2, 28, f"cellbox {kind}", 3,
                       f"--share:{min(1, 0.25 * len(piece)):.2f}")
            for i, character in enumerate(piece):
                image.text(left + (at + i + 0.5) * step - 1, y + 18,
                           "␣" if character == " " else character, "val", "middle")
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
    return chart(width, {"byte pairs": (SIZES, pairs, "np"),
                         "words": (SIZES, [words] * len(SIZES), "ink"),
                         "characters": (SIZES, [characters] * len(SIZES), "dim")},
                 "size of the byte-pair vocabulary", "bytes a token", y_range=(0, 5))
