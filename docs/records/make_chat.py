"""The record docs/records/chat.json: a tiny model learns to answer questions about stories.

    python docs/records/make_chat.py [DIR]      a quarter of an hour on two free processors

It trains a base model on short stories, fine-tunes it on stories:chat, and compares the two,
each by one command of `npgpt`, which stand in the record with their time and their curves. In
DIR, by default a new one in the directory for temporary files, it finds what an earlier call
has finished, and leaves what it makes.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

BASE = ("train --corpus stories:short:4MB --tokenizer bpe:1024 --end-of-text"
        " --context-length 256 --batch-size 12 --tied --compile --steps 2000"
        " --learning-rate 0.002 --evaluate-every 250")
CHAT = ("finetune {base} --data stories:chat --method full --compile --steps 4000"
        " --learning-rate 0.002 --evaluate-every 200")
ROOT = Path(__file__).parents[2]


def npgpt(*words):
    """What the command prints, the seconds it took, and those of all processors."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "npgpt", *words], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, time.perf_counter() - began, used


def run(words, out):
    """A run's command, time and curve; only read where it has ended before."""
    times = out / "times.json"
    if not times.exists():
        _, seconds, used = npgpt(*words.split(), "--out", str(out))
        times.write_text(json.dumps({"seconds": round(seconds), "processor_seconds": round(used)}))
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    about = json.loads((out / "run.json").read_text())
    losses = [line["train_loss"] for line in lines if "train_loss" in line]
    return {
        "command": f"npgpt {words.replace(str(out.parent) + '/', '')} --out {out.name}",
        "seed": about["settings"]["seed"],
        "parameters": about["parameters"],
        **json.loads(times.read_text()),
        "data": about["data"],
        "train_loss": [round(sum(losses[i:i + 50]) / len(losses[i:i + 50]), 4)
                       for i in range(0, len(losses), 50)],
        "validation_loss": {line["step"]: round(line["validation_loss"], 4) for line in lines
                            if "validation_loss" in line},
    }


def main():
    work = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).absolute()
    base, chat = work / "short-stories", work / "chat"
    found = {"base": run(BASE, base), "chat": run(CHAT.format(base=base), chat)}
    answer, seconds, _ = npgpt("evaluate", str(base), str(chat), "--answers", "--json")
    table = json.loads(answer)
    for row in table["rows"]:
        row["model"] = Path(row["model"]).name
        row["answers"] = row["answers"][:20]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.strip()
    record = {
        "command": "python docs/records/make_chat.py",
        "date": date.today().isoformat(),
        "commit": commit,
        "python": sys.version.split()[0],
        "processors": len(os.sched_getaffinity(0)),
        **found,
        "evaluation": {"command": "npgpt evaluate short-stories chat --answers --json",
                       "seconds": round(seconds), **table},
    }
    Path(__file__).with_name("chat.json").write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    for row in table["rows"]:
        print(row["model"], f"{row['exact_match']:.1%}", row["by_kind"])


if __name__ == "__main__":
    main()
