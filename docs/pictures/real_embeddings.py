"""The token embedding of SmolLM2 drawn from its record: groups of words, senses of one word."""

import json
from functools import cache
from pathlib import Path

from svg import Svg, chart

RECORD = Path(__file__).parents[1] / "records" / "real_embeddings.json"
SHORT = 34


@cache
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def senses(word):
    return next(each for each in record()["contextual"] if each["word"] == word)


def worked():
    found = record()
    kinds = {}
    for each in found["analogies"]:
        kinds.setdefault(each["kind"], []).append(each)
    raw = [each for each in found["analogies"] if each["raw"][0].strip() == each["words"][2]]
    bank = senses("bank")
    names = {"rows": f"{found['shape'][0]:,}", "channels": found["shape"][1],
             "asked": len(found["analogies"]), "kinds": list(kinds),
             "table": [[sum(each["right"] for each in rows), len(rows)]
                       for rows in kinds.values()],
             "right": sum(each["right"] for each in found["analogies"]), "raw": len(raw),
             "odd": sum(each["found"] == each["words"][-1] for each in found["odd"]),
             "odds": len(found["odd"]), "layer": bank["layer"],
             "same": bank["same"][bank["layer"]], "other": bank["other"][bank["layer"]],
             "explained": 100 * sum(found["projection"]["variance"]),
             "command": found["command"], "date": found["date"], "commit": found["commit"]}
    return {"real_embeddings": {"names": names}}


STYLES = {"animals": "att-o", "days": "dim-o", "countries": "np-o", "capitals": "att-o",
          "colours": "pt-o"}


def scatter(width, points, lines=()):
    """Words at their two numbers; names that would lie on others are left out."""
    phone = width < 500
    height = 380 if phone else 460
    image = Svg(width, height)
    xs, ys = [p[2] for p in points], [p[3] for p in points]
    left, right, top, bottom = 10, width - 66, 16, height - 12

    def at(point):
        return (left + (point[2] - min(xs)) / (max(xs) - min(xs)) * (right - left),
                bottom - (point[3] - min(ys)) / (max(ys) - min(ys)) * (bottom - top))

    for first, second in lines:
        image.line(*at(first), *at(second))
    taken = []
    for point in points:
        x, y = at(point)
        image.dot(x, y, 4, STYLES[point[0]])
        taken.append((x - 4, y - 4, x + 4, y + 4))
    for point in points:
        x, y = at(point)
        size = 3 + 6.8 * len(point[1])
        for side, begin in (("start", x + 6), ("end", x - 6 - size)):
            box = (begin, y - 6, begin + size, y + 7)
            if begin < 0 or any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3]
                                for b in taken):
                continue
            taken.append(box)
            image.text(x + (7 if side == "start" else -7), y + 4, point[1], "nt", side)
            break
    return image


def picture(width):
    """The words of four groups in the two directions in which they differ most."""
    return scatter(width, record()["projection"]["points"])


def pairs(width):
    """Countries and capitals, each pair joined."""
    points = record()["pairs"]["points"]
    count = len(points) // 2
    return scatter(width, points, list(zip(points[:count], points[count:])))


def layers(width):
    """How like two vectors of one word are, with the same sense and with another."""
    series = {}
    for word, styles in (("bank", ("att", "dim")), ("apple", ("ink", "ink"))):
        each = senses(word)
        if word == "bank":
            at = range(1, len(each["same"]))
            series["same sense"] = (at, each["same"][1:], styles[0])
            series["another sense"] = (at, each["other"][1:], styles[1])
    return chart(width, series, "block", "mean cosine, bank", y_range=(-0.8, 0.8))


def contextual(width):
    """Cosines of six sentences' last words after the best block."""
    return sense_table(width, "bank")


def apples(width):
    return sense_table(width, "apple")


def sense_table(width, word):
    each = senses(word)
    phone = width < 500
    left = 0 if phone else 230
    cell = ((width - left) / 6, 30)
    head = 6 * 17 + 24 if phone else 24
    image = Svg(width, head + 6 * cell[1] + 4)
    for i, (sense, sentence) in enumerate(zip(each["senses"], each["sentences"])):
        if phone:
            image.text(0, 14 + 17 * i, f"{i + 1} {sense}: {sentence}", "nt")
        else:
            short = sentence
            while len(short) > SHORT:
                short = "… " + short.removeprefix("… ").partition(" ")[2]
            image.text(left - 10, head + i * cell[1] + 19, f"{short} {i + 1}", "nt", "end")
        image.text(left + (i + 0.5) * cell[0], head - 7, str(i + 1), "nt", "middle")
        for j, value in enumerate(each["cosines"][i]):
            kind = "up" if value > 0 else "dn"
            image.rect(left + j * cell[0], head + i * cell[1], cell[0] - 2, cell[1] - 2,
                       f"cellbox {kind}", 3, f"--share:{abs(value):.2f}")
            image.text(left + (j + 0.5) * cell[0], head + i * cell[1] + 19,
                       f"{value:.2f}".replace("-", "−"), "val", "middle")
    return image
