"""Our Llama against Llama, Qwen2 and Qwen3 of `transformers`: logits, loss, every gradient,
and files both ways."""

import json
from itertools import product

import numpy as np
import pytest
import torch
from safetensors import safe_open

import torchgpt.generation
import torchgpt.models
import torchgpt.training
from npgpt.checking.budgets import budgets, scales
from npgpt.checking.case import PairCase
from npgpt.checking.implementations import numpy_implementation
from npgpt.errors import InputError
from npgpt.generation import generate
from npgpt.models import llama
from npgpt.runs.checkpoint import file_name, load_checkpoint, save_checkpoint, to_file
from npgpt.runs.checkpoint.weights import is_transposed
from npgpt.training import init, loss_and_grads
from npgpt.tree import tree_leaves, tree_map
from torchgpt import to_numpy, to_torch
from torchgpt.modules import Llama

transformers = pytest.importorskip("transformers")
KINDS = {"llama": ("LlamaForCausalLM", "LlamaConfig"), "qwen2": ("Qwen2ForCausalLM", "Qwen2Config"),
         "qwen3": ("Qwen3ForCausalLM", "Qwen3Config")}
SIZES = {"vocab_size": 37, "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 2,
         "num_attention_heads": 6, "num_key_value_heads": 2, "max_position_embeddings": 16,
         "rms_norm_eps": 1e-3, "rope_parameters": {"rope_theta": 500.0, "rope_type": "default"},
         "bos_token_id": None, "eos_token_id": None}
IDS = np.random.default_rng(5).integers(0, 37, (2, 9))


def their_model(kind, tied, dtype=torch.float32, **sizes):
    """Of random weights, none of them 0 or 1; a head size of its own, where it has one."""
    torch.manual_seed(1)
    model, config = (getattr(transformers, name) for name in KINDS[kind])
    head = {"head_dim": 4} if kind != "qwen2" else {}
    made = model(config(**{**SIZES, **head, **sizes}, tie_word_embeddings=tied))
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return made.to(dtype).eval()


def saved(model, path, **more):
    model.save_pretrained(path, **more)
    return path


