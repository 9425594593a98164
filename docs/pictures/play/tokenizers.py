"""Byte pairs, to be moved: a text, and how many of the learned merges are replayed."""

from functools import lru_cache

from npgpt.text import BytePairTokenizer, load_corpus
from npgpt.text.tokenizers.naive_byte_pairs import BYTES, encode, merge, split
from playing import Figure

MOST = 300
INPUTS = {"text": "The little cat sat on the mat.", "n": 24}
PRESETS = {"next": {"n": "=next"}, "none": {"n": 0}, "all": {"n": MOST},
           "capital": {"text": "THE LITTLE CAT", "n": MOST},
           "emoji": {"text": "café 🙂", "n": MOST}}


@lru_cache(maxsize=1)
def merges():
    text = load_corpus("stories:100KB").train_text
    found = BytePairTokenizer.train(text, 256 + MOST, special_tokens=()).merges
    return [tuple(pair) for pair in found]


@lru_cache(maxsize=1)
def tokens():
    """The bytes of each id."""
    found = [bytes([byte]) for byte in BYTES]
    for left, right in merges():
        found.append(found[left] + found[right])
    return found


def word(id):
    """A token as it is printed: a space as ␣; bytes that are no whole character in hexadecimal."""
    try:
        return tokens()[id].decode("utf-8").replace(" ", "␣")
    except UnicodeDecodeError:
        return tokens()[id].hex(" ").upper()


def values(inputs):
    text, n = inputs["text"], inputs["n"]
    ids, size = encode(text, merges()[:n]), len(text.encode("utf-8"))
    used, joined, following = [], 0, 0
    words = split(text)
    for new, pair in enumerate(merges(), start=256):
        before = sum(map(len, words))
        words = [merge(each, pair, new) for each in words]
        count = before - sum(map(len, words))
        if count and new - 255 <= n:
            used.append(f"{new - 255}: {word(pair[0])} + {word(pair[1])}")
        elif count and not following:
            following = new - 255
        if new - 255 == n:
            joined = count
    last = "Each byte is a token of its own, for no merge has been replayed yet."
    if n:
        left, right = (word(id) for id in merges()[n - 1])
        last = f"Merge {n} joins {left} and {right}; places in this text: {joined}."
    return {"pieces": [word(id) for id in ids], "ids": [str(id) for id in ids],
            "count": len(ids), "bytes": size, "ratio": size / len(ids) if ids else 0.0,
            "used": used, "last": last, "next": following or n}


def play():
    figure = Figure(values, INPUTS, merges=merges(), presets=PRESETS)
    return (figure.text("text", "text", 60)
            + figure.row("merges", figure.slider("n", "merges replayed", 0, MOST, 1),
                         kind="ctl-row")
            + '<p class="again needs-js"><button class="do" type="button" data-do="next">'
              "next merge that joins something here</button></p>"
            + '<p class="cap">tokens</p>' + figure.list("pieces")
            + '<p class="cap">their ids</p>' + figure.list("ids", "ids")
            + figure.say("{bytes:0} bytes are {count:0} tokens: {ratio} bytes a token. "
                         "{last:s}")
            + '<p class="cap">merges that joined something here, in the order learned</p>'
            + figure.list("used", "used") + figure.reset()), figure.data
