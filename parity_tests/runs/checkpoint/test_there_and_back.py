"""Checkpoints: written and read again, into `transformers` and out of it."""

import numpy as np
import pytest
import torch

from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.training import adamw_init
from npgpt.tree import tree_leaves, tree_map
from parity_tests.runs.checkpoint.checkpoint_checks import TEXT, equal, make, rough


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tied", [True, False])
def test_there_and_back(tmp_path, tied, dtype):
    config, _, tokenizer = make(tied)
    params = rough(config, 3, dtype)
    state = adamw_init(params)
    state["m"], state["v"], state["step"] = rough(config, 4, dtype), rough(config, 5, dtype), 7
    training = {"step": 7, "best": 1 / 3, "optimizer": state}
    save_checkpoint(tmp_path / "run", config, params, tokenizer, training)
    found = load_checkpoint(tmp_path / "run")
    assert found.config == config
    equal(found.params, params)
    equal(found.training["params"], params)
    for moment in ("m", "v"):
        equal(found.training["optimizer"][moment], state[moment])
    assert found.training["optimizer"]["step"] == 7
    assert (found.training["step"], found.training["best"]) == (7, 1 / 3)
    assert found.tokenizer.encode(TEXT) == tokenizer.encode(TEXT)


def test_a_model_has_no_tokenizer_and_no_training(tmp_path):
    config, params, _ = make(True)
    save_checkpoint(tmp_path / "run", config, params)
    found = load_checkpoint(tmp_path / "run")
    assert found.tokenizer is None and found.training is None and found.settings is None


def test_moments_stay_with_their_parameters_beyond_ten_layers(tmp_path):
    config, params, _ = make(True, layers=12)
    state = adamw_init(params)
    state["m"] = rough(config, 9)
    save_checkpoint(tmp_path / "run", config, params,
                    training={"step": 1, "best": None, "optimizer": state})
    found = load_checkpoint(tmp_path / "run").training
    for (_, weight), (_, moment) in zip(
            tree_leaves(found["params"]), tree_leaves(found["optimizer"]["m"])):
        assert weight.shape == moment.shape
    equal(found["optimizer"]["m"], state["m"])


@pytest.mark.parametrize("tied", [True, False])
def test_transformers_opens_ours(tmp_path, tied):
    from transformers import AutoTokenizer, GPT2LMHeadModel

    config, params, tokenizer = make(tied)
    save_checkpoint(tmp_path / "run", config, params, tokenizer)
    theirs = GPT2LMHeadModel.from_pretrained(tmp_path / "run").eval()
    ids = np.random.default_rng(0).integers(0, config.vocab_size, (3, 16))
    with torch.no_grad():
        expected = theirs(torch.from_numpy(ids)).logits.numpy()
    logits, _ = gpt2.forward(params, ids, config)
    np.testing.assert_allclose(logits, expected, atol=2e-6 * np.abs(expected).max(), rtol=0)
    assert theirs.generation_config.eos_token_id is None
    reader = AutoTokenizer.from_pretrained(tmp_path / "run")
    assert reader(TEXT).input_ids == tokenizer.encode(TEXT)


@pytest.mark.parametrize("shard", ["1GB", "2KB"])
@pytest.mark.parametrize("tied", [True, False])
def test_we_open_theirs(tmp_path, tied, shard):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    theirs = GPT2LMHeadModel(GPT2Config(
        vocab_size=11, n_positions=16, n_embd=8, n_layer=2, n_head=2, tie_word_embeddings=tied,
        bos_token_id=0, eos_token_id=0)).eval()
    with torch.no_grad():
        for weight in theirs.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    theirs.save_pretrained(tmp_path / "theirs", max_shard_size=shard)
    assert (tmp_path / "theirs" / "model.safetensors.index.json").exists() == (shard == "2KB")
    found = load_checkpoint(tmp_path / "theirs")
    ids = np.random.default_rng(0).integers(0, 11, (3, 16))
    with torch.no_grad():
        expected = theirs(torch.from_numpy(ids)).logits.numpy()
    logits, _ = gpt2.forward(found.params, ids, found.config)
    np.testing.assert_allclose(logits, expected, atol=2e-6 * np.abs(expected).max(), rtol=0)
    # and out again, tensor for tensor
    save_checkpoint(tmp_path / "ours", found.config, found.params)
    ours = GPT2LMHeadModel.from_pretrained(tmp_path / "ours").state_dict()
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(tensor, ours[name]), name
    # over theirs, shards or not: the last save is what is read
    changed = tree_map(lambda array: array + 1, found.params)
    save_checkpoint(tmp_path / "theirs", found.config, changed)
    equal(load_checkpoint(tmp_path / "theirs").params, changed)
