"""An adapter's directory: written and read, and what is refused of it in one line."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from npgpt.errors import InputError
from npgpt.finetuning import init_adapters
from npgpt.runs.adapters import (
    dropout_note,
    load_adapter,
    load_adapter_training,
    merged,
    save_adapter,
)
from npgpt.runs.checkpoint import find_directory
from npgpt.training import adamw_init
from npgpt.tree import tree_leaves, tree_map
from parity_tests.finetuning.small_models import ALPHA, RANK, TARGETS, adapter, base


@pytest.fixture
def saved(tmp_path):
    model, config, params = base("llama")
    save_adapter(tmp_path / "one", adapter("llama"), config, model)
    return tmp_path / "one"


def opened(path, kind="llama", params=None):
    model, config, own = base(kind)
    return load_adapter(path, own if params is None else params, config, model)


@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("kind", TARGETS)
def test_there_and_back(kind, rslora, tmp_path):
    model, config, params = base(kind)
    ours = adapter(kind, rslora=rslora, base="my/model", dropout=0.25)
    training = {"step": 4, "best": 1.5, "optimizer": {**adamw_init(ours.layers), "step": 4}}
    for _ in range(2):                  # the second over the first
        save_adapter(tmp_path / "a", ours, config, model, training)
    found = opened(tmp_path / "a", kind)
    assert (found.rank, found.lora_alpha, found.base) == (RANK, ALPHA, "my/model")
    assert found.alpha == ALPHA * (RANK ** 0.5 if rslora else 1)
    assert found.names == [name.rpartition(".")[2] for name in TARGETS[kind]]
    for path, array in tree_leaves(ours.layers):
        assert np.array_equal(dict(tree_leaves(found.layers))[path], array), path
    state = load_adapter_training(tmp_path / "a", found.layers)
    assert (state["step"], state["best"], state["optimizer"]["step"]) == (4, 1.5, 4)
    for tree, wanted in (("params", ours.layers), ("optimizer", training["optimizer"])):
        assert dict(tree_leaves(state[tree])).keys() == dict(tree_leaves(wanted)).keys()
    fields = json.loads((tmp_path / "a/adapter_config.json").read_text())
    assert fields["fan_in_fan_out"] == (kind == "gpt2")
    assert fields["target_modules"] == (
        ["attn.c_attn", "mlp.c_proj"] if kind == "gpt2" else ["q_proj", "v_proj"])
    assert "lora_dropout 0.25" in dropout_note(found)
    assert dropout_note(adapter(kind)) is None


def test_names_in_the_file_are_theirs(saved):
    arrays = load_file(saved / "adapter_model.safetensors")
    name = "base_model.model.model.layers.1.self_attn.v_proj.lora_{}.weight"
    assert arrays[name.format("A")].shape == (RANK, 12)
    assert arrays[name.format("B")].shape == (8, RANK)
    assert len(arrays) == 2 * 2 * 2


def test_several_for_one_base_add_up(tmp_path):
    """In any order; and one with a negative B takes the other off again."""
    _, _, params = base("llama")
    one, two = adapter("llama"), adapter("llama", 8, targets=["v", "up"])
    off = adapter("llama")
    off.layers = tree_map(lambda array: array, off.layers)
    for each in off.layers.values():
        each["B"] = -each["B"]
    both, other_way = merged(params, one, two), merged(params, two, one)
    taken_off = merged(both, off)
    only = dict(tree_leaves(merged(params, two)))
    for (path, a), (_, b), (_, c) in zip(*map(tree_leaves, (both, other_way, taken_off))):
        size = 8 * 2.0 ** -24 * max(1.0, np.abs(a).max())
        assert np.abs(a - b).max() <= size, path
        assert np.abs(c - only[path]).max() <= size, path


CHANGES = [
    ({"use_dora": True}, "use_dora is True"),
    ({"modules_to_save": ["lm_head"]}, "modules_to_save is ['lm_head']"),
    ({"peft_type": "IA3"}, "peft_type is 'IA3'"),
    ({"bias": "all"}, "bias is 'all'"),
    ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa'"),
    ({"rank_pattern": {"q_proj": 4}}, "rank_pattern is"),
    ({"alpha_pattern": {"q_proj": 4}}, "alpha_pattern is"),
    ({"lora_bias": True}, "lora_bias is True"),
    ({"something_new": 1}, "something_new is 1"),
    ({"r": 4}, "it is of another model"),
    ({"r": 0}, "r is 0"),
    ({"r": "8"}, "r is '8'"),
    ({"lora_alpha": "16"}, "lora_alpha is '16'"),
    ({"lora_alpha": float("inf")}, "lora_alpha is inf"),
]


@pytest.mark.parametrize("change, said", CHANGES, ids=[next(iter(change)) + str(i) for
                                                       i, (change, _) in enumerate(CHANGES)])
def test_another_kind_is_refused_by_name(change, said, saved):
    file = saved / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(InputError) as refused:
        opened(saved)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_what_peft_leaves_at_its_defaults_is_read(saved):
    file = saved / "adapter_config.json"
    more = {"exclude_modules": None, "layers_to_transform": [0], "rank_pattern": {},
            "use_dora": False, "loftq_config": {}, "megatron_core": "megatron.core",
            "qalora_group_size": 16, "inference_mode": False, "auto_mapping": None}
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))
    assert opened(saved).rank == RANK


def rewrite(path, change):
    file = path / "adapter_model.safetensors"
    save_file(change(load_file(file)), file, {"format": "pt"})


Q = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"


@pytest.mark.parametrize("change, said", [
    (lambda a: {**a, "base_model.model.lm_head.weight": np.ones((2, 2), np.float32)},
     "no place for base_model.model.lm_head.weight"),
    (lambda a: {name: array for name, array in a.items() if name != Q.format("B")},
     "not its partner"),
    (lambda a: {**a, Q.format("A"): a[Q.format("A")][:, :-1].copy()}, "(3, 12)"),
    (lambda a: {**a, Q.format("A"): np.full_like(a[Q.format("A")], np.nan)}, "is not finite"),
    (lambda a: {**a, Q.format("A"): a[Q.format("A")].astype(np.int32)}, "stored as I32"),
    (lambda a: {}, "adapts no layer"),
], ids=["more", "less", "shape", "nan", "whole", "none"])
def test_another_file_is_refused(change, said, saved):
    rewrite(saved, change)
    with pytest.raises(InputError) as refused:
        opened(saved)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_an_adapter_of_another_base_is_refused(saved):
    """Of another family, other sizes, and the same sizes with other weights."""
    model, config, params = base("llama")
    with pytest.raises(InputError, match="another base model"):
        opened(saved, "gpt2")
    with pytest.raises(InputError, match="was trained on another base model"):
        opened(saved, params=tree_map(lambda array: array * 1.5, params))
    with pytest.raises(InputError, match="holds another adapter"):
        save_adapter(saved, adapter("llama", targets=["q"]), config, model)


def test_where_there_is_none(tmp_path, saved):
    with pytest.raises(InputError, match=r"there is no adapter_config\.json"):
        opened(tmp_path)
    with pytest.raises(InputError, match="--adapter"):
        find_directory(saved)
    (saved / "adapter_model.safetensors").rename(saved / "adapter_model.bin")
    with pytest.raises(InputError, match="pickle"):
        opened(saved)
    shutil.rmtree(saved)


def test_unknown_targets_and_ranks_are_refused():
    model, config, _ = base("llama")
    for targets, rank, said in ((["query"], 2, "no layer of this model is called 'query'"),
                                (["q", "v"], 9, "blocks.0.attention.v is a matrix of 12 by 8"),
                                (["tokens"], 2, "give some of")):
        with pytest.raises(InputError, match=said):
            init_adapters(model, config, targets, rank)
    assert set(init_adapters(model, config, ["blocks.1.*.q", "feed_forward.*"], 2)) == {
        "blocks.1.attention.q", *[f"blocks.{i}.feed_forward.{name}" for i in (0, 1)
                                  for name in ("gate", "up", "down")]}
