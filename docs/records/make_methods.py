"""The record docs/records/methods.json: a tiny model, fine-tuned in five ways.

    python docs/records/make_methods.py [DIR]      two hours on one free processor

It trains a base model on short stories; makes it answer questions about stories it has not
read, by all weights and by LoRA; goes on from the first of these on preferences, and on rewards
for its answers to the questions that it finds hardest, how many; and compares them all, each by
one command of `npgpt`, which stand in the record with their time and their curves. In DIR, by
default a new one in the directory for temporary files, it finds what an earlier call has
finished, and leaves what it makes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from npgpt.text.corpora.chats import load_chats
from npgpt.text.corpora.stories.questions import LINKED

BASE = ("train --corpus stories:short:4MB --tokenizer bpe:1024 --end-of-text"
        " --context-length 256 --batch-size 12 --tied --compile --steps 5000"
        " --learning-rate 0.002 --evaluate-every 250")
ANSWERS = "--data stories:chat --compile --steps 4000 --evaluate-every 200 --sample-every 400"
REWARDS = ("--data how_many.jsonl --compile --steps 200 --batch-size 8 --learning-rate 2e-4"
           " --evaluate-every 50 --sample-every 0")
METHODS = {
    "sft": f"finetune short-stories --method full {ANSWERS} --learning-rate 0.002",
    "lora": f"finetune short-stories --method lora --rank 8 --targets qkv,out,up,down {ANSWERS}"
            " --learning-rate 0.002",
    "dpo": "finetune sft-1 --method dpo --compile --steps 300 --learning-rate 1e-4"
           " --evaluate-every 50 --sample-every 100",
    "grpo": f"finetune sft-1 --method grpo {REWARDS}",
    "dr-grpo": f"finetune sft-1 --method dr-grpo {REWARDS}",
}
SEEDS = {"sft": (1,), "lora": (1,), "dpo": (1, 2, 3), "grpo": (1, 2, 3), "dr-grpo": (1,)}
ROOT = Path(__file__).parents[2]


def npgpt(work, *words):
    """What the command prints, and what it took: seconds, those of all processors, MB at the
    peak."""
    began = time.perf_counter()
    command = subprocess.Popen(
        [sys.executable, "-m", "npgpt", *words], cwd=work, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)})
    told = command.stdout.read()
    _, status, used = os.wait4(command.pid, 0)
    if status:
        sys.exit(f"npgpt {' '.join(words)} failed")
    return told, {"seconds": round(time.perf_counter() - began),
                  "processor_seconds": round(used.ru_utime + used.ru_stime),
                  "memory_mb": round(used.ru_maxrss / 1024)}


def run(words, work, name, seed):
    """A run's command, time and curves; only read where it has ended before."""
    out, words = work / name, f"{words} --seed {seed}"
    if not (out / "times.json").exists():
        _, times = npgpt(work, *words.split(), "--out", name)
        (out / "times.json").write_text(json.dumps(times))
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    about = json.loads((out / "run.json").read_text())
    rewards = [line["reward"] for line in lines if "reward" in line]
    return {
        "command": f"npgpt {words} --out {name}",
        "method": about.get("finetune", {}).get("method", "train"),
        "seed": seed,
        "steps": about["settings"]["steps"],
        "parameters": about["parameters"],
        **json.loads((out / "times.json").read_text()),
        "data": about["data"],
        "validation_loss": column(lines, "validation_loss"),
        "old_loss": column(lines, "old_loss"),
        "chosen": column(lines, "chosen"),
        "reward": {20 * n: round(sum(rewards[20 * n - 20:20 * n]) / 20, 3)
                   for n in range(1, len(rewards) // 20 + 1)},
    }


def how_many(file):
    """The conversations for training that ask how many, each a story with one question."""
    rows = []
    for conversation in load_chats("stories:chat").train:
        story = conversation[0]["content"].rpartition(LINKED)[0]
        for asked, answer in zip(conversation[::2], conversation[1::2]):
            question = asked["content"].rpartition(LINKED)[2]
            if "How many" in question or "number of" in question:
                content = story + LINKED + question
                rows.append({"messages": [{"role": "user", "content": content}, answer]})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def column(lines, name):
    return {line["step"]: round(line[name], 4) for line in lines if name in line}


def main():
    work = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).absolute()
    how_many(work / "how_many.jsonl")
    base = run(BASE, work, "short-stories", 1)
    runs = {f"{method}-{seed}": run(words, work, f"{method}-{seed}", seed)
            for method, words in METHODS.items() for seed in SEEDS[method]}
    told, _ = npgpt(work, "evaluate", "short-stories", *runs, "--answers", "--json")
    table = json.loads(told)
    for row in table["rows"]:
        row["answers"] = row["answers"][:20]
        if row["model"] in runs:
            runs[row["model"]]["trained"] = row["trained"]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.strip()
    record = {
        "command": "python docs/records/make_methods.py",
        "date": date.today().isoformat(),
        "commit": commit,
        "python": sys.version.split()[0],
        "processors": len(os.sched_getaffinity(0)),
        "base": base,
        "runs": runs,
        "evaluation": table,
    }
    Path(__file__).with_name("methods.json").write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    for row in table["rows"]:
        print(row["model"], f"{row['exact_match']:.1%}", row["by_kind"])


if __name__ == "__main__":
    main()
