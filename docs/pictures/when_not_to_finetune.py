"""Prompt, retrieval, LoRA, all weights: the decision drawn, and what each costs by our records."""

import json
from functools import lru_cache
from pathlib import Path

import lora
from svg import Svg, chart

RECORDS = Path(__file__).parents[1] / "records"
TASKS = 10


@lru_cache(maxsize=2)
def record(name="prompting"):
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))


def row(story, examples, told=False):
    """What SmolLM2 answered to one kind of prompt."""
    return next(each for each in record()["rows"]
                if (each["story"], each["examples"], bool(each["told"])) == (story, examples, told))


def name_of(each):
    """`the story, 1 example`."""
    count = each["examples"]
    more = ["told to be brief"] if each["told"] else []
    more += [f"{count} example{'s' * (count > 1)}"] if count else []
    return ", ".join([each["story"], *more])


def asked():
    """The table of prompts: its heads, then a row for each kind."""
    return [["the prompt has", "right, %", "holds it, %", "tokens read", "tokens written",
             "seconds"],
            *([name_of(each), f"{100 * each['exact_match']:.0f}", f"{100 * each['holds']:.0f}",
               f"{each['prompt_tokens']:.0f}", f"{each['length']:.0f}",
               f"{each['processor_seconds']:.1f}"] for each in record()["rows"])]


def said():
    """What SmolLM2 answers to the first questions, with some of the prompts."""
    chosen = [row("no story", 0), row("the story", 0), row("the story", 0, True),
              row("the story", 3)]
    found = [["", *map(name_of, chosen)]]
    for answers in list(zip(*(each["answers"] for each in chosen)))[:4]:
        found.append([f"{answers[0]['question']} *{answers[0]['right']}*", *(
            f"`{brief(each['answer'], 70)}`" for each in answers)])
    return found


def brief(answer, longest=44):
    """An answer for a table: on one line, cut behind a word."""
    words = " ".join(answer.split()).replace("`", "'") or "∅"
    return words if len(words) <= longest else words[:longest].rsplit(" ", 1)[0] + " …"


def trained():
    """The table of SmolLM2 asked, and trained: its heads, then a row for each."""
    made, plain = record("smollm2_lora"), row("the story", 0)
    training = made["training"]
    return [["SmolLM2", "right, %", "of questions", "weights trained", "processor minutes",
             "kept for the task, MB"],
            ["asked", f"{100 * plain['exact_match']:.0f}", f"{record()['questions']}",
             "–", "–", "–"],
            ["after LoRA, r = 8", f"{100 * made['after']['exact_match']:.0f}",
             f"{made['questions']}", f"{training['trained']:,}",
             f"{training['processor_seconds'] / 60:.0f}", f"{made['adapter_bytes'] / 1e6:.1f}"]]


def worked():
    found, made, ways = record(), record("smollm2_lora"), lora.record()
    adapter = found["adapter"]
    names = {
        "asked": asked(), "said": said(), "trained": trained(),
        "none": row("no story", 0), "plain": row("the story", 0),
        "told": row("the story", 0, True), "one": row("the story", 1), "three": row("the story", 3),
        "best": max(each["exact_match"] for each in found["rows"]),
        "other": row("another story", 1), "questions": found["questions"],
        "limit": found["tokens"], "error": 100 * (0.25 / found["questions"]) ** 0.5,
        "adapter": adapter, "megabyte": {key: size / 1e6 for key, size in adapter["bytes"].items()},
        "extra": 100 * adapter["trained"] / lora.parameters(),
        "whole": lora.parameters() / 1e6,
        "training": {key: sum(each[:3]) for key, each in lora.memory().items()},
        "after": made["after"], "rows_read": made["training"]["data"]["conversations"],
        "steps": made["training"]["steps"], "made": made["command"],
        "minutes": made["training"]["processor_seconds"] / 60,
        "forgot": {name: each["old"] - ways["before"]["old"]
                   for name, each in ways["ways"].items()},
        "old": ways["before"]["old"], "model": found["model"].partition(",")[0],
        **{key: found[key] for key in ("command", "date", "commit", "machine")}}
    return {"when_not_to_finetune": {"names": names}}


