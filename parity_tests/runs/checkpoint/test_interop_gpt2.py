"""GPT-2 as `transformers` keeps it: into both halves, out of both, tensor for tensor."""

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import torchgpt.models
from npgpt.cli.main import main as npgpt_main
from npgpt.errors import InputError
from npgpt.models import gpt2
from npgpt.runs.checkpoint import find_directory, load_checkpoint, save_checkpoint
from npgpt.tree import tree_leaves, tree_map
from torchgpt import GPT, to_numpy, to_torch
from torchgpt.cli.main import main as torchgpt_main

transformers = pytest.importorskip("transformers")
UNIT = 2.0 ** -24  # float32's rounding


def their_model(vocab_size=61, context=32, channels=32, layers=3, heads=4, tied=True):
    """transformers' GPT-2, random weights of which none is 0 or 1."""
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=vocab_size, n_positions=context, n_embd=channels, n_layer=layers,
        n_head=heads, tie_word_embeddings=tied, bos_token_id=None, eos_token_id=None)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    return model


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    path = tmp_path_factory.mktemp("interop") / "theirs"
    model = their_model()
    model.save_pretrained(path)
    return model, path


def budget(params, ids, config, truth, draws):
    """64 u S, with S measured: how far the logits move for each relative nudge of the weights."""
    rng, reach = np.random.default_rng(0), np.abs(truth).max()
    for _ in range(draws):
        nudged, _ = gpt2.forward(tree_map(lambda weight: weight * (
            1 + 1e-6 * rng.uniform(-1, 1, weight.shape)), params), ids, config)
        reach = max(reach, np.abs(nudged - truth).max() / 1e-6)
    return 64 * UNIT * reach


def into_both_halves_and_back(model, path, out, tokens, draws=8):
    found = load_checkpoint(path)
    params, config = found.params, found.config
    ids = np.random.default_rng(1).integers(0, config.vocab_size, (2, tokens))
    exact = tree_map(lambda weight: weight.astype(np.float64), params)
    truth, _ = gpt2.forward(exact, ids, config)
    allowed = budget(exact, ids, config, truth, draws)
    del exact
    in_torch, torch_ids = to_torch(params), torch.from_numpy(ids)
    module = GPT.from_params(in_torch, config)
    with torch.no_grad():
        logits = {
            "transformers": model(torch_ids).logits,
            "numpy": gpt2.forward(params, ids, config)[0],
            "torch": torchgpt.models.gpt2.forward(in_torch, torch_ids, config)[0],
            "module": module(torch_ids)[0],
        }
    for who, found_logits in logits.items():
        assert np.abs(np.asarray(found_logits) - truth).max() <= allowed, who
    # out of each half, by way of a file, into transformers again
    for half, tree in {"numpy": params, "torch": to_numpy(in_torch),
                       "module": to_numpy(module.to_params())}.items():
        save_checkpoint(out / half, config, tree)
        again = transformers.GPT2LMHeadModel.from_pretrained(out / half).state_dict()
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, again[name]), (half, name)
        reloaded = load_checkpoint(out / half).params
        assert [*dict(tree_leaves(reloaded))] == [*dict(tree_leaves(params))]
        same, _ = gpt2.forward(reloaded, ids, config)
        np.testing.assert_array_equal(same, logits["numpy"])
        shutil.rmtree(out / half)


@pytest.mark.parametrize("tied", [True, False])
def test_into_both_halves_and_back(tmp_path, tied):
    model = their_model(tied=tied)
    model.save_pretrained(tmp_path / "theirs")
    into_both_halves_and_back(model, tmp_path / "theirs", tmp_path, 32)


@pytest.mark.acceptance
def test_into_both_halves_and_back_with_124_million_parameters(tmp_path):
    model = their_model(50257, 1024, 768, 12, 12)
    assert sum(weight.numel() for weight in model.parameters()) == 124_439_808
    model.save_pretrained(tmp_path / "theirs")
    into_both_halves_and_back(model, tmp_path / "theirs", tmp_path, 24, draws=2)


