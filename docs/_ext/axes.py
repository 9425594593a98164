"""The letters in a shape: what each counts. A page that uses another says so here."""

AXES = {
    "B": "sequences in a batch",
    "T": "positions in a sequence; in attention, queries",
    "S": "keys and values, more than T only with a cache; in an encoder, positions of the source;"
         " in softmax, scores in a row",
    "C": "channels: numbers in the vector of one position",
    "H": "heads, side by side",
    "K": "key and value heads; at most H",
    "D": "numbers in one head's vector: the head size",
    "V": "tokens in the vocabulary",
    "N": "positions that the model knows: its context",
    "F": "features inside the feed-forward network",
    "I": "numbers that go in",
    "O": "numbers that come out",
    "L": "blocks, one on the other",
    "R": "rows: the positions of all sequences, one below the other; in flash attention, of a tile",
    "W": "keys of a tile",
    "M": "examples: points beside a line, messages of a filter, rows of a picture",
    "J": "words around one word",
    "G": "words drawn as noise, beside one that is real; in GRPO, answers to one question",
    "r": "the rank of a LoRA update: columns of A and rows of B",
}
