"""Before and after drawn: what five ways of fine-tuning make of one small model, from the record
of their runs: what each learns, what it forgets, what it costs."""

import json
import math
from functools import lru_cache
from pathlib import Path

from svg import Svg, chart
from when_not_to_finetune import brief

RECORD = Path(__file__).parents[1] / "records" / "methods.json"
BASE = "short-stories"
WAYS = {"sft": "full", "lora": "LoRA, r = 8", "dpo": "DPO", "grpo": "GRPO", "dr-grpo": "Dr. GRPO"}
CHAPTERS = {"sft": "answer_loss", "lora": "lora", "dpo": "dpo", "grpo": "grpo", "dr-grpo": "grpo"}
KINDS = ["who", "where", "what", "how many"]
STYLES = {"sft": "ink", "lora": "att", "dpo": "ink", "grpo": "att", "dr-grpo": "dim"}
FIGURES = ("exact_match", "drawn", "answer_loss", "perplexity", "grammatical", "consistent",
           "length")
ASKED = 5


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def of_way(table, way):
    """{seed: entry} of a way's runs, or of their rows."""
    return {int(name.rpartition("-")[2]): entry for name, entry in table.items()
            if name.rpartition("-")[0] == way}


@lru_cache(maxsize=1)
def rows():
    """{model: its row}."""
    return {row["model"]: row for row in record()["evaluation"]["rows"]}


def figures(way, name):
    """One figure for each seed."""
    return [row[name] for _, row in sorted(of_way(rows(), way).items())]


def runs(way):
    return [run for _, run in sorted(of_way(record()["runs"], way).items())]


def mean(values):
    return sum(values) / len(values)


def spread(values):
    """Half of the distance between the largest and the smallest."""
    return (max(values) - min(values)) / 2


def with_spread(values, digits=1, factor=1):
    """`91.2 ± 0.4`: the mean of the seeds and their spread; of one seed its figure. `digits`:
    behind the point, fewer for what is large."""
    values = [factor * value for value in values]
    digits = max(0, digits - sum(mean(values) >= limit for limit in (10, 100))
                 ) if factor == 1 else digits
    words = f"{mean(values):.{digits}f}"
    return f"{words}\xa0±\xa0{spread(values):.{digits}f}" if values[1:] else words


def curve(run, name):
    """steps, values of something that a run has measured now and then."""
    return tuple(zip(*sorted((int(step), value) for step, value in run[name].items())))


def perplexities(run):
    steps, losses = curve(run, "old_loss")
    return steps, [math.exp(loss) for loss in losses]


def table():
    """The page's table: its heads, then the base and the ways."""
    form = {"exact_match": (1, 100), "drawn": (1, 100), "answer_loss": (3, 1), "perplexity": (2, 1),
            "grammatical": (0, 100), "consistent": (0, 100), "length": (1, 1)}
    base = rows()[BASE]
    return [["", "right, %", "drawn, %", "loss on answers", "perplexity",
             "grammatical, %", "consistent, %", "tokens", "trained"],
            ["the base", *(with_spread([base[name]], *how) for name, how in form.items()), "–"],
            *([f"[{label}](chapters/{CHAPTERS[way]}.md)",
               *(with_spread(figures(way, name), *how) for name, how in form.items()),
               f"{figures(way, 'trained')[0]:,}"] for way, label in WAYS.items())]


def answers():
    """The first questions, and what the base and the first seed of each way say; ✓ before what
    is right."""
    models = {"the base": BASE, **{label: f"{way}-1" for way, label in WAYS.items()}}
    found = [["", *models]]
    for i in range(ASKED):
        asked = [rows()[model]["answers"][i] for model in models.values()]
        found.append([f"{asked[0]['question']} *{asked[0]['right']}*", *(
            ("✓ " if plainly(each["answer"]) == plainly(each["right"]) else "")
            + f"`{brief(each['answer'])}`" for each in asked)])
    return found


def plainly(answer):
    """As `npgpt evaluate` compares them."""
    return answer.strip().rstrip(".").casefold()