def test_train_here_continue_there_and_return(theirs, tmp_path):
    """Ours takes a step, theirs, ours again: each finds the loss that the last one left."""
    from npgpt.training import adamw_init, adamw_step, loss_and_grads

    _, path = theirs
    found = load_checkpoint(path)
    params, config = found.params, found.config
    text = np.random.default_rng(2).integers(0, config.vocab_size, (4, 17))
    ids, targets = text[:, :-1], text[:, 1:]
    losses = []

    def step_here(params):
        loss, grads = loss_and_grads(gpt2, params, ids, targets, config)
        losses.append(loss)
        adamw_step(params, grads, adamw_init(params), lr=1e-2)
        return loss_and_grads(gpt2, params, ids, targets, config)[0]

    after = step_here(params)
    save_checkpoint(tmp_path / "ours", config, params)
    model = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "ours").eval()
    labels = torch.from_numpy(text[:, :-1])

    def their_loss():
        logits = model(labels).logits
        return torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), torch.from_numpy(targets).flatten())

    loss = their_loss()
    assert loss.item() == pytest.approx(float(after), abs=1e-5)
    loss.backward()
    torch.optim.AdamW(model.parameters(), lr=1e-2).step()
    model.save_pretrained(tmp_path / "returned")
    losses += [loss.item(), their_loss().item()]
    back = load_checkpoint(tmp_path / "returned").params
    assert float(loss_and_grads(gpt2, back, ids, targets, config)[0]) == pytest.approx(
        losses[-1], abs=1e-5)
    losses.append(float(step_here(back)))
    assert all(later < earlier + 1e-5 for earlier, later in pairwise(losses))
    assert losses[-1] < losses[0] - 0.05


@pytest.mark.parametrize("stored, asked", [
    ("models--openai-community--gpt2", "openai-community/gpt2"),
    ("models--openai-community--gpt2", "gpt2"),
    ("models--gpt2", "gpt2"),
    ("models--someone--small", "someone/small"),
])
def test_a_name_is_looked_up_in_the_cache_of_transformers(
        theirs, tmp_path, monkeypatch, stored, asked):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "hub" / stored
    shutil.copytree(theirs[1], folder / "snapshots" / "abc")
    shutil.copytree(theirs[1], folder / "snapshots" / "older")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc\n")
    assert find_directory(asked) == folder / "snapshots" / "abc"
    weight = load_checkpoint(asked).params["tokens"]["weight"]
    np.testing.assert_array_equal(weight, theirs[0].transformer.wte.weight.detach().numpy())
    assert npgpt_main(["sample", asked, "--ids", "1,2", "--tokens", "2"]) == 0
    with pytest.raises(InputError, match="no model of this name in "):
        load_checkpoint("openai-community/gpt3")


def drop(*names):
    return lambda tensors: {name: tensors[name] for name in tensors if name not in names}


def rename(old, new):
    return lambda tensors: {(new if name == old else name): tensors[name] for name in tensors}


def turn(name):
    return lambda tensors: {**tensors, name: np.ascontiguousarray(tensors[name].T)}


def cut(name):
    return lambda tensors: {**tensors, name: tensors[name][:-1].copy()}


QKV, UP = "transformer.h.1.attn.c_attn.weight", "transformer.h.2.mlp.c_fc.weight"
DAMAGE = {
    "missing": (drop(QKV, UP), [QKV, UP, "lacks"]),
    "a layer missing": (lambda tensors: {
        name: tensors[name] for name in tensors if ".h.2." not in name},
        ["transformer.h.2.ln_1.weight", "9 more"]),
    "oddly named": (rename(QKV, "transformer.h.1.attn.qkv.weight"),
                    ["transformer.h.1.attn.qkv.weight", QKV, "unknown"]),
    "turned, as a Linear keeps it": (turn(UP), [UP, "(128, 32)", "(32, 128)"]),
    "cut": (cut("transformer.wpe.weight"), ["transformer.wpe.weight", "(31, 32)", "(32, 32)"]),
    "integers": (lambda tensors: {**tensors, UP: tensors[UP].astype(np.int32)}, [UP, "I32"]),
}


@pytest.mark.parametrize("main", [npgpt_main, torchgpt_main], ids=["npgpt", "torchgpt"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_tensors_that_do_not_fit_are_named_in_one_line(theirs, tmp_path, capsys, main, damage):
    shutil.copytree(theirs[1], tmp_path / "broken")
    file = tmp_path / "broken" / "model.safetensors"
    change, words = DAMAGE[damage]
    save_file(change(load_file(file)), file)
    assert main(["sample", str(tmp_path / "broken"), "--ids", "1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ") and err.count("\n") == 1
    for word in (str(file), *words):
        assert word in err, (word, err)


def test_a_config_of_other_sizes_names_the_tensor(theirs, tmp_path):
    shutil.copytree(theirs[1], tmp_path / "broken")
    file = tmp_path / "broken" / "config.json"
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({**fields, "n_layer": 4}))
    with pytest.raises(InputError, match=r"lacks transformer\.h\.3\.ln_1\.weight"):
        load_checkpoint(tmp_path / "broken")
