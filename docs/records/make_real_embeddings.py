"""The record docs/records/real_embeddings.json: the token embedding of SmolLM2, and what its
blocks make of it.

    python docs/records/make_real_embeddings.py        a minute on one processor

Neighbours, analogies and a projection of the table's rows; the odd one out of four words;
and the vectors of one word in several sentences, block by block.
"""

import numpy as np
from npgpt.blocks import llama_block
from npgpt.layers import embedding, rope_angles
from smollm2 import ids_of, model, words_of, write

NEAREST = ["cat", "king", "Paris", "red", "three", "Monday", "walked", "doctor", "bank", "apple"]
GROUPS = {
    "animals": "dog cat horse cow sheep lion tiger bear wolf fox mouse rabbit",
    "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "countries": "France Germany Italy Spain Japan China India Brazil Canada Egypt",
    "colours": "red blue green yellow white black brown pink purple orange",
}
PAIRS = {"countries": "France Germany Italy Spain Japan China Russia Egypt Greece",
         "capitals": "Paris Berlin Rome Madrid Tokyo Beijing Moscow Cairo Athens"}
# a : b = c : d, four words in a row
ANALOGIES = {
    "gender": ["man woman king queen", "man woman boy girl", "king queen prince princess",
               "father mother son daughter", "brother sister uncle aunt", "he she his her",
               "man woman actor actress", "boy girl father mother"],
    "capitals": ["France Paris Germany Berlin", "France Paris Italy Rome",
                 "Germany Berlin Spain Madrid", "Japan Tokyo China Beijing",
                 "England London France Paris", "Italy Rome Russia Moscow",
                 "Spain Madrid Greece Athens", "France Paris Egypt Cairo"],
    "plural": ["cat cats dog dogs", "house houses tree trees", "day days year years",
               "child children man men", "book books car cars", "girl girls boy boys",
               "city cities country countries", "hand hands eye eyes"],
    "past": ["walk walked talk talked", "go went see saw", "play played work worked",
             "make made take took", "look looked open opened", "come came give gave",
             "call called help helped", "write wrote speak spoke"],
    "degree": ["big bigger small smaller", "good better bad worse", "high higher low lower",
               "old older young younger", "strong stronger weak weaker",
               "large larger small smaller", "fast faster slow slower",
               "long longer short shorter"],
}
ODD = ["dog cat horse table", "red blue green seven", "Paris London Rome apple",
       "king queen prince bread", "Monday Friday Sunday river", "apple banana orange chair",
       "one four nine house", "bread milk cheese window", "doctor nurse teacher stone",
       "car train bus tree"]
# word -> {sense: sentences that end in it, or hold it last}
SENSES = {
    "bank": {"money": ["She took her money to the bank", "He asked for a loan at the bank",
                       "The robbers broke into the bank"],
             "river": ["They sat and fished on the river bank",
                       "Reeds grow along the muddy bank",
                       "The boat was tied to the other bank"]},
    "apple": {"fruit": ["He peeled and ate a sweet red apple", "She baked a cake with one apple",
                        "A worm lives in this ripe apple"],
              "company": ["The new phone is made by apple", "He writes software at apple",
                          "Investors bought shares of apple"]},
}


def table():
    rows = model().params["tokens"]["weight"].astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def row_of(word):
    """The id of the word with the space before it."""
    ids = ids_of(f" {word}")[0]
    assert len(ids) == 1, f"{word}: {words_of(ids)}"
    return int(ids[0])


def nearest(rows, vector, count, without=()):
    """[[token, cosine], …]"""
    cosines = rows @ (vector / np.linalg.norm(vector))
    best = [int(i) for i in np.argsort(-cosines, kind="stable") if int(i) not in without][:count]
    return [[word, round(float(cosines[id]), 4)] for word, id in zip(words_of(best), best)]


def plain(token):
    return token.strip().lower()


