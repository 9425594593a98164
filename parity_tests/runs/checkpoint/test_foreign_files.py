"""Directories that other programs wrote, or that came to harm: read, or named in one line."""

import json
import shutil

import numpy as np
import pytest

from npgpt.errors import InputError
from npgpt.models import gpt2
from npgpt.models.gpt2 import Config
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.training import init
from npgpt.tree import tree_map
from parity_tests.runs.checkpoint.checkpoint_checks import edit, equal


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
    ({"model_type": "mamba"}, "model_type is 'mamba'"),
    ({"n_inner": 12}, "n_inner is 12"),
    ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon"),
    ({"scale_attn_weights": False}, "scale_attn_weights is False"),
    ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
    ({"add_cross_attention": True}, "add_cross_attention is True"),
    ({"n_head": 3}, "3 heads do not divide 8 channels"),
    ({"n_embd": "8"}, "channels is '8'"),
    ({"vocab_size": 9}, "has 10 tokens, but the model's vocabulary has 9"),
])
def test_a_config_that_we_cannot_compute(saved, change, words):
    path, _ = saved
    fields = {**json.loads((path / "config.json").read_text()), **change}
    (path / "config.json").write_text(json.dumps(fields))
    if "vocab_size" in change:
        edit(path, lambda t: {**t, "transformer.wte.weight": np.ones((9, 8), np.float32)})
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    assert words in str(caught.value)


def test_a_config_that_does_not_say_is_tied(saved):
    path, params = saved
    fields = json.loads((path / "config.json").read_text())
    assert fields.pop("tie_word_embeddings")
    (path / "config.json").write_text(json.dumps(fields))
    equal(load_checkpoint(path).params, params)
