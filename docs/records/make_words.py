"""`npgpt learn words` over five seeds, by both methods: what the vectors answer, and where those
of the first seed lie. `python docs/records/make_words.py` writes words.json beside this file.
Two minutes of one core."""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from npgpt import foundations
from npgpt.runs.lessons.words import learn_words, mean_of
from npgpt.text.corpora.words import ANALOGIES

SEEDS = range(1, 6)


def projected(found, relation):
    """Each pair of the relation as two points in the plane of their largest spread."""
    rows = dict(zip(found["words"], found["vectors"]))
    vectors = np.array([rows[word] for pair in ANALOGIES[relation] for word in pair], float)
    points, _, ratios = foundations.pca(vectors)
    return {"pairs": ANALOGIES[relation], "ratio": float(ratios.sum()),
            "points": np.round(points, 3).reshape(-1, 2, 2).tolist()}


def main():
    runs = {}
    for method in "skip-gram", "cbow":
        runs[method] = []
        for seed in SEEDS:
            began = time.process_time()
            found = learn_words(foundations, seed, method)
            row = {"seed": seed, "seconds": round(time.process_time() - began, 1),
                   "accuracy": found["accuracy"], "answers": found["answers"],
                   "baselines": found["baselines"]}
            runs[method].append(row)
            print(method, seed, row["seconds"], mean_of(found["accuracy"]), row["answers"][0],
                  flush=True)
            if method == "skip-gram" and seed == 1:
                first = {name: found[name] for name in (
                    "sentences", "channels", "window", "negatives", "epochs", "examples",
                    "questions", "path", "nearest")}
                first |= {"words": len(found["words"]),
                          "projected": {relation: projected(found, relation)
                                        for relation in ("gender", "capital")}}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True, check=True).stdout.strip()
    record = {"command": "python docs/records/make_words.py", "seeds": list(SEEDS),
              "date": date.today().isoformat(), "commit": commit,
              "python": sys.version.split()[0], "numpy": np.__version__,
              "first": first, "runs": runs}
    path = Path(__file__).with_name("words.json")
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
