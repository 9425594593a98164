"""Step 1: cut a text into words at its spaces."""

TEXT = "The dog bit the man.\nThe man did not bite  the dog."


def cut(text):
    return text.split()


def main():
    words = cut(TEXT)
    print(words)
    print("different words:", len(set(words)))
    print("the text again? ", " ".join(words) == TEXT)


if __name__ == "__main__":
    main()
