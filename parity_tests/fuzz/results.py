"""What a right result is, of a command that says that all went well.

Each function takes the directory, the command line and what was printed, and raises
AssertionError, or another error, where the result cannot be right."""

import hashlib
import json
import math

import numpy as np

from npgpt.runs.checkpoint import load_checkpoint, saved_step
from npgpt.text import load_tokenizer


def no_number(name):
    raise AssertionError(f"{name} is printed")


def read(text):
    """One JSON object, without NaN."""
    return json.loads(text, parse_constant=no_number)


def none(room, line, out):
    """Nothing is known of the result but that it is one."""


def wrong(room, line, out):
    assert "--help" in line and out.startswith("Usage:"), "a wrong line is taken"


def sample(room, line, out):
    found, saved = read(out), load_checkpoint(room / "run")
    assert len(found["ids"]) <= int(line[line.index("--tokens") + 1])
    assert all(0 <= id < saved.config.vocab_size for id in found["ids"])
    if "log_probs" in found:
        assert len(found["log_probs"]) == len(found["ids"])
        assert all(each is not None and each <= 1e-6 for each in found["log_probs"])
    if saved.tokenizer is not None and not found.get("stopped"):
        assert found["text"] == saved.tokenizer.decode(found["ids"])


def inspect(room, line, out):
    found, saved = read(out), load_checkpoint(room / "run")
    assert found["config"] == vars(saved.config)
    assert found["parameters"] == sum(part["parameters"] for part in found["parts"])
    assert found["token"]["id"] == 3 and len(found["neighbours"]) <= 10


def train(room, line, out):
    found = read(out)
    path, steps = room / found["out"], int(line[line.index("--steps") + 1])
    assert found["status"] == "finished" and found["step"] == steps == saved_step(path)
    assert math.isfinite(found["train_loss"]) if found["train_loss"] is not None else True
    params = load_checkpoint(path).params
    assert np.isfinite(params["tokens"]["weight"]).all()
    for text in (path / "log.jsonl").read_bytes().splitlines()[-1:]:
        assert json.loads(text)["step"] == steps


def plot(room, line, out):
    (run,) = read(out)["runs"]
    assert run["run"] == "run"
    assert (room / "lines.png").read_bytes().startswith(b"\x89PNG")


def prepare(room, line, out):
    found = read(out)
    documents = found["documents"]
    assert documents["seen"] == documents["kept"] + sum(documents["dropped"].values())
    for name, file in found["files"].items():
        data = (room / "new" / name).read_bytes()
        assert file == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    tokenizer = load_tokenizer(room / "new")
    for part in ("train", "validation"):
        ids = np.load(room / "new" / f"{part}.tokens", allow_pickle=False)
        assert len(ids) == found[part]["tokens"] and (ids < tokenizer.vocab_size).all()


def tokenizer_train(room, line, out):
    found = read(out)
    assert load_tokenizer(room / "new.json").vocab_size == found["vocab_size"]


def encode(room, line, out):
    ids = read(out)["ids"]
    tokenizer = load_tokenizer(room / "tokenizer.json")
    assert all(0 <= id < tokenizer.vocab_size for id in ids)
    assert isinstance(tokenizer.decode(ids), str)


def decode(room, line, out):
    ids = [int(word) for word in line[line.index("--") + 1:]]
    assert read(out)["text"] == load_tokenizer(room / "tokenizer.json").decode(ids)


def show(room, line, out):
    tokenizer = load_tokenizer(room / "tokenizer.json")
    assert all(0 <= piece["id"] < tokenizer.vocab_size for piece in read(out)["pieces"])
