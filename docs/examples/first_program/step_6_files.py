"""Step 6: save the tokenizer in a file, and load it again."""

import json
import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

TEXT = "The dog bit the man.\nThe man did not bite  the dog."
UNKNOWN = "<unk>"  # no text is ever cut into this: it has < and > in it


def cut(text):
    return re.findall(r"\w+|\W", text)


class Tokenizer:
    """pieces: a list of strings, each once; the place in the list is the id."""

    def __init__(self, pieces):
        self.pieces = list(pieces)
        self.ids = {piece: id for id, piece in enumerate(self.pieces)}
        if len(self.ids) < len(self.pieces) or UNKNOWN not in self.ids:
            raise ValueError("each piece stands once in a vocabulary, and <unk> is one of them")

    @classmethod
    def train(cls, text, size=None):
        """The most frequent pieces of a text, `size` with <unk>; by default all."""
        counts = Counter(cut(text))
        ordered = sorted(counts, key=lambda piece: (-counts[piece], piece))
        return cls([UNKNOWN, *ordered][:size])

    @classmethod
    def load(cls, file):
        return cls(json.loads(Path(file).read_text(encoding="utf-8"))["pieces"])

    def save(self, file):
        text = json.dumps({"pieces": self.pieces}, ensure_ascii=False, indent=1)
        Path(file).write_text(text + "\n", encoding="utf-8")

    def encode(self, text):
        return [self.ids.get(piece, self.ids[UNKNOWN]) for piece in cut(text)]

    def decode(self, ids):
        return "".join(self.pieces[id] for id in ids)


def main():
    tokenizer = Tokenizer.train(TEXT)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        tokenizer.save(file)
        again = Tokenizer.load(file)
        print(" ".join(file.read_text(encoding="utf-8").split())[:60], "…")
    print("the same pieces?", again.pieces == tokenizer.pieces)
    print("the same ids?   ", again.encode(TEXT) == tokenizer.encode(TEXT))
    print("the text again? ", again.decode(again.encode(TEXT)) == TEXT)


if __name__ == "__main__":
    main()
