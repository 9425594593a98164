"""Step 2: cut it into words and the single characters between them."""

import re

TEXT = "The dog bit the man.\nThe man did not bite  the dog."


def cut(text):
    return re.findall(r"\w+|\W", text)


def join(pieces):
    return "".join(pieces)


def main():
    pieces = cut(TEXT)
    print(pieces[:11])
    print("different pieces:", len(set(pieces)))
    print("the text again?  ", join(pieces) == TEXT)


if __name__ == "__main__":
    main()