STEPS = [
    (["Asked plainly, and shown", "what you want: is it", "good enough?"], "yes",
     "a prompt", "nothing is trained", "#a-prompt"),
    (["Is what it lacks written", "in some text that can be", "found for each question?"], "yes",
     "retrieval", "the text goes into the prompt", "#retrieval"),
    (["Do you have some hundred", "good examples, and a test", "that tells right from wrong?"],
     "no", "examples first", "they are needed anyway", "#what-comes-first"),
    (["Does an adapter reach", "what you need?"], "yes", "LoRA", "the base stays as it is",
     "#one-base-several-adapters"),
]


def picture(width):
    """Questions from above downwards; each leads on, or to what is to be done."""
    phone = width < 500
    box, tall, step = ((180, 74), 52, 104) if phone else ((230, 74), 52, 104)
    end = 132 if phone else 230
    image = Svg(width, step * len(STEPS) + 66)
    x, right = box[0] / 2 + 1, width - end / 2 - 1
    for i, (lines, word, name, note, target) in enumerate(STEPS):
        y = 40 + step * i
        image.rect(1, y - box[1] / 2, *box, "box ink")
        for j, line in enumerate(lines):
            image.text(x, y + 17 * (j - (len(lines) - 1) / 2) + 4, line, "lab", "middle")
        image.arrow(box[0] + 3, y, right - end / 2 - 3, y)
        image.text((box[0] + right - end / 2) / 2 - 4, y - 8, word, "nt", "middle")
        outcome(image, right, y, (end, tall), name, "" if phone else note, target)
        below = y + step - box[1] / 2 - 3 if i < len(STEPS) - 1 else y + step - tall / 2 - 3
        image.arrow(x, y + box[1] / 2 + 2, x, below)
        image.text(x + 9, y + box[1] / 2 + 19, "no" if word == "yes" else "yes", "nt")
    outcome(image, x, 40 + step * len(STEPS), (box[0], tall), "all weights",
            "a whole model for each task", "#lora-or-all-weights")
    return image


def outcome(image, x, y, box, name, note, target):
    image.link(target)
    image.rect(x - box[0] / 2, y - box[1] / 2, *box, "box np")
    image.text(x, y - 3 if note else y + 5, name, "nm", "middle")
    if note:
        image.text(x, y + 15, note, "nt", "middle")
    image.unlink()


def prompts(width):
    """For each kind of prompt: the answers that hold the right words, and the exact ones."""
    rows = record()["rows"]
    phone = width < 500
    left, tall = (0, 46) if phone else (204, 34)
    image = Svg(width, 36 + tall * len(rows))
    image.rect(left, 4, 14, 14, "cellbox att", 2, "--share:.35")
    image.text(left + 20, 16, "holds the right answer, %", "nt")
    image.rect(left + 180, 4, 14, 14, "cellbox att", 2, "--share:1.6")
    image.text(left + 200, 16, "is exactly it, %", "nt")
    scale = (width - left - 44) / 100
    for i, each in enumerate(rows):
        y = 30 + tall * i
        if phone:
            image.text(0, y + 11, name_of(each), "lab")
            y += 17
        else:
            image.text(left - 10, y + 15, name_of(each), "lab", "end")
        size = 100 * each["holds"] * scale
        image.rect(left, y, max(size, 1), 20, "cellbox att", 3, "--share:.35")
        image.rect(left, y, max(100 * each["exact_match"] * scale, 0.5), 20, "cellbox att", 3,
                   "--share:1.6")
        image.text(left + size + 8, y + 15, f"{100 * each['holds']:.0f}", "num")
    return image


def on_disk(width):
    """Megabytes on disk for one to ten tasks of SmolLM2: adapters beside the base, or copies."""
    sizes = record()["adapter"]["bytes"]
    whole, one = sizes["merged"] / 1e6, sizes["adapter"] / 1e6
    counts = list(range(1, TASKS + 1))
    return chart(width, {"a model for each task": (counts, [whole * n for n in counts], "ink"),
                         "one base, adapters": (counts, [whole + one * n for n in counts], "att")},
                 "tasks", "megabytes on disk", x_ticks=[1, 2, 4, 6, 8, 10],
                 y_range=(0, 1.06 * whole * TASKS))