def analogy(rows, line):
    """Where b − a + c lies: with the three words among the candidates, and without them and
    their other spellings."""
    a, b, c, right = line.split()
    given = [row_of(word) for word in (a, b, c)]
    vector = rows[given[1]] - rows[given[0]] + rows[given[2]]
    others = {plain(a), plain(b), plain(c)}
    found = [each for each in nearest(rows, vector, 60, given) if plain(each[0]) not in others]
    return {"words": [a, b, c, right], "raw": nearest(rows, vector, 1)[0],
            "best": found[:3], "right": plain(found[0][0]) == plain(right)}


def odd_one(rows, line):
    """The word whose mean cosine with the others is the lowest."""
    vectors = rows[[row_of(word) for word in line.split()]]
    cosines = vectors @ vectors.T
    means = (cosines.sum(axis=1) - 1) / (len(cosines) - 1)
    words = line.split()
    return {"words": words, "means": np.round(means, 3).tolist(),
            "found": words[int(means.argmin())]}


def projection(rows, groups):
    """The two directions in which the rows of the groups differ most."""
    words = [(group, word) for group, line in groups.items() for word in line.split()]
    vectors = rows[[row_of(word) for _, word in words]]
    centred = vectors - vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    directions *= np.sign(directions[:, np.abs(directions).argmax(axis=1)].diagonal())[:, None]
    places = centred @ directions[:2].T
    return {"points": [[group, word, *np.round(place, 4).tolist()]
                       for (group, word), place in zip(words, places)],
            "variance": np.round(sizes[:2] ** 2 / (sizes**2).sum(), 4).tolist()}


def streams(sentence):
    """(layers + 1, C): the residual stream of the sentence's last token."""
    found = model()
    config = found.config
    ids = ids_of(sentence)
    x, _ = embedding(ids, **found.params["tokens"])
    cos, sin = rope_angles(np.arange(ids.shape[1])[None], config.head_size, config.theta, x)
    stops = [x[0, -1]]
    for block in found.params["blocks"]:
        x, _ = llama_block(x, block, config.heads, config.kv_heads, cos, sin, config.eps)
        stops.append(x[0, -1])
    return np.array(stops, np.float64)


def senses(word, sentences):
    """Cosines of the word's vectors after each block: of two sentences with the same sense,
    and of two with different ones; all of them after the block that parts them best."""
    texts = [text for group in sentences.values() for text in group]
    labels = [sense for sense, group in sentences.items() for _ in group]
    assert all(words_of(ids_of(text)[0])[-1] == f" {word}" for text in texts)
    vectors = np.array([streams(text) for text in texts]).swapaxes(0, 1)
    vectors = vectors - vectors.mean(axis=1, keepdims=True) * (np.arange(len(vectors)) > 0)[
        :, None, None]      # what all six have in common tells nothing; the table's rows are equal
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit = vectors / np.where(lengths == 0, 1, lengths)
    cosines = unit @ unit.swapaxes(1, 2)
    same = np.array([[a == b for b in labels] for a in labels]) & ~np.eye(len(labels), dtype=bool)
    other = np.array([[a != b for b in labels] for a in labels])
    inside, between = cosines[:, same].mean(axis=1), cosines[:, other].mean(axis=1)
    best = int((inside - between).argmax())
    return {"word": word, "sentences": texts, "senses": labels,
            "same": np.round(inside, 4).tolist(), "other": np.round(between, 4).tolist(),
            "layer": best, "cosines": np.round(cosines[best], 3).tolist(),
            "static": np.round(cosines[0], 3).tolist()}


def main():
    rows = table()
    lengths = np.linalg.norm(model().params["tokens"]["weight"].astype(np.float64), axis=1)
    write("real_embeddings", {
        "shape": list(rows.shape),
        "lengths": np.round(np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1]), 3).tolist(),
        "neighbours": [{"word": word, "nearest": nearest(rows, rows[row_of(word)], 8,
                                                         [row_of(word)])} for word in NEAREST],
        "analogies": [{"kind": kind, **analogy(rows, line)}
                      for kind, lines in ANALOGIES.items() for line in lines],
        "odd": [odd_one(rows, line) for line in ODD],
        "projection": projection(rows, GROUPS), "pairs": projection(rows, PAIRS),
        "contextual": [senses(word, sentences) for word, sentences in SENSES.items()]})


if __name__ == "__main__":
    main()
