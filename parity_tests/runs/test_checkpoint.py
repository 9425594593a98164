"""Checkpoints: there and back, into `transformers` and out of it, and what is refused."""

import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from npgpt.errors import InputError
from npgpt.files import write_atomically
from npgpt.models import gpt2
from npgpt.models.gpt2 import Config
from npgpt.runs.checkpoint import create_run, load_checkpoint, save_checkpoint
from npgpt.text import CharacterTokenizer
from npgpt.text.prepare.token_files import write_tokens
from npgpt.training import adamw_init, init
from npgpt.tree import tree_leaves, tree_map

TEXT = "hello, world\n"


def rough(config, seed, dtype=np.float32):
    """Weights of which none is 0 or 1, so that a mix-up shows."""
    draw = np.random.default_rng(seed)
    return tree_map(lambda array: (
        array + 0.1 * draw.standard_normal(array.shape)).astype(dtype), init(gpt2, config, seed))


def make(tied, **sizes):
    tokenizer = CharacterTokenizer.train(TEXT)
    config = Config(tokenizer.vocab_size, **{
        "context_length": 16, "layers": 2, "heads": 2, "channels": 8, "tied": tied, **sizes})
    return config, rough(config, 3), tokenizer


def equal(one, other):
    one, other = dict(tree_leaves(one)), dict(tree_leaves(other))
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        assert np.asarray(one[name]).dtype == np.asarray(other[name]).dtype


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


def edit(path, change):
    tensors = load_file(path / "model.safetensors")
    save_file(change(dict(tensors)), path / "model.safetensors")


@pytest.fixture
def saved(tmp_path):
    config, params, tokenizer = make(True)
    save_checkpoint(tmp_path / "run", config, params, tokenizer,
                    {"step": 1, "best": None, "optimizer": adamw_init(params)})
    return tmp_path / "run", params


def test_files_without_prefix_and_with_mask_buffers(saved):
    path, params = saved
    mask = np.tril(np.ones((1, 1, 16, 16), np.float32))
    edit(path, lambda tensors: {
        **{name.removeprefix("transformer."): array for name, array in tensors.items()},
        "h.0.attn.bias": mask, "h.1.attn.masked_bias": np.float32([-1e4])})
    equal(load_checkpoint(path).params, params)


def test_a_tokenizer_of_another_size_is_named_by_its_file(tmp_path):
    from npgpt.text import BytePairTokenizer

    save_checkpoint(tmp_path, Config(7), init(gpt2, Config(7)))
    model = json.loads(BytePairTokenizer.train("ab ab ab", 258).to_json())["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]))
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *model["merges"], ""]))
    with pytest.raises(InputError, match=r"vocab\.json has \d+ tokens"):
        load_checkpoint(tmp_path)


def test_a_float16_file_is_read_as_float32(saved):
    path, params = saved
    edit(path, lambda tensors: {name: a.astype(np.float16) for name, a in tensors.items()})
    equal(load_checkpoint(path).params,
          tree_map(lambda a: a.astype(np.float16).astype(np.float32), params))


def test_a_cache_folder_of_the_hub(saved, tmp_path):
    path, params = saved
    cache = tmp_path / "models--someone--gpt"
    (cache / "refs").mkdir(parents=True)
    (cache / "snapshots").mkdir()
    (cache / "refs" / "main").write_text("abc123")
    shutil.move(path, cache / "snapshots" / "abc123")
    equal(load_checkpoint(cache).params, params)


def drop(*names):
    return lambda tensors: {n: a for n, a in tensors.items() if n not in names}


QKV = "transformer.h.0.attn.c_attn.weight"


@pytest.mark.parametrize(("change", "words"), [
    (drop(QKV), ["lacks", QKV]),
    (drop(QKV, "transformer.wte.weight"), ["lacks", QKV, "transformer.wte.weight"]),
    (lambda t: {**t, "transformer.h.9.surprise": np.ones(3, np.float32)},
     ["unknown transformer.h.9.surprise"]),
    (lambda t: {**drop(QKV)(t), "transformer.h.0.attn.qkv": t[QKV]},
     [f"lacks {QKV}", "unknown transformer.h.0.attn.qkv"]),
    (lambda t: {**t, QKV: t[QKV].T.copy()}, [QKV, "(24, 8)", "(8, 24)"]),
    (lambda t: {**t, QKV: t[QKV].astype(np.int64)}, [QKV, "I64"]),
    (lambda t: {**t, "lm_head.weight": t["transformer.wte.weight"] + 1}, ["lm_head", "tied"]),
    (lambda t: {"a": np.ones(1, np.float32)}, ["lacks transformer.wte.weight", "more", "unknown"]),
])
def test_foreign_tensors_are_named(saved, change, words):
    path, _ = saved
    edit(path, change)
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message and "model.safetensors" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors"])
@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_a_file_that_is_cut_off(saved, name, keep):
    path, _ = saved
    whole = (path / name).read_bytes()
    (path / name).write_bytes(whole[:keep])
    with pytest.raises(InputError, match=f"{name} is cut off"):
        _ = load_checkpoint(path).training


