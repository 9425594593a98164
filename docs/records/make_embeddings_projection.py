"""The record docs/records/embeddings_projection.json: how a table of token embeddings gets its
order, from before the first step to the story model's last.

    python docs/records/make_embeddings_projection.py     some minutes on one processor

The run is the story model's own (docs/models/stories/made.json), stopped at STOPS; its end is
the model in the repository. Of each state: the rows of some words in the plane of their two
largest variances, the nearest tokens of a few, and how alike two words of one group are,
beside two of different groups.
"""

import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from npgpt.cli.main import main
from npgpt.foundations import pca
from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.text.corpora.stories.grammar import ANIMALS, CUBE, NAMES, WORDS
from npgpt.training import init

DOCS = Path(__file__).parents[1]
STORIES = DOCS / "models" / "stories"
SETTINGS = ["--corpus", "stories:4MB", "--tokenizer", "bpe:768", "--context-length", "128",
            "--tied", "--compile", "--learning-rate", "0.002", "--warmup-steps", "250",
            "--decay-steps", "5000"]
STOPS, LAST = (30, 100, 300, 1000), 5000
GROUPS = {"animals": list(ANIMALS), "people": list(CUBE),
          "names": NAMES["he"][:6] + NAMES["she"][:6],
          "places": WORDS["place"], "looks": WORDS["adj"]}
ASKED = ("king", "duck", "Emma", "river", "red")
NEAREST = 4


def state(step, weight, tokenizer):
    """weight (V, C) -> what the record says of it."""
    weight = weight.astype(np.float64)
    ids = {word: tokenizer.encode(f" {word}") for group in GROUPS.values() for word in group}
    assert all(len(found) == 1 for found in ids.values()), "a word of several tokens"
    rows = weight[[found[0] for found in ids.values()]]
    points, _, ratios = pca(rows)
    unit = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    nearest = {}
    for word in ASKED:
        alike = unit @ unit[ids[word][0]]
        order = np.argsort(-alike)[1:NEAREST + 1]
        nearest[word] = [[tokenizer.decode([int(i)]), round(float(alike[i]), 2)] for i in order]
    names = [group for group, words in GROUPS.items() for _ in words]
    same = np.array(names)[:, None] == np.array(names)
    alike = unit[[found[0] for found in ids.values()]]
    alike = alike @ alike.T
    other = ~np.eye(len(names), dtype=bool)
    return {"step": step, "words": list(ids), "groups": names,
            "points": np.round(points / np.abs(points).max(), 4).tolist(),
            "ratios": np.round(ratios, 4).tolist(), "nearest": nearest,
            "within": round(float(alike[same & other].mean()), 3),
            "between": round(float(alike[~same].mean()), 3)}


def states():
    found = load_checkpoint(STORIES)
    yield state(0, init(gpt2, found.config)["tokens"]["weight"], found.tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        for stop in STOPS:
            more = ["--resume"] if run.exists() else SETTINGS
            assert main(["train", "--out", str(run), *more, "--steps", str(stop)]) == 0
            now = load_checkpoint(run)
            assert now.tokenizer.encode(" the king") == found.tokenizer.encode(" the king")
            yield state(stop, now.params["tokens"]["weight"], now.tokenizer)
    yield state(LAST, found.params["tokens"]["weight"], found.tokenizer)


if __name__ == "__main__":
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=DOCS, check=True,
                            capture_output=True, text=True).stdout.strip()
    record = {"command": "python docs/records/make_embeddings_projection.py",
              "training": "npgpt train " + " ".join(SETTINGS), "seed": 1,
              "date": datetime.date.today().isoformat(), "commit": commit,
              "python": sys.version.split()[0], "numpy": np.__version__,
              "states": list(states())}
    text = json.dumps(record, ensure_ascii=False, indent=None, separators=(", ", ": "))
    path = Path(__file__).with_name("embeddings_projection.json")
    path.write_text(text.replace('{"step"', '\n{"step"') + "\n", encoding="utf-8")
    print(path)
