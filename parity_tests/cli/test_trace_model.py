"""npgpt trace … transformers MODEL, as it is typed: on tiny random models of two families, and
on SmolLM2."""

import json
from dataclasses import replace

import numpy as np
import pytest

from npgpt.cli.main import main
from npgpt.models import recurrent
from npgpt.runs.checkpoint import save_checkpoint
from npgpt.text.tokenizers.characters import CharacterTokenizer
from npgpt.training import init

MODELS = {"gpt2": ("GPT2LMHeadModel", "GPT2Config", {"n_positions": 16, "n_embd": 12, "n_layer": 3,
                                                     "n_head": 2}),
          "llama": ("LlamaForCausalLM", "LlamaConfig", {
              "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 3,
              "num_attention_heads": 6, "num_key_value_heads": 2, "max_position_embeddings": 16,
              "head_dim": 4}),
          "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", {
              "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 2,
              "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 16,
              "head_dim": 6})}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """-> function: the directory of a random model of that family, made once."""
    import torch
    import transformers

    made = {}

    def folder(family):
        if family not in made:
            torch.manual_seed(1)
            model, config, sizes = MODELS[family]
            theirs = getattr(transformers, model)(getattr(transformers, config)(
                vocab_size=37, bos_token_id=None, eos_token_id=None, **sizes))
            with torch.no_grad():
                for weight in theirs.parameters():
                    weight.add_(0.1 * torch.randn_like(weight))
            made[family] = tmp_path_factory.mktemp(family) / "model"
            theirs.save_pretrained(made[family])
        return made[family]

    return folder


def run(capsys, *line):
    status = main([str(word) for word in line])
    said = capsys.readouterr()
    return status, said.out, said.err


def traced(capsys, first, path):
    status, out, err = run(capsys, "trace", first, "transformers", path, "--json")
    assert status in (0, 1), err
    found = json.loads(out)
    assert status == bool(found["difference"])
    return found


@pytest.mark.parametrize("first", [
    "numpy", pytest.param("torch", marks=pytest.mark.acceptance)])
@pytest.mark.parametrize("family", ["gpt2", "llama",
                                    pytest.param("qwen3", marks=pytest.mark.acceptance)])
def test_every_layer_of_a_random_model_agrees(capsys, folder, family, first):
    found = traced(capsys, first, folder(family))
    assert found["difference"] is None
    assert 0 < found["largest"] < 1
    # a value and a gradient of each module, and each weight's
    assert found["values"] >= {"gpt2": 95, "llama": 120, "qwen3": 95}[family]


PLANTED = {  # what a package offers -> the call, step, their module, the guess, between
    ("llama", "from npgpt.layers import rms_norm as right\n"
     "def rms_norm(x, weight, **more): return right(x, 1 + weight, **more)\n"):
        ("llama.forward > llama_block > rms_norm", "1", "model.layers.0.input_layernorm", "",
         ["rms_norm"]),
    ("llama", "import numpy as np\n"
     "def repeat_heads(x, heads): return np.tile(x, (1, heads // x.shape[1], 1, 1)), (x.shape[1],)"
     "\n"): ("llama.forward > llama_block > grouped_query_attention > merge_heads", "7",
             "model.layers.0.self_attn.o_proj input", "",
             ["repeat_heads", "flash_attention", "merge_heads"]),
    ("llama", "from npgpt.layers import swiglu_backward as right\n"
     "def swiglu_backward(d_y, saved): return tuple(2 * d for d in right(d_y, saved))\n"):
        ("llama.backward > llama_block_backward > gated_mlp_backward > swiglu_backward", "2",
         "d model.layers.2.mlp.up_proj", "scaled by a constant, √4 = √D", ["swiglu_backward"]),
    ("llama", "import numpy as np\n"       # no backward pass, and nothing saved
     "def swiglu(gate, up): return 0.5 * gate * (1 + np.tanh(0.8 * gate)) * up, ()\n"):
        ("llama.forward > llama_block > gated_mlp > swiglu", "2",
         "model.layers.0.mlp.down_proj input", "", ["swiglu"]),
    ("gpt2", "from npgpt.layers import linear_backward as right\n"
     "def linear_backward(d_y, saved):\n    d_x, grads = right(d_y, saved)\n"
     "    return d_x, {name: grad / 2 for name, grad in grads.items()}\n"):
        ("gpt2.backward", "", "d blocks.0.feed_forward.down.bias", "scaled by a constant, 1/2 =",
         []),
}


