"""Step 5: a class, so that each text can have a tokenizer of its own."""

import re
from collections import Counter

TEXT = "The dog bit the man.\nThe man did not bite  the dog."
OTHER = "One fish, two fish, red fish, blue fish."
UNKNOWN = "<unk>"  # no text is ever cut into this: it has < and > in it


def cut(text):
    return re.findall(r"\w+|\W", text)


class Tokenizer:
    """pieces: a list of strings; the place in the list is the id."""

    def __init__(self, pieces):
        self.pieces = list(pieces)
        self.ids = {piece: id for id, piece in enumerate(self.pieces)}

    @classmethod
    def train(cls, text, size=None):
        """The most frequent pieces of a text, `size` with <unk>; by default all."""
        counts = Counter(cut(text))
        ordered = sorted(counts, key=lambda piece: (-counts[piece], piece))
        return cls([UNKNOWN, *ordered][:size])

    def encode(self, text):
        return [self.ids.get(piece, self.ids[UNKNOWN]) for piece in cut(text)]

    def decode(self, ids):
        return "".join(self.pieces[id] for id in ids)


def main():
    whole, small, other = Tokenizer.train(TEXT), Tokenizer.train(TEXT, 8), Tokenizer.train(OTHER)
    print("whole, ", len(whole.pieces), "ids: ", whole.encode("the dog"))
    print("other, ", len(other.pieces), "ids: ", other.encode("red fish"))
    print("the text again? ", whole.decode(whole.encode(TEXT)) == TEXT)
    print("small, ", len(small.pieces), "ids:")
    print(small.decode(small.encode(TEXT)))


if __name__ == "__main__":
    main()
