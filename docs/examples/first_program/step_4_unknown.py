"""Step 4: a piece that has no id becomes <unk>, the unknown."""

import re

TEXT = "The dog bit the man.\nThe man did not bite  the dog."
UNKNOWN = "<unk>"  # no text is ever cut into this: it has < and > in it


def cut(text):
    return re.findall(r"\w+|\W", text)


PIECES = [UNKNOWN, *dict.fromkeys(cut(TEXT))]
IDS = {piece: id for id, piece in enumerate(PIECES)}


def encode(text):
    return [IDS.get(piece, IDS[UNKNOWN]) for piece in cut(text)]


def decode(ids):
    return "".join(PIECES[id] for id in ids)


def main():
    ids = encode(TEXT)
    print(ids)
    print("different ids:  ", len(PIECES))
    print("the text again? ", decode(ids) == TEXT)
    print("a new sentence: ", decode(encode("The cat bit the dog.")))


if __name__ == "__main__":
    main()
