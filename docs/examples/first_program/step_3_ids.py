"""Step 3: give each different piece a number, its id."""

import re

TEXT = "The dog bit the man.\nThe man did not bite  the dog."


def cut(text):
    return re.findall(r"\w+|\W", text)


PIECES = list(dict.fromkeys(cut(TEXT)))  # each once, the first one first
IDS = {piece: id for id, piece in enumerate(PIECES)}


def encode(text):
    return [IDS[piece] for piece in cut(text)]


def decode(ids):
    return "".join(PIECES[id] for id in ids)


def main():
    ids = encode(TEXT)
    print(ids)
    print("different ids:  ", len(PIECES))
    print("the text again? ", decode(ids) == TEXT)
    try:
        encode("The cat bit the dog.")
    except KeyError as error:
        print("a new sentence: KeyError", error)


if __name__ == "__main__":
    main()
