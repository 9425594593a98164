"""Keep a trained run for the book: weights as float16, and made.json, which says how.

    python docs/models/pack.py runs/stories docs/models/stories --minutes 42 --command "npgpt …"
"""

import argparse
import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.benchmarks.machine import processor
from npgpt.generation import generate
from npgpt.models import BY_TYPE
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.text.corpora.stories.score import score_story
from safetensors.numpy import load_file, save_file

TEXTS, TOKENS = 20, 220


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--command", required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    source = given.run / "best"
    tensors = load_file(source / "model.safetensors")
    save_file({name: value.astype(np.float16) for name, value in tensors.items()},
              given.out / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(given.run / name, given.out / name)
    losses = [json.loads(line).get("validation_loss")
              for line in (given.run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    sentences, grammatical, consistent = scores(given.out)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True, cwd=Path(__file__).parent).stdout.strip()
    made = {"command": given.command, "minutes": given.minutes, "machine": processor(),
            "date": date.today().isoformat(), "commit": commit,
            "validation_loss": min(loss for loss in losses if loss is not None),
            "parameters": sum(value.size for value in tensors.values()),
            "sentences": sentences, "grammatical": grammatical, "consistent": consistent}
    (given.out / "made.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1))


def scores(path):
    """How many of the sentences that the kept model writes are of the grammar, and how many of
    those agree with what was said before."""
    found = load_checkpoint(path)
    ids = np.array(found.tokenizer.encode("Once there was"))
    sentences = grammatical = consistent = 0
    for seed in range(TEXTS):
        more = generate(BY_TYPE[found.family.FILES["model_type"]], found.params, found.config, ids,
                        TOKENS, temperature=0.8, seed=seed)
        score = score_story("Once there was" + found.tokenizer.decode([int(i) for i in more]))
        sentences += score.sentences
        grammatical += score.grammatical
        consistent += score.consistent
    return sentences, grammatical, consistent


if __name__ == "__main__":
    main()
