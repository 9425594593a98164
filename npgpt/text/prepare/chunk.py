"""Long documents in chunks that overlap, so that what is cut in one is whole in another."""

from npgpt.errors import InputError

_ENDS = ("\n\n", "\n", ". ", " ")


def chunk(text: str, size: int = 1000, overlap: int = 100) -> list[tuple[int, int]]:
    """(start, end) of each chunk: at most `size` characters, `overlap` of them at most in both.

    A chunk ends behind a paragraph, else a line, a sentence or a word, in its
    last third; the next begins at a word. Together they cover the text.
    """
    if not 0 <= overlap <= size // 2:
        raise InputError(f"an overlap of {overlap} does not fit chunks of {size}: at most half")
    cuts = []
    start = 0
    while len(text) - start > size:
        end = start + size
        earliest = end - size // 3
        for mark in _ENDS:
            found = text.rfind(mark, earliest, end)
            if found >= 0:
                end = found + len(mark)
                break
        cuts.append((start, end))
        start = end
        if overlap:
            start = end - overlap
            words = (i + 1 for i in range(start, end - 1) if text[i] in " \n")
            start = next(words, start)
    cuts.append((start, len(text)))
    return cuts
