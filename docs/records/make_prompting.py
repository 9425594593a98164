"""The record docs/records/prompting.json: SmolLM2, as it is, is asked about short stories, with
the story in the prompt, without it, and with another one, after zero, one and three worked
examples, and told to be brief; and an adapter for it is written, added and merged.

    python docs/records/make_prompting.py         some ten minutes of processor time

Two kinds of prompt are asked at a time, each by a process with one thread.

The questions are the first of the test questions of stories:chat, the examples questions about
stories for training, others for each question. Nothing is trained.
"""

import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from npgpt.benchmarks.machine import processor
from npgpt.cli.sample import engine_of
from npgpt.finetuning import init_adapters
from npgpt.models import llama
from npgpt.random_stream import normals
from npgpt.runs.adapters.adapter import Adapter
from npgpt.runs.adapters.with_adapters import load_with_adapters, save_merged
from npgpt.runs.adapters.write import save_adapter
from npgpt.runs.answers import ask, plainly, prompt_of, right
from npgpt.runs.chat_data import chat_of
from npgpt.text.corpora.chats import load_chats
from npgpt.text.corpora.stories.questions import LINKED, facts_of, messages, stories_of
from smollm2 import model, write
from threadpoolctl import threadpool_limits

QUESTIONS, MOST, TOKENS = 60, 3, 16
AT_ONCE = 4  # questions that are answered together: three stories before each take memory
BRIEF = " Answer in one to three words."
PROMPTS = [("no story", 0, ""), ("no story", 3, ""), ("the story", 0, ""),
           ("the story", 0, BRIEF), ("the story", 1, ""), ("the story", 3, ""),
           ("another story", 1, "")]
RANK, LAYERS = 8, ["q", "v"]


def examples(count):
    """-> for each question, MOST pairs of a prompt with a story for training and its answer."""
    pairs = []
    for story, row in islice(stories_of("train"), count * MOST):
        facts = facts_of(story)
        fact = facts[int(row[0] * len(facts))].question(row[1])
        pairs.append((story.text + LINKED + fact.text, fact.answer))
    return [pairs[i * MOST:(i + 1) * MOST] for i in range(count)]


def prompts(tests, story, shots, told):
    """The tests as conversations: first the worked examples, then the question. The examples
    have their own stories, but where there is no story at all; `told` ends the question."""
    found = []
    for i, (test, before) in enumerate(zip(tests, examples(len(tests)))):
        own, question = test[0]["content"].split(LINKED)
        given = {"the story": own, "no story": "",
                 "another story": tests[i - 1][0]["content"].split(LINKED)[0]}[story]
        asked = [*before[:shots], (given + LINKED + question + told, test[-1]["content"])]
        if not given:
            asked = [(prompt.split(LINKED)[-1], answer) for prompt, answer in asked]
        found.append(messages(asked))
    return found


def holds(answer, test):
    """Do the right answer's words stand in it, one after the other?"""
    return re.search(rf"\b{re.escape(plainly(test[-1]['content']))}\b", plainly(answer)) is not None


def asked(story, shots, told="", count=QUESTIONS):
    """One row of the record."""
    found, chats = model(), load_chats("stories:chat:1")
    chat, _ = chat_of(found.path, found.tokenizer)
    tests = prompts(chats.test[:count], story, shots, told)
    began = time.process_time()
    engine, answers = engine_of(found), []
    for first in range(0, count, AT_ONCE):
        answers += ask(engine, chat, tests[first:first + AT_ONCE], found.path, found.config,
                       found.family, TOKENS)
    used = time.process_time() - began
    marks = [right(answer, test) for answer, test in zip(answers, tests)]
    inside = [holds(answer, test) for answer, test in zip(answers, tests)]
    kinds = chats.kinds[:count]
    return {
        "story": story, "examples": shots, "told": told.strip(),
        "prompt_tokens": round(float(np.mean([len(prompt_of(chat, each)) for each in tests])), 1),
        "processor_seconds": round(used / count, 3),
        "exact_match": sum(marks) / count, "holds": sum(inside) / count,
        "by_kind": {kind: sum(mark for mark, each in zip(inside, kinds) if each == kind)
                    / kinds.count(kind) for kind in dict.fromkeys(kinds)},
        "length": sum(len(found.tokenizer.encode(answer)) for answer in answers) / count,
        "answers": [{"question": test[-2]["content"].rpartition("\n")[2].removesuffix(told),
                     "answer": answer, "right": test[-1]["content"]}
                    for test, answer in zip(tests[:20], answers)]}


def deployed():
    """An adapter of random numbers, added when the model is loaded, and merged into a file."""
    found = model()
    layers = init_adapters(llama, found.config, LAYERS, RANK, 1)
    for layer, each in layers.items():
        each["B"] = (0.01 * normals(each["B"].shape, 1, 0, layer)).astype(np.float32)
    with TemporaryDirectory() as place:
        one, whole = Path(place) / "one", Path(place) / "merged"
        save_adapter(one, Adapter(layers, RANK, 2.0 * RANK), found.config, found.family)
        began = time.perf_counter()
        load_with_adapters(found.path)
        between = time.perf_counter()
        added = load_with_adapters(found.path, [str(one)])
        ended = time.perf_counter()
        save_merged(added, whole)
        ids = np.array([found.tokenizer.encode("Once there was a king.")])
        logits = [llama.forward(load_with_adapters(path, paths).params, ids, found.config)[0]
                  for path, paths in ((found.path, None), (found.path, [str(one)]), (whole, None))]
        sizes = {name: sum(file.stat().st_size for file in path.iterdir())
                 for name, path in (("adapter", one), ("merged", whole))}
    return {"layers": LAYERS, "rank": RANK,
            "trained": sum(a.size for each in layers.values() for a in each.values()),
            "bytes": sizes, "load_seconds": round(between - began, 3),
            "load_with_seconds": round(ended - between, 3),
            "moves_logits": float(abs(logits[1] - logits[0]).max()),
            "merged_differs": float(abs(logits[2] - logits[1]).max())}


def main():
    with ProcessPoolExecutor(2, get_context("spawn"), threadpool_limits, (1,)) as pool:
        rows = []
        for row in pool.map(asked, *zip(*PROMPTS)):
            print({key: row[key] for key in ("story", "examples", "told", "exact_match", "holds",
                                             "processor_seconds")}, file=sys.stderr, flush=True)
            rows.append(row)
    write("prompting", {"machine": processor(), "questions": QUESTIONS, "at_once": AT_ONCE,
                        "tokens": TOKENS, "rows": rows, "adapter": deployed()})


if __name__ == "__main__":
    main()
