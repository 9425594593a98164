"""Words in spaces made by hand: a plane, a cube, ten animals, and a sentence whose order is
lost."""

import numpy as np
from npgpt.foundations import cosine_similarity, pca
from svg import Svg, printed

PEOPLE = ["man", "woman", "king", "queen", "boy", "girl", "prince", "princess"]
SHAPES = ["gender", "royalty", "age"]
SPACE = np.array([[-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [-1.0, 1.0, 1.0], [1.0, 1.0, 1.0],
                  [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
ANIMALS = ["mouse", "cat", "dog", "horse", "cow", "wolf", "lion", "eagle", "salmon", "shark"]
PROPERTIES = ["large", "tame", "in water"]
TABLE = np.array([[-1.0, 0.2, -0.8], [-0.7, 0.8, -1.0], [-0.3, 1.0, -0.5], [0.8, 0.9, -0.7],
                  [0.9, 1.0, -0.9], [0.1, -0.8, -0.7], [0.6, -1.0, -0.9], [-0.4, -0.9, -0.7],
                  [-0.4, -0.7, 1.0], [0.9, -1.0, 1.0]])
SENTENCE = {"dog": [0.5, 1.0], "bites": [1.0, -0.25], "man": [0.75, 0.5]}


def codes(word, length=5):
    """A word as its ASCII codes, filled up with spaces."""
    return np.array([ord(character) for character in word.ljust(length)], float)


def nearest_by_codes():
    """The animal whose codes lie nearest to each animal's."""
    rows = np.array([codes(word, 6) for word in ANIMALS])
    apart = np.abs(rows[:, None] - rows).sum(axis=-1)
    np.fill_diagonal(apart, np.inf)
    return [ANIMALS[i] for i in apart.argmin(axis=1)]


def nearest_by_meaning():
    cosine = cosine_similarity(TABLE, TABLE)
    np.fill_diagonal(cosine, -2)
    return [ANIMALS[i] for i in cosine.argmax(axis=1)], cosine.max(axis=1)


def clusters(least=0.6):
    """Animals that a chain of cosines of at least `least` connects."""
    cosine = cosine_similarity(TABLE, TABLE)
    groups = [{i} for i in range(len(ANIMALS))]
    for i in range(len(ANIMALS)):
        for j in range(i):
            if cosine[i, j] >= least:
                first, second = (next(g for g in groups if k in g) for k in (i, j))
                if first is not second:
                    groups.remove(second)
                    first |= second
    return [[ANIMALS[i] for i in sorted(group)] for group in groups]


def worked():
    near, cosine = nearest_by_meaning()
    return {"words": {"names": {
        "people": PEOPLE, "shapes": SHAPES, "space": SPACE, "animals": ANIMALS,
        "properties": PROPERTIES, "table": TABLE, "by_codes": nearest_by_codes(),
        "by_meaning": near, "how_near": cosine, "clusters": clusters(),
        "king": SPACE[2], "queen": SPACE[3], "man": SPACE[0], "woman": SPACE[1],
        "index": ANIMALS.index, "cosines": cosine_similarity(TABLE, TABLE)}}}


def plane(width):
    """Gender to the right, royalty upwards, and the arrow from man to king laid at woman."""
    image = Svg(width, 300)
    left, right, top, low = 74, width - 74, 62, 236

    def at(vector):
        return ((left + right) / 2 + vector[0] * (right - left) / 2.4,
                low - vector[1] * (low - top))

    image.line(left - 40, low, right + 40, low, "axis")
    image.line((left + right) / 2, low + 22, (left + right) / 2, top - 24, "axis")
    image.text(right + 40, low + 40, "gender: −1 male, 1 female", "nt", "end")
    image.text((left + right) / 2 + 8, top - 18, "royalty", "nt")
    for first, second in ((0, 2), (1, 3)):
        (x1, y1), (x2, y2) = at(SPACE[first]), at(SPACE[second])
        image.arrow(x1, y1 - 9, x2, y2 + 11)
        right_side = first == 0
        if width < 500 and not right_side:
            continue
        image.text(x1 + (12 if right_side else -12), (y1 + y2) / 2 + 4,
                   "king − man" if right_side else "the same arrow", "nt",
                   "start" if right_side else "end")
    for i in range(4):
        x, y = at(SPACE[i])
        image.dot(x, y, 6, "att-o" if i > 1 else "ink-o")
        image.text(x, y - 14 if i > 1 else y + 22, PEOPLE[i], "big", "middle")
    return image


def cube(width):
    """The plane with a third direction: age."""
    image = Svg(width, 320)
    middle, low = width / 2 - 40, 250
    across, up, back = min(width * 0.26, 150), 130, (62, -52)

    def at(vector):
        return (middle + vector[0] * across / 2 + vector[2] * back[0],
                low - vector[1] * up + vector[2] * back[1])

    for i, one in enumerate(SPACE):
        for j in range(i):
            if (one != SPACE[j]).sum() == 1:
                image.line(*at(one), *at(SPACE[j]), "ln-dim")
    for i, vector in enumerate(SPACE):
        x, y = at(vector)
        male = vector[0] < 0
        image.dot(x, y, 6, "att-o" if vector[1] else "ink-o")
        image.text(x - 12 if male else x + 12, y + (18 if vector[2] == 0 else -8), PEOPLE[i],
                   "big", "end" if male else "start")
    image.text(middle, low + 40, "← male · gender · female →", "nt", "middle")
    image.text(middle - across / 2 - 16, low - up / 2, "royalty ↑", "nt", "end")
    image.text(middle + across / 2 + 44, low - 10, "age ↗", "nt")
    return image


def animals(width):
    """The ten animals in the plane of their largest spread, and who is nearest to whom."""
    points, _, ratios = pca(TABLE)
    phone = width < 500
    image = Svg(width, 360)
    left, right, top, low = 52, width - 62, 52, 322
    small, large = points.min(axis=0), points.max(axis=0)

    def at(point):
        x, y = (point - small) / (large - small)
        return left + x * (right - left), low - y * (low - top)

    near, _ = nearest_by_meaning()
    for i, other in enumerate(near):
        image.line(*at(points[i]), *at(points[ANIMALS.index(other)]), "th")
    kinds = ["att", "np", "pt", "ink"]
    for i, group in enumerate(clusters()):
        for word in group:
            x, y = at(points[ANIMALS.index(word)])
            image.dot(x, y, 6, f"{kinds[i % 4]}-o")
            crowded = any(0 < abs(other - x) < 40 and abs(height - y) < 12 and height < y
                          for other, height in map(at, points))
            image.text(x, y + 22 if crowded else y - 12, word, "tok", "middle")
    image.text(0, 14, "a line: nearest by cosine" if phone else
               f"a plane with {100 * ratios.sum():.0f} % of the spread; a line goes to the "
               "nearest by cosine", "nt")
    return image


def averaged(width):
    """Two sentences of the same words: the same arrows, another order, the same end."""
    phone = width < 500
    image = Svg(width, 250)
    vectors = {word: np.array(vector) for word, vector in SENTENCE.items()}
    scale = 58 if phone else 96
    for k, words in enumerate((["dog", "bites", "man"], ["man", "bites", "dog"])):
        left = 8 + k * width / 2
        x, y = left + 6, 196
        image.text(left, 16, " ".join(words), "big")
        image.dot(x, y, 4, "ink-o")
        for word in words:
            dx, dy = vectors[word] * scale
            image.arrow(x, y, x + dx, y - dy)
            image.text(x + dx / 2 + (8 if dy > 0 else 0), y - dy / 2 + (12 if dy > 0 else -8),
                       word, "nt")
            x, y = x + dx, y - dy
        image.dot(x, y, 6, "att-o")
        total = sum(vectors.values()) / 3
        image.text(left, 240, f"mean ({', '.join(printed(v, 2) for v in total)})", "num")
    return image