@pytest.mark.acceptance
@pytest.mark.parametrize("number", range(len(PLANTED)))
def test_a_package_of_ones_own_is_told_its_layer(capsys, folder, tmp_path, monkeypatch, number):
    (family, text), (calls, step, module, looks, between) = [*PLANTED.items()][number]
    (tmp_path / f"own_layers_{number}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = traced(capsys, f"own_layers_{number}", folder(family))["difference"]
    assert (found["calls"], found["step"], found["transformers"]) == (calls, step, module)
    assert found["error"] > found["budget"] > 0 and looks in found["guess"]
    assert found["between"] == between


@pytest.mark.acceptance
def test_a_package_that_stops_is_told_where(capsys, folder, tmp_path, monkeypatch):
    (tmp_path / "stops_in_a_layer.py").write_text("def swiglu(gate, up):\n    return gate / []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    status, out, err = run(capsys, "trace", "stops_in_a_layer", "transformers", folder("llama"))
    assert status == 2 and out == "" and err.count("\n") == 1
    assert "stops_in_a_layer.py, line 2, with ValueError" in err


def test_the_layer_that_was_read_wrong_is_named(capsys, folder, monkeypatch):
    """A weight that was read wrong, and a field of config.json."""
    import npgpt.runs.checkpoint as checkpoint

    right = checkpoint.load_checkpoint

    def one_weight_off(path):
        found = right(path)
        found.params["blocks"][1]["feed_forward"]["up"]["weight"][2, 3] += 0.5
        return found

    monkeypatch.setattr(checkpoint, "load_checkpoint", one_weight_off)
    found = traced(capsys, "numpy", folder("llama"))["difference"]
    assert found["transformers"] == "model.layers.1.mlp.up_proj"
    assert found["calls"] == "llama.forward > llama_block[1] > gated_mlp > linear[1]"
    assert (found["step"], found["words"]) == ("1", "gate and up projections")
    assert found["index"][-1] == 3 and "right except for [3] on axis 2" in found["guess"]
    for field, value, module in (("theta", 100.0, "model.rotary_emb"),
                                 ("eps", 1e-2, "model.layers.0.input_layernorm")):
        def other_field(path, field=field, value=value):
            found = right(path)
            found.config = replace(found.config, **{field: value})
            return found

        monkeypatch.setattr(checkpoint, "load_checkpoint", other_field)
        status, out, _ = run(capsys, "trace", "numpy", "transformers", folder("llama"))
        assert status == 1 and f"it is {module} in transformers" in out


def test_a_copy_with_a_wrong_field_is_held_to_the_original(capsys, folder, tmp_path):
    import shutil

    shutil.copytree(folder("llama"), tmp_path / "copy")
    file = tmp_path / "copy" / "config.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**fields, "rms_norm_eps": 1e-4}), encoding="utf-8")
    line = ("trace", "numpy", "transformers", tmp_path / "copy")
    status, out, _ = run(capsys, *line, "--original", folder("llama"))
    assert status == 1 and "it is model.layers.0.input_layernorm in transformers" in out
    assert "forward, rms_norm, step (1) attention: returns differs by" in out
    assert run(capsys, *line)[0] == 0       # both read the copy


@pytest.mark.parametrize(("line", "what"), [
    (("numpy", "torch", "--original", "x"), "--text and --original are for"),
    (("numpy", "transformers"), "give the directory of a model, too"),
    (("torch-autograd", "transformers", "x"), "torch-autograd cannot be compared"),
    (("numpy", "torch", "x"), "a MODEL is compared with transformers alone"),
    (("numpy", "transformers", "x", "--layer", "gelu"), "--layer and --at choose one component"),
    (("numpy", "transformers", "no_such_directory"), "no_such_directory"),
])
def test_what_cannot_be_traced_is_one_line(capsys, line, what):
    status, out, err = run(capsys, "trace", *line)
    assert status == 2 and out == "" and what in err and err.count("\n") == 1


def test_a_recurrent_model_is_one_line(capsys, tmp_path):
    tokenizer = CharacterTokenizer.train("The capital of France is Paris.")
    config = recurrent.Config(vocab_size=tokenizer.vocab_size, channels=4)
    save_checkpoint(tmp_path, config, init(recurrent, config, 1), tokenizer)
    status, out, err = run(capsys, "trace", "numpy", "transformers", tmp_path)
    assert status == 2 and out == "" and "recurrent" in err and err.count("\n") == 1


def test_transformers_missing_is_one_line(capsys, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: (
        None if name == "transformers" else real(name, *more)))
    status, _, err = run(capsys, "trace", "numpy", "transformers", "smollm2")
    assert status == 2 and err.count("\n") == 1
    assert "needs transformers: pip install 'npgpt[test]'" in err


@pytest.mark.acceptance
def test_smollm2_agrees_layer_by_layer(capsys):
    from npgpt.errors import InputError
    from npgpt.runs.fetch import fetch

    try:
        path = fetch("smollm2", print)
    except InputError as error:
        pytest.skip(f"SmolLM2 is not here and cannot be fetched: {error}")
    capsys.readouterr()
    found = traced(capsys, "numpy", path)
    assert found["difference"] is None and found["values"] > 1000
    assert np.isfinite(found["largest"])
