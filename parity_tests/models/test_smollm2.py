"""SmolLM2-135M-Instruct in our code: losses, every gradient and greedy answers are those of
`transformers`. The model comes from the Python package index (93 MB)."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import torchgpt.generation
import torchgpt.models
import torchgpt.training
from npgpt.errors import InputError
from npgpt.generation import generate
from npgpt.models import llama
from npgpt.runs.checkpoint import file_name, load_checkpoint
from npgpt.runs.checkpoint.weights import is_transposed
from npgpt.training import loss_and_grads
from npgpt.tree import tree_leaves, tree_map
from torchgpt import to_torch

pytestmark = pytest.mark.acceptance
TEXTS = [
    "The capital of France is Paris, and the capital of Italy is Rome.",
    "Once upon a time there was a small cat who could not find her way home.",
    "Die Katze sitzt auf der Matte und schläft, während draußen der Regen fällt.",
    "Über den Wolken muss die Freiheit wohl grenzenlos sein.",
    "今天天气很好，我们去公园散步吧。",
    "机器学习是人工智能的一个分支。",
    "def add(a, b):\n    return a + b\n\nprint(add(2, 3))\n",
    "for (int i = 0; i < 10; i++) { sum += values[i]; }",
    "I am so happy today 😀🎉🎉 let us dance 💃🕺!",
    "In 1969, 3.14159 times 42 was 131.94678; the answer is 7,000,000.",
]
PROMPTS = ["The capital of France is", "Water boils at", "A cat is", "def fibonacci(n):",
           "The opposite of hot is", "Two plus two is", "Once upon a time", "The sun rises in",
           "A triangle has", "My favourite colour is"]


@pytest.fixture(scope="module")
def found():
    from npgpt.runs.fetch import fetch

    try:
        path = fetch("smollm2", print)
    except InputError as error:
        pytest.skip(f"SmolLM2 is not here and cannot be fetched: {error}")
    return load_checkpoint(path)


@pytest.fixture(scope="module")
def theirs(found):
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(
        found.path, dtype=torch.float32).eval()


def windows(found, text):
    ids = found.tokenizer.encode(text)
    return np.array([ids[:-1]]), np.array([ids[1:]])


def test_the_tokenizer_is_that_of_transformers(found):
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(found.path)
    for text in TEXTS:
        assert found.tokenizer.encode(text) == tokenizer(text)["input_ids"], text


def test_losses_of_ten_texts(found, theirs):
    torch_params = to_torch(found.params)
    for text in TEXTS:
        ids, targets = windows(found, text)
        with torch.no_grad():
            logits = theirs(torch.from_numpy(ids)).logits[0]
            expected = torch.nn.functional.cross_entropy(
                logits, torch.from_numpy(targets[0])).item()
        from npgpt.layers import cross_entropy

        ours, _ = cross_entropy(llama.forward(found.params, ids, found.config)[0], targets)
        assert abs(float(ours) - expected) < 1e-4, (text, float(ours), expected)
        with torch.no_grad():
            logits = torchgpt.models.llama.forward(
                torch_params, torch.from_numpy(ids), found.config)[0][0]
            loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets[0])).item()
        assert abs(loss - expected) < 1e-4, (text, loss, expected)


def test_every_gradient(found, theirs):
    """All 272 tensors within a thousandth of the largest of each, in both halves."""
    ids, targets = windows(found, " ".join(TEXTS[:3]))
    theirs.zero_grad()
    logits = theirs(torch.from_numpy(ids)).logits
    torch.nn.functional.cross_entropy(logits[0], torch.from_numpy(targets[0])).backward()
    named = dict(theirs.named_parameters())
    _, ours = loss_and_grads(llama, found.params, ids, targets, found.config)
    _, by_hand = torchgpt.training.loss_and_grads(
        torchgpt.models.llama, to_torch(found.params), torch.from_numpy(ids),
        torch.from_numpy(targets), found.config)
    by_hand = dict(tree_leaves(tree_map(lambda grad: grad.numpy(), by_hand)))
    checked = 0
    for path, grad in tree_leaves(ours):
        expected = named[file_name(path, llama)].grad.numpy()
        expected = expected.T if is_transposed(path, llama) else expected
        largest = np.abs(expected).max()
        for half, value in ("NumPy", grad), ("PyTorch", by_hand[path]):
            error = np.abs(value - expected).max() / largest
            assert error < 1e-3, f"{half}, {path}: {error:.1e} of the largest entry"
        checked += 1
    assert checked == len(named) == 272
    theirs.zero_grad()


def test_greedy_answers(found, theirs):
    """Token for token, up to a step whose two best logits lie within rounding."""
    params = to_torch(found.params)
    for prompt in PROMPTS:
        start = found.tokenizer.encode(prompt)
        with torch.no_grad():
            out = theirs.generate(torch.tensor([start]), max_new_tokens=16, do_sample=False,
                                  eos_token_id=None, pad_token_id=0,
                                  output_logits=True, return_dict_in_generate=True)
        expected = out.sequences[0, len(start):].tolist()
        ours = [*generate(llama, found.params, found.config, start, 16, temperature=0)]
        by_torch = [*torchgpt.generation.generate(
            torchgpt.models.llama, params, found.config, start, 16, temperature=0)]
        for half, written in ("NumPy", ours), ("PyTorch", by_torch):
            for step, (a, b) in enumerate(zip(written, expected)):
                if a == b:
                    continue
                best = out.logits[step][0].topk(2).values
                gap = float(best[0] - best[1])
                assert gap < 1e-3, f"{half}, {prompt!r}, token {step}: {a}, not {b}"
                print(f"{half}, {prompt!r}, token {step}: the two best lie {gap:.0e} apart")
                break


def test_the_chat_answers(found):
    from npgpt.cli.main import app

    done = CliRunner().invoke(
        app, ["chat", "smollm2", "--temperature", "0", "--tokens", "20", "--prompt",
              "What is the capital of France?", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["answer"] == "The capital of France is Paris."
