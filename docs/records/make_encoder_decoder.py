"""The record docs/records/encoder_decoder.json: sequences reversed, copied and sorted by an
encoder–decoder, with positions and without.

    python docs/records/make_encoder_decoder.py      some minutes on two processors
"""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.checking.attention_maps import cross_attention_maps
from npgpt.models import encoder_decoder
from npgpt.runs.lessons.sequences import learn_sequences, one_pair
from npgpt.training import Trainer

SEED, LENGTH = 1, 20
STEPS = {("reverse", True): 700, ("copy", True): 500, ("sort", True): 700,
         ("reverse", False): 600, ("copy", False): 1000, ("sort", False): 1000}
TEXT = "abcdefghijklmnopqrst"


def numpy_trainer(config, params, settings):
    return Trainer(encoder_decoder, config, params, settings)


def measured(task, positions):
    run = learn_sequences(
        encoder_decoder, numpy_trainer, task, LENGTH, STEPS[task, positions], SEED, positions,
        lambda row: print(row, flush=True))
    params, config = run.pop("params"), run.pop("config")
    if positions:
        maps = cross_attention_maps(encoder_decoder, params, one_pair(task, TEXT), config)
        run["map"] = np.round(np.mean(maps[-1], axis=0), 3).tolist()
    return run


def main():
    """All runs, or those that are named, such as reverse-True: the others stay as they are."""
    here = Path(__file__)
    path = here.with_name("encoder_decoder.json")
    for task, positions in STEPS:
        name = f"{task}-{positions}"
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        run = measured(task, positions)
        print(name, {key: run[key] for key in ("exact", "tokens", "guess", "seconds")}, flush=True)
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], text=True,
                                capture_output=True, check=True, cwd=here.parent).stdout.strip()
        runs = json.loads(path.read_text())["runs"] if path.exists() else {}
        record = {"command": f"python docs/records/{here.name}", "seed": SEED,
                  "processors": os.cpu_count(), "text": TEXT,
                  "date": date.today().isoformat(), "commit": commit,
                  "python": sys.version.split()[0], "numpy": np.__version__,
                  "runs": {**runs, name: run}}
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