def theirs(model, params):
    """Their logits, loss and gradients, in float32, under our names."""
    ids = torch.from_numpy(IDS)
    logits = model(ids[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()
    named, found = dict(model.named_parameters()), {"logits": logits.detach().numpy()}
    for path, _ in tree_leaves(params):
        grad = named[file_name(path, llama)].grad.numpy()
        found[path] = grad.T if is_transposed(path, llama) else grad
    return {**found, "loss": loss.item()}


def by_numpy(params, config):
    logits, _ = llama.forward(params, IDS[:, :-1], config)
    loss, grads = loss_and_grads(llama, params, IDS[:, :-1], IDS[:, 1:], config)
    return {"logits": logits, "loss": loss, **dict(tree_leaves(grads))}


def by_torch(params, config):
    params, ids = to_torch(params), torch.from_numpy(IDS)
    logits, _ = torchgpt.models.llama.forward(params, ids[:, :-1], config)
    loss, grads = torchgpt.training.loss_and_grads(
        torchgpt.models.llama, params, ids[:, :-1], ids[:, 1:], config)
    return {"logits": logits.numpy(), "loss": loss.item(), **dict(tree_leaves(to_numpy(grads)))}


def by_module(params, config):
    module, ids = Llama.from_params(to_torch(params), config), torch.from_numpy(IDS)
    logits, loss = module(ids[:, :-1], ids[:, 1:])
    loss.backward()
    return {"logits": logits.detach().numpy(), "loss": loss.item(),
            **dict(tree_leaves(to_numpy(module.grads())))}


def budgets_of(params, config):
    """Float32's budget of each result; a gradient's from the whole model's backward pass."""
    logits, _ = llama.forward(params, IDS[:, :-1], config)
    probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    d_logits = (probs - np.eye(37)[IDS[:, 1:]]) / IDS[:, 1:].size
    case = PairCase(component="llama.forward", nested=True, params=params, d_y=d_logits,
                    options={"ids": IDS[:, :-1], "config": config})
    allowed = budgets(case, scales(case, numpy_implementation()), "float32")
    found = {name.removeprefix("d_"): budget for name, budget in allowed.items()}
    return {**found, "logits": found["y"], "loss": found["y"]}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_logits_loss_and_every_gradient(kind, tied, tmp_path):
    """Of weights that were stored in shards, as bfloat16. Theirs compute norms and angles in
    float32 whatever the weights are, so that they are held to float32's budget: by our float64
    as well as by our float32."""
    saved(their_model(kind, tied, torch.bfloat16), tmp_path / "theirs", max_shard_size="3KB")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "theirs", dtype=torch.float32).eval()
    assert len(list((tmp_path / "theirs").glob("*.safetensors"))) > 1
    found = load_checkpoint(tmp_path / "theirs")
    config = found.config
    assert (config.tied, config.kv_heads, config.theta, config.eps) == (tied, 2, 500.0, 1e-3)
    assert config.head_size == (2 if kind == "qwen2" else 4)
    assert (config.qkv_bias, config.qk_norm) == (kind == "qwen2", kind == "qwen3")
    exact = tree_map(lambda array: array.astype(np.float64), found.params)
    expected, allowed = theirs(model, exact), budgets_of(exact, config)
    for ours, params in product((by_numpy, by_torch, by_module), (exact, found.params)):
        values = ours(params, config)
        assert set(values) == set(expected)
        for name, value in expected.items():
            error = np.abs(values[name] - value).max()
            assert error <= allowed[name], (ours.__name__, name, error / allowed[name])


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_way_back_bit_for_bit(kind, tied, tmp_path):
    """What we write of a model opens there, with the same tensors and the same logits."""
    model = their_model(kind, tied)
    found = load_checkpoint(saved(model, tmp_path / "theirs"))
    save_checkpoint(tmp_path / "ours", found.config, found.params)
    again = load_checkpoint(tmp_path / "ours")
    assert again.config == found.config
    back = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours").eval()
    assert type(back) is type(model)
    for (name, one), (other, same) in zip(model.named_parameters(), back.named_parameters()):
        assert name == other and torch.equal(one, same), name
    with torch.no_grad():
        assert torch.equal(back(torch.from_numpy(IDS)).logits, model(torch.from_numpy(IDS)).logits)
    with safe_open(tmp_path / "theirs/model.safetensors", "numpy") as opened:
        for name, array in to_file(again.params, llama).items():
            assert np.array_equal(opened.get_tensor(name), array), name
        assert sorted(opened.keys()) == sorted(to_file(again.params, llama))


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_texts_with_a_cache(kind, tmp_path):
    model = their_model(kind, False)
    found = load_checkpoint(saved(model, tmp_path / "theirs"))
    start = torch.from_numpy(IDS[:1, :5])
    expected = model.generate(start, attention_mask=torch.ones_like(start), max_new_tokens=10,
                              do_sample=False, pad_token_id=0)[0, 5:].tolist()
    for ours, params in ((llama, found.params), (torchgpt.models.llama, to_torch(found.params))):
        write = generate if ours is llama else torchgpt.generation.generate
        assert list(write(ours, params, found.config, IDS[0, :5].tolist(), max_new_tokens=10,
                          temperature=0)) == expected


@pytest.mark.parametrize(("change", "words"), [
    ({"attention_bias": True}, "attention_bias is True"),
    ({"mlp_bias": True}, "mlp_bias is True"),
    ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
    ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0}},
     "rope_parameters.rope_type is 'llama3'"),
    ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_scaling.type is 'linear'"),
    ({"rope_parameters": {"rope_theta": 500.0, "partial_rotary_factor": 0.5}},
     "partial_rotary_factor is 0.5"),
    ({"model_type": "qwen2", "use_sliding_window": True}, "use_sliding_window is True"),
    ({"model_type": "qwen3", "layer_types": ["full_attention", "sliding_attention"]},
     "layer_types is"),
    ({"num_key_value_heads": 4}, "4 kv_heads do not divide 6 heads"),
    ({"head_dim": 3}, "head_size is 3"),
    ({"rms_norm_eps": 0}, "eps is 0"),
    ({"rope_parameters": {"rope_theta": "many"}}, "theta is 'many'"),
])
def test_what_changes_the_arithmetic_is_refused_by_name(change, words, tmp_path):
    path = saved(their_model("llama", True), tmp_path / "theirs")
    file = path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    assert words in str(caught.value)


def test_older_spellings_of_config_json(tmp_path):
    """θ in a field of its own, no head_dim, rotary frequencies among the tensors."""
    model = their_model("llama", False, head_dim=2)
    path = saved(model, tmp_path / "theirs")
    file = path / "config.json"
    fields = json.loads(file.read_text())
    found = load_checkpoint(path)
    del fields["rope_parameters"], fields["head_dim"]
    fields |= {"rope_theta": 500, "rope_scaling": None}
    file.write_text(json.dumps(fields))
    assert load_checkpoint(path).config == found.config
    fields.pop("rope_theta")
    file.write_text(json.dumps(fields))
    assert load_checkpoint(path).config.theta == 10_000.0


def test_a_model_that_no_file_describes(tmp_path):
    config = llama.Config(7, 8, 1, 2, 1, 8, qkv_bias=True, qk_norm=True)
    with pytest.raises(InputError, match="has qkv_bias and qk_norm together"):
        save_checkpoint(tmp_path / "run", config, init(llama, config))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("given", "words"), [
    ({"heads": 0}, "heads is 0"), ({"kv_heads": 3}, "3 kv_heads do not divide 4 heads"),
    ({"head_size": 5}, "head_size is 5"), ({"hidden": 1.5}, "hidden is 1.5"),
    ({"theta": -1.0}, "theta is -1.0"), ({"eps": float("nan")}, "eps is nan"),
    ({"vocab_size": "7"}, "vocab_size is '7'")])
def test_sizes_that_do_not_fit(given, words):
    with pytest.raises(InputError, match=words):
        llama.Config(**{"vocab_size": 7, **given})
