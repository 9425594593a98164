"""The record docs/records/smollm2_lora.json: SmolLM2-135M-Instruct learns by LoRA to answer
questions about stories in a word or two.

    python docs/records/make_smollm2_lora.py [DIR]  a quarter of an hour on two free processors

It fine-tunes by one command of `npgpt`, and asks the same test questions before and after. In
DIR, by default a new one in the directory for temporary files, it finds what an earlier call
has finished, and leaves what it makes.
"""

import json
import sys
import tempfile
from pathlib import Path

from make_methods import run
from npgpt.cli.adapter import about as adapter_rows
from npgpt.cli.sample import engine_of
from npgpt.runs.adapters.with_adapters import load_with_adapters
from npgpt.runs.answers import ask, by_kind, right
from npgpt.runs.chat_data import chat_of
from npgpt.text.corpora.chats import load_chats
from smollm2 import write

COMMAND = ("finetune smollm2 --method lora --rank 8 --targets q,v --data stories:chat:500"
           " --batch-size 4 --steps 125 --learning-rate 1e-3 --evaluate-every 125"
           " --sample-every 25")
QUESTIONS, MEAN = 100, 5  # asked; steps that a point of the curve is the mean of


def main():
    work = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).absolute()
    out = work / "mine"
    found = run(COMMAND, work, out.name, 1)
    found.pop("seconds")  # it shared its processors: their own seconds are the measure
    half = json.loads((out / "run.json").read_text())["half"]
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    losses = [line["train_loss"] for line in lines if "train_loss" in line]
    found["train_loss"] = [round(sum(losses[i:i + MEAN]) / MEAN, 4)
                           for i in range(0, len(losses), MEAN)]
    before, after = asked([]), asked([str(out)])
    write("smollm2_lora", {
        "training": {**found, "half": half,
                     "trained": adapter_rows(out)["parameters"]},
        "adapter_bytes": (out / "adapter_model.safetensors").stat().st_size,
        "questions": QUESTIONS, "mean_of": MEAN, "before": before, "after": after})
    for name, each in (("before", before), ("after", after)):
        print(name, f"{each['exact_match']:.1%}", each["by_kind"])


def asked(adapters):
    """What the model answers with these adapters, and how often it is right."""
    checkpoint, chats = load_with_adapters("smollm2", adapters), load_chats("stories:chat:1")
    chat, _ = chat_of(checkpoint.path, checkpoint.tokenizer)
    tests = chats.test[:QUESTIONS]
    answers = ask(engine_of(checkpoint), chat, tests, checkpoint.path, checkpoint.config,
                  checkpoint.family)
    marks = [right(answer, test) for answer, test in zip(answers, tests)]
    return {"exact_match": sum(marks) / len(marks),
            "by_kind": dict(by_kind(chats.kinds[:QUESTIONS], marks)),
            "answers": [{"question": test[-2]["content"].rpartition("\n")[2], "answer": answer,
                         "right": test[-1]["content"]}
                        for test, answer in list(zip(tests, answers))[:12]]}


if __name__ == "__main__":
    main()