def worked():
    found, base = record(), rows()[BASE]
    ways = {way: {name: mean(figures(way, name)) for name in FIGURES} for way in WAYS}
    around = {way: {name: spread(figures(way, name)) for name in FIGURES} for way in WAYS}
    kinds = {way: {kind: mean([row["by_kind"][kind] for row in of_way(rows(), way).values()])
                   for kind in KINDS} for way in WAYS}
    costs = {way: {name: mean([run[name] for run in runs(way)])
                   for name in ("seconds", "processor_seconds", "memory_mb", "trained", "steps")}
             for way in WAYS}
    drawn = {way: [row["drawn_by_kind"]["how many"] for row in of_way(rows(), way).values()]
             for way in WAYS}
    names = {"base": base, "ways": ways,
             "drawn": {way: {"how many": mean(each)} for way, each in drawn.items()},
             "least": {way: min(each) for way, each in drawn.items()},
             "most": {way: max(each) for way, each in drawn.items()},
             "chosen": mean([curve(run, "chosen")[1][-1] for run in runs("dpo")]),
             "around": around, "kinds": kinds,
             "costs": costs, "start": rows()["sft-1"],
             "course": dict(zip(*perplexities(runs("sft")[0]))),
             "table": table(), "answers": answers(),
             "seeds": len(runs("dpo")), "questions": found["evaluation"]["questions"],
             "error": 100 * (0.25 / found["evaluation"]["questions"]) ** 0.5,
             "parameters": found["base"]["parameters"],
             "minutes": found["base"]["processor_seconds"] / 60,
             **{key: found[key] for key in ("command", "date", "commit", "processors")}}
    return {"before_after": {"names": names}}


def picture(width):
    """Which model is made from which, and how many of its weights move."""
    phone = width < 500
    box, gap = ((102, 56), 24) if phone else ((150, 56), 90)
    image = Svg(width, 288)
    columns = [box[0] / 2 + 1 + i * (box[0] + gap) for i in range(3)]
    middle = {BASE: (columns[0], 108), "sft": (columns[1], 108), "lora": (columns[1], 256),
              "dpo": (columns[2], 34), "grpo": (columns[2], 108), "dr-grpo": (columns[2], 182)}
    for start, end in ((BASE, "sft"), (BASE, "lora"), ("sft", "dpo"), ("sft", "grpo"),
                       ("sft", "dr-grpo")):
        (x, y), (to_x, to_y) = middle[start], middle[end]
        image.arrow(x + box[0] / 2 + 2, y, to_x - box[0] / 2 - 3, to_y)
    for way, (x, y) in middle.items():
        trained = rows()[way if way == BASE else f"{way}-1"]["trained"]
        image.rect(x - box[0] / 2, y - box[1] / 2, *box, "box ink")
        image.text(x, y - 4, WAYS.get(way, "the base"), "nm", "middle")
        words = (f"{record()['base']['parameters']:,} weights" if way == BASE
                 else f"{trained:,} trained" if phone is False else f"{trained:,}")
        image.text(x, y + 15, words, "nt", "middle")
    return image


def strip(image, y, left, right, low, high, values, kind="att"):
    """A bar to the mean of some values, and a dot for each."""
    def at(value):
        return left + (value - low) / (high - low) * (right - left)

    image.rect(left, y, max(at(mean(values)) - left, 1), 18, f"cellbox {kind}", 3, "--share:.7")
    for value in values:
        image.dot(at(value), y + 9, 3, "dot")
    return at(max(values))


def right(width):
    """How many questions are answered rightly: the mean, and each seed."""
    image = Svg(width, 30 + 32 * (1 + len(WAYS)))
    left, end = 96, width - 70
    image.text(left, 14, "right answers, %; a dot is a seed", "nt")
    for i, (way, label) in enumerate({BASE: "the base", **WAYS}.items()):
        values = [100 * v for v in (figures(way, "exact_match") if way != BASE
                                    else [rows()[BASE]["exact_match"]])]
        y = 26 + 32 * i
        image.text(left - 8, y + 13, label, "lab", "end")
        x = strip(image, y, left, end, 0, 100, values, "grey" if way == BASE else "att")
        image.text(x + 10, y + 13, f"{mean(values):.1f}", "num")
    return image


def by_kind(width):
    """The share of right answers for each kind of question, in per cent."""
    image = Svg(width, 40 + 30 * (1 + len(WAYS)))
    left = 96
    cell = (min((width - left) / len(KINDS), 110), 30)
    found = worked()["before_after"]["names"]["kinds"]
    values = [[100 * rows()[BASE]["by_kind"][kind] for kind in KINDS],
              *([100 * found[way][kind] for kind in KINDS] for way in WAYS)]
    return image.matrix(left, 32, values, cell, 0, ["the base", *WAYS.values()], KINDS, top=100,
                        kind="att")


