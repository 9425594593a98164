"""The peak memory of attention and of flash attention, forward and backward, against the
length of the text: `python docs/records/make_flash_memory.py` writes flash_memory.json beside
this file. tracemalloc counts every array that NumPy makes. Half a minute, and up to 1.5 GB."""

import gc
import json
import subprocess
import sys
import tracemalloc
from datetime import date
from pathlib import Path

import numpy as np
from npgpt.layers import (
    attention,
    attention_backward,
    flash_attention,
    flash_attention_backward,
)

D, SEED = 64, 0
LENGTHS = [256, 512, 1024, 2048, 4096, 8192]
PAIRS = {"attention": (attention, attention_backward),
         "flash_attention": (flash_attention, flash_attention_backward)}


def peaks(forward, backward, q, k, v, d_y):
    """-> the most bytes held during forward, during backward, and kept between the two; q, k, v
    and d_y are not counted, for they exist before."""
    gc.collect()
    tracemalloc.start()
    y, saved = forward(q, k, v, causal=True)
    kept, first = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    backward(d_y, saved)
    _, second = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return first, second, kept


def main():
    draw, found = np.random.default_rng(SEED), {name: [] for name in PAIRS}
    for length in LENGTHS:
        q, k, v, d_y = draw.normal(size=(4, 1, 1, length, D)).astype(np.float32)
        for name, pair in PAIRS.items():
            row = [length, *peaks(*pair, q, k, v, d_y)]
            found[name].append(row)
            print(name, row, flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True, check=True).stdout.strip()
    record = {"command": "python docs/records/make_flash_memory.py", "seed": SEED,
              "date": date.today().isoformat(), "commit": commit,
              "python": sys.version.split()[0], "numpy": np.__version__,
              "shape": f"one head of {D} channels, causal, float32",
              "columns": ["T", "peak bytes forward", "peak bytes backward", "bytes kept"],
              "runs": found}
    path = Path(__file__).with_name("flash_memory.json")
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