@pytest.mark.parametrize(("change", "words"), [
    ({"activation_function": "relu"}, "activation_function is 'relu'"),
    ({"model_type": "llama"}, "model_type is 'llama'"),
    ({"n_inner": 12}, "n_inner is 12"),
    ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon"),
    ({"scale_attn_weights": False}, "scale_attn_weights is False"),
    ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
    ({"add_cross_attention": True}, "add_cross_attention is True"),
    ({"n_head": 3}, "3 heads do not divide 8 channels"),
    ({"n_embd": "8"}, "channels is '8'"),
    ({"vocab_size": 11}, "has 10 tokens, but the model's vocabulary has 11"),
])
def test_a_config_that_we_cannot_compute(saved, change, words):
    path, _ = saved
    fields = {**json.loads((path / "config.json").read_text()), **change}
    (path / "config.json").write_text(json.dumps(fields))
    if "vocab_size" in change:
        edit(path, lambda t: {**t, "transformer.wte.weight": np.ones((11, 8), np.float32)})
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    assert words in str(caught.value)


def test_a_config_that_does_not_say_is_tied(saved):
    path, params = saved
    fields = json.loads((path / "config.json").read_text())
    assert fields.pop("tie_word_embeddings")
    (path / "config.json").write_text(json.dumps(fields))
    equal(load_checkpoint(path).params, params)


@pytest.mark.skipif(os.name != "posix", reason="sets the umask of POSIX")
def test_weights_are_as_readable_as_the_umask_allows(tmp_path):
    config, params, _ = make(True)
    for umask in (0o077, 0o022):
        path, before = tmp_path / f"{umask}", os.umask(umask)
        try:
            save_checkpoint(path, config, params)
        finally:
            os.umask(before)
        modes = {file.name: file.stat().st_mode & 0o777 for file in [path, *path.iterdir()]}
        assert modes == {path.name: 0o777 & ~umask, "config.json": 0o666 & ~umask,
                         "model.safetensors": 0o666 & ~umask}


def test_nothing_is_written_over_another_model(saved):
    path, _ = saved
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    config, params, _ = make(True, channels=16)
    with pytest.raises(InputError, match="other sizes"):
        save_checkpoint(path, config, params)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


def test_a_directory_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "letter.txt").write_text("dear")
    config, params, _ = make(True)
    for write in (lambda run: save_checkpoint(run, config, params),
                  lambda run: create_run(run, config)):
        with pytest.raises(InputError):
            write(tmp_path / "run")
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["letter.txt"]


@pytest.fixture
def disk(monkeypatch):
    """What a power cut would lose: names that were given to data not yet
    flushed, and directories whose names are not. Names in their order."""
    flushed, names = {}, []
    unflushed_data, unflushed_names = [], set()
    fsync, calls = os.fsync, {"replace": os.replace, "rename": os.rename}

    def flush(handle):
        fsync(handle)
        about = os.fstat(handle)
        flushed[about.st_ino] = about.st_size
        unflushed_names.discard(about.st_ino)

    def moving(call):
        def move(old, new):
            about = os.stat(old)
            if os.path.isfile(old) and flushed.get(about.st_ino) != about.st_size:
                unflushed_data.append(str(new))
            call(old, new)
            names.append(os.path.basename(new))
            unflushed_names.add(os.stat(os.path.dirname(new)).st_ino)

        return move

    monkeypatch.setattr(os, "fsync", flush)
    for name, call in calls.items():
        monkeypatch.setattr(os, name, moving(call))
    return SimpleNamespace(names=names, lost=lambda: (unflushed_data, unflushed_names))


@pytest.mark.skipif(os.name != "posix", reason="flushes directories as POSIX does")
@pytest.mark.parametrize("there", [False, True])
def test_what_is_written_outlives_a_power_cut(tmp_path, disk, there):
    config, params, tokenizer = make(True)
    run = tmp_path / "run"
    if there:
        run.mkdir()
    create_run(run, config, tokenizer, {"steps": 1})
    # a directory that is there becomes a run by its last name
    assert disk.names[-1] == ("config.json" if there else "run")
    assert disk.lost() == ([], set())
    state = {"step": 1, "best": None, "optimizer": adamw_init(params)}
    for _ in range(2):
        save_checkpoint(run, config, params, training=state)
        # steps that the training state does not know of are taken again
        assert disk.names[-2:] == ["model.safetensors", "training.safetensors"]
        assert disk.lost() == ([], set())
    for write in (lambda: write_atomically(tmp_path / "text", "new"),
                  lambda: write_tokens(tmp_path / "ids", [[1, 2]], 3)):
        write()
        assert disk.lost() == ([], set())


def test_a_save_that_fails_leaves_the_old_state(saved, monkeypatch):
    """A full disk: the aside file is taken away and the old one stands."""
    path, params = saved
    before = {file.name: file.read_bytes() for file in path.iterdir()}

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("npgpt.runs.checkpoint.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, load_checkpoint(path).config, tree_map(lambda a: a + 1, params),
                        training={"step": 2, "best": None, "optimizer": adamw_init(params)})
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