def curves(width, ways, of, label, **more):
    """Something against the step, a line for each seed."""
    series = {}
    for way in ways:
        for i, run in enumerate(runs(way)):
            steps, values = of(run)
            series[" " * i + (f"{way} " if i else WAYS[way])] = (steps, values, STYLES[way])
    return chart(width, series, "step", label, **more)


def learned(width):
    """The loss on the answers of the validation part."""
    return curves(width, ("sft", "lora"), lambda run: curve(run, "validation_loss"),
                  "loss on answers, nats a token")


def forgotten(width):
    """The perplexity on the old corpus while the base learns to answer."""
    return curves(width, ("sft", "lora"), perplexities, "perplexity on the old stories",
                  y_log=True)


def forgotten_after(width):
    """The same while DPO and GRPO go on from there."""
    return curves(width, ("dpo", "grpo", "dr-grpo"), perplexities,
                  "perplexity on the old stories")


def reward(width):
    """The mean reward of the answers that GRPO draws."""
    return curves(width, ("grpo", "dr-grpo"), lambda run: curve(run, "reward"), "mean reward")


def trade(width):
    """What each model has learned against what it has forgotten: a dot for each seed."""
    phone = width < 500
    image = Svg(width, 300, "plot")
    left, bottom, top, end = 48, 254, 36, width - (14 if phone else 30)
    points = {way: list(zip(figures(way, "perplexity"), figures(way, "exact_match")))
              for way in WAYS}
    base = rows()[BASE]
    all_x = [x for each in points.values() for x, _ in each] + [base["perplexity"]]
    low, high = math.log(min(all_x) / 1.3), math.log(max(all_x) * 1.5)

    def at(x, y):
        return left + (math.log(x) - low) / (high - low) * (end - left), bottom - y * (bottom - top)

    for y in (0, 0.25, 0.5, 0.75, 1):
        image.line(left, at(1, y)[1], end, at(1, y)[1], "grid")
        image.text(left - 8, at(1, y)[1] + 4, f"{100 * y:.0f}", "tick", "end")
    for x in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000):
        if low < math.log(x) < high:
            image.text(at(x, 0)[0], bottom + 20, str(x), "tick", "middle")
    image.text((left + end) / 2, 294, "perplexity on the old stories: forgotten", "cap", "middle")
    image.text(4, 14, "right answers, %: learned", "cap")
    image.dot(*at(base["perplexity"], base["exact_match"]), 5)
    image.text(at(base["perplexity"], 0)[0] + 10, at(1, base["exact_match"])[1] - 6, "the base",
               "ann")
    middles = {}
    for way, found in points.items():
        for x, y in found:
            image.dot(*at(x, y), 4, f"{STYLES[way]}-o" if way in ("sft", "lora") else "np-o")
        middles[way] = at(*map(mean, zip(*found)))
    label_y = -1.0
    for way, (x, y) in sorted(middles.items(), key=lambda each: each[1][1]):
        label_y = max(y + 4, label_y + 15)
        image.text(x - 34, label_y, WAYS[way], "ann", "end")
        image.line(x - 30, label_y - 4, x - 7, y, "grid")
    return image


def costs(width):
    """What a run of each way takes: weights that move, time, memory."""
    phone = width < 500
    groups = (("trained", "weights trained", 1e3, "{:,.0f} k"),
              ("processor_seconds", "processor time", 60, "{:,.1f} min"),
              ("memory_mb", "most memory", 1, "{:,.0f} MB"))
    row, left = 24, 96
    tall = 34 + row * len(WAYS)
    each = width if phone else (width - left) / len(groups)
    image = Svg(width, tall * (len(groups) if phone else 1))
    found = worked()["before_after"]["names"]["costs"]
    for i, (name, words, unit, form) in enumerate(groups):
        x, y = (left, i * tall) if phone else (left + i * each, 0)
        room = (width - left if phone else each) - 78
        most = max(found[way][name] for way in WAYS)
        image.text(x, y + 14, words, "nt")
        for j, (way, label) in enumerate(WAYS.items()):
            at = y + 24 + row * j
            if phone or i == 0:
                image.text(left - 8, at + 13, label, "lab", "end")
            size = max(found[way][name] / most * room, 1)
            image.rect(x, at, size, 17, "cellbox np", 3, "--share:.8")
            image.text(x + size + 6, at + 13, form.format(found[way][name] / unit), "num")
    return image
