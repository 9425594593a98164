"""What a model cannot do, drawn from the record of SmolLM2 and from the story model."""

import json
from functools import lru_cache

import numpy as np
from block import DOCS
from svg import Svg, chart
from written import MODELS


@lru_cache(maxsize=1)
def record():
    return json.loads((DOCS / "records" / "real_model.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def ducks():
    """What the story model puts after "Emma saw her duck", three times."""
    from npgpt.generation import generate
    from npgpt.models import BY_TYPE
    from npgpt.runs.checkpoint import load_checkpoint

    found = load_checkpoint(MODELS / "stories")
    ids = np.array(found.tokenizer.encode("Emma saw her duck"))
    model = BY_TYPE[found.family.FILES["model_type"]]
    texts = []
    for seed in 1, 2, 3:
        more = generate(model, found.params, found.config, ids, 24, seed=seed, temperature=0.8)
        text = found.tokenizer.decode([int(i) for i in more]).strip()
        texts.append(". ".join(text.replace("\n", " ").split(". ")[:2]).rstrip(".") + ".")
    return texts


def is_right(capital):
    """Is the likeliest next token the first one of the right name?"""
    return capital["said"][1] == capital["probability"]


def worked():
    found = record()
    answers = {}
    for each in found["answers"]:
        answers.setdefault(each["kind"], []).append(
            {"q": each["question"], "a": " ".join(each["answer"].split())})
    more = {each["more"].strip(): each["nats"] for each in found["continuations"]}
    capitals = found["capitals"]
    right = [is_right(each) for each in capitals]
    wrong = max((each for each, good in zip(capitals, right) if not good),
                key=lambda each: each["said"][1])
    assert (wrong["country"], wrong["said"][0]) == ("Togo", " Lag"), "the text speaks of it"
    names = {
        "duck": ducks(), "answers": answers, "three": answers["three times"],
        "model": found["model"], "date": found["date"],
        "millions": found["sizes"]["parameters"] / 1e6,
        "bird": more["and then her goose."], "verb": more["and then jump."],
        "none": more["the of under."],
        "digit_names": [f"{each['digits']} digits" if each["digits"] > 1 else "1 digit"
                        for each in found["sums"]],
        "sums": np.array([[each["right"], len(each["sums"])] for each in found["sums"]]),
        "heads": ["right", "of"], "known": sum(right), "asked": len(right),
        "known_first": sum(right[:10]), "known_last": sum(right[-10:]), "wrong": wrong}
    return {"limits": {"names": names}}


def picture(width):
    """The probabilities of what may follow "I saw her duck"."""
    best = next(each for each in record()["next"] if each["prompt"] == "I saw her duck")["best"]
    image = Svg(width, 30 * len(best) + 34)
    image.text(0, 16, "I saw her duck …", "tok")
    left = 96
    for i, (word, probability) in enumerate(best):
        y = 30 + 30 * i
        size = probability / best[0][1] * (width - left - 62)
        image.text(left - 10, y + 15, word.strip() or "␣", "tok", "end")
        image.rect(left, y, size, 22, "cellbox att", 3, "--share:.8")
        image.text(left + size + 8, y + 15, f"{100 * probability:.1f} %", "num")
    return image


def capitals(width):
    """The probability that the right capital got, the best known first."""
    found = record()["capitals"]
    phone = width < 500
    image = Svg(width, 330)
    left, base, tall = 30, 236, 200
    for tick in (0, 50, 100):
        y = base - tick / 100 * tall
        image.line(left, y, width, y, "grid")
        image.text(left - 6, y + 4, str(tick), "nt", "end")
    image.text(0, 14, "probability of the right capital, %", "nt")
    step = (width - left) / len(found)
    for i, each in enumerate(found):
        size = each["probability"] * tall
        good = is_right(each)
        image.rect(left + (i + 0.15) * step, base - size, 0.7 * step, size,
                   f"cellbox {'att' if good else 'dn'}", 1, "--share:.9")
        if not phone or i % 3 == 0:
            x, y = left + (i + 0.5) * step + 4, base + 10
            image.add(f'<g transform="rotate(-90 {x:.1f} {y:.1f})">')
            image.text(x, y, each["country"], "nt", "end")
            image.end()
    image.line(left, base, width, base, "axis")
    return image


def sums(width):
    """How many of 20 sums are right, by the number of digits."""
    found = record()["sums"]
    digits = [each["digits"] for each in found]
    return chart(width, {"right": (digits, [100 * each["right"] / len(each["sums"])
                                            for each in found], "att")},
                 "digits of the two numbers", "sums that are right, %", y_range=(0, 105),
                 x_ticks=digits)
