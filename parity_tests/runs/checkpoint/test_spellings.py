"""What `transformers` writes and opens in several spellings is opened here, with its logits."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import torchgpt.models
from npgpt.cli.main import main as npgpt_main
from npgpt.errors import InputError
from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.tree import tree_leaves, tree_map
from torchgpt import to_torch
from torchgpt.cli.main import main as torchgpt_main

transformers = pytest.importorskip("transformers")
UNIT = 2.0 ** -24  # float32's rounding
EMBEDDING, HEAD = "transformer.wte.weight", "lm_head.weight"


def make_model(vocab_size=47, tied=True, dtype=torch.float32):
    torch.manual_seed(1)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=vocab_size, n_positions=12, n_embd=24, n_layer=2, n_head=3,
        tie_word_embeddings=tied, bos_token_id=None, eos_token_id=None)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.03 * torch.randn_like(weight))
    return model.to(dtype)


@pytest.fixture
def theirs(tmp_path):
    make_model().save_pretrained(tmp_path / "theirs")
    return tmp_path / "theirs"


def rewrite(path, change):
    file = path / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})


def rewrite_config(path, change):
    file = path / "config.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))


def opened_like(path):
    """Both packages' logits are those of `transformers`, within float32's budget: 64 u S,
    S measured by nudging the weights."""
    model = transformers.GPT2LMHeadModel.from_pretrained(path, dtype=torch.float32).eval()
    found = load_checkpoint(path)
    assert {array.dtype.name for _, array in tree_leaves(found.params)} == {"float32"}
    ids = np.random.default_rng(3).integers(0, found.config.vocab_size, (2, 12))
    with torch.no_grad():
        expected = model(torch.from_numpy(ids)).logits.numpy()
    exact = tree_map(lambda weight: weight.astype(np.float64), found.params)
    truth, _ = gpt2.forward(exact, ids, found.config)
    rng, reach = np.random.default_rng(0), np.abs(truth).max()
    for _ in range(4):
        nudged, _ = gpt2.forward(tree_map(lambda weight: weight * (
            1 + 1e-6 * rng.uniform(-1, 1, weight.shape)), exact), ids, found.config)
        reach = max(reach, np.abs(nudged - truth).max() / 1e-6)
    by_torch, _ = torchgpt.models.gpt2.forward(
        to_torch(found.params), torch.from_numpy(ids), found.config)
    for logits in (expected, gpt2.forward(found.params, ids, found.config)[0], by_torch.numpy()):
        assert np.abs(logits - truth).max() <= 64 * UNIT * reach
    return found


def test_tied_weights_that_are_stored_as_the_head_alone(theirs):
    before = load_checkpoint(theirs).params
    rewrite(theirs, lambda t: {HEAD if name == EMBEDDING else name: t[name] for name in t})
    found = opened_like(theirs)
    np.testing.assert_array_equal(found.params["tokens"]["weight"], before["tokens"]["weight"])


def test_tied_weights_that_are_stored_twice(theirs):
    rewrite(theirs, lambda t: {**t, HEAD: t[EMBEDDING].clone()})
    opened_like(theirs)


@pytest.mark.parametrize("shard", ["1GB", "4KB"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("tied", [True, False])
def test_numbers_of_sixteen_bits_in_one_file_or_several(tmp_path, dtype, shard, tied):
    model = make_model(tied=tied, dtype=dtype)
    model.save_pretrained(tmp_path, max_shard_size=shard)
    assert (tmp_path / "model.safetensors").exists() == (shard == "1GB")
    found = opened_like(tmp_path)
    stored = model.state_dict()[EMBEDDING].float().numpy()
    np.testing.assert_array_equal(found.params["tokens"]["weight"], stored)  # exactly


def test_every_bfloat16_is_read_exactly(tmp_path):
    from npgpt.runs.checkpoint.tensors import tensors_in

    every = torch.arange(-2**15, 2**15, dtype=torch.int16).view(torch.bfloat16)
    save_file({"a": torch.ones(3), "b": every}, tmp_path / "a.safetensors")
    stored = {tensor.name: tensor for tensor in tensors_in(tmp_path / "a.safetensors")}
    found = stored["b"].read()
    np.testing.assert_array_equal(found.view(np.uint32), every.float().numpy().view(np.uint32))


@pytest.mark.parametrize("spell", [
    lambda name: f"_orig_mod.{name}", lambda name: f"module.{name}",
    lambda name: f"module._orig_mod.{name}", lambda name: f"_orig_mod.module.{name}",
    lambda name: name.replace(".h.0.", ".h.0._orig_mod."),
    lambda name: f"_orig_mod.{name.removeprefix('transformer.')}",
], ids=["compiled", "ddp", "ddp-compiled", "compiled-ddp", "a-block", "no-prefix"])
@pytest.mark.parametrize("tied", [True, False])
def test_names_as_compile_and_ddp_wrap_them(tmp_path, spell, tied):
    make_model(tied=tied).save_pretrained(tmp_path / "theirs")
    shutil.copytree(tmp_path / "theirs", tmp_path / "wrapped")
    rewrite(tmp_path / "wrapped", lambda t: {
        name if name == HEAD else spell(name): t[name] for name in t})
    expected, found = opened_like(tmp_path / "theirs"), load_checkpoint(tmp_path / "wrapped")
    for (name, one), (_, other) in zip(tree_leaves(expected.params), tree_leaves(found.params)):
        np.testing.assert_array_equal(one, other, err_msg=name)


def test_a_weight_under_two_names_is_refused(theirs):
    rewrite(theirs, lambda t: {**t, f"_orig_mod.{EMBEDDING}": t[EMBEDDING] + 1})
    with pytest.raises(InputError, match=rf"twice, as .*{EMBEDDING}"):
        load_checkpoint(theirs)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_with_a_byte_order_mark(tmp_path, encoding):
    model = make_model()
    model.save_pretrained(tmp_path, max_shard_size="4KB")
    expected = load_checkpoint(tmp_path)
    for name in ("config.json", "model.safetensors.index.json"):
        (tmp_path / name).write_text((tmp_path / name).read_text(), encoding=encoding)
    found = load_checkpoint(tmp_path)
    assert found.config == expected.config
    np.testing.assert_array_equal(found.params["tokens"]["weight"],
                                  expected.params["tokens"]["weight"])


def test_sizes_under_their_other_names(theirs):
    other = {"n_embd": "hidden_size", "n_layer": "num_hidden_layers",
             "n_head": "num_attention_heads", "n_positions": "max_position_embeddings"}
    rewrite_config(theirs, lambda fields: {other.get(name, name): fields[name]
                                           for name in fields})
    opened_like(theirs)
    # where both stand, transformers goes by the other name
    rewrite_config(theirs, lambda fields: {**fields, "n_head": 4})
    assert opened_like(theirs).config.heads == 3


def test_sizes_that_a_file_leaves_out_are_those_of_transformers(theirs):
    rewrite_config(theirs, lambda fields: {
        name: fields[name] for name in fields if name != "n_head"})
    assert opened_like(theirs).config.heads == 12


# what is not read, named as it is stored

QKV = "transformer.h.1.attn.c_attn.weight"


@pytest.mark.parametrize(("change", "words"), [
    (lambda t: {**t, QKV: t[QKV].to(torch.float8_e4m3fn)}, [QKV, "F8_E4M3"]),
    (lambda t: {f"_orig_mod.{name}": t[name].T.contiguous() if name == QKV else t[name]
                for name in t}, [f"_orig_mod.{QKV} is (72, 24)"]),
    (lambda t: {**t, "h.1.attn.rotary": torch.ones(2)}, ["the unknown h.1.attn.rotary"]),
    (lambda t: {**t, "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight": torch.ones(2)},
     ["LoRA adapter", "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", "merge"]),
])
def test_tensors_that_are_not_read(theirs, change, words):
    rewrite(theirs, change)
    with pytest.raises(InputError) as caught:
        load_checkpoint(theirs)
    for word in (str(theirs / "model.safetensors"), *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "tf_model.h5", "model.gguf"])
def test_weights_in_another_format_alone(theirs, capsys, name):
    (theirs / "model.safetensors").rename(theirs / name)
    assert npgpt_main(["sample", str(theirs), "--ids", "1"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"{name}: not read here, save it as safetensors" in error


def test_an_adapter_without_its_model(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    save_file({"base_model.model.x.lora_A.weight": torch.ones(2)},
              tmp_path / "adapter_model.safetensors")
    with pytest.raises(InputError, match="a LoRA adapter, not a model"):
        load_checkpoint(tmp_path)


def test_a_quantised_model(theirs):
    rewrite_config(theirs, lambda fields: {
        **fields, "quantization_config": {"quant_method": "gptq", "bits": 4}})
    with pytest.raises(InputError, match=r"quantization_config is .*gptq"):
        load_checkpoint(theirs)


def test_what_is_read_is_saved_as_one_file_under_plain_names(theirs, tmp_path):
    rewrite(theirs, lambda t: {
        f"_orig_mod.{HEAD if name == EMBEDDING else name}": t[name].to(torch.bfloat16)
        for name in t})
    found = load_checkpoint(theirs)
    save_checkpoint(tmp_path / "ours", found.config, found.params)
    assert load_file(tmp_path / "ours" / "model.safetensors")[EMBEDDING].dtype == torch.float32
    again = opened_like(tmp_path / "ours")
    for (name, one), (_, other) in zip(tree_leaves(found.params), tree_leaves(again.params)):
        np.testing.assert_array_equal(one, other, err_msg=name)


# with their tokenizers


def test_a_model_with_added_tokens_in_either_package(tmp_path, capsys):
    from npgpt.text import BytePairTokenizer

    text = "a red kite over the red hill, a red kite over the sea; " * 20
    BytePairTokenizer.train(text, 276).save(tmp_path / "trained.json")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(tmp_path / "trained.json"), eos_token="<|endoftext|>")
    tokenizer.add_tokens(["redshank", "kite hill"])
    model = make_model(vocab_size=276)
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(tmp_path / "theirs")
    tokenizer.save_pretrained(tmp_path / "theirs")
    found = opened_like(tmp_path / "theirs")
    assert found.tokenizer.vocab_size == found.config.vocab_size == 278
    prompt = "the redshank over kite hill"
    assert found.tokenizer.encode(prompt) == tokenizer.encode(prompt)
    said = set()
    for main, more in ((npgpt_main, []), (torchgpt_main, ["--device", "cpu"])):
        line = ["sample", str(tmp_path / "theirs"), "--prompt", prompt, "--tokens", "4", "--json"]
        assert main([*line, *more]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["prompt_ids"] == tokenizer.encode(prompt) and found["prompt"] == prompt
        said.add(found["text"])
    assert len(said) == 1


def test_a_model_with_the_files_before_tokenizer_json(tmp_path):
    from npgpt.text import BytePairTokenizer

    trained = BytePairTokenizer.train("a red kite over the red hill; " * 20, 270)
    make_model(vocab_size=272).save_pretrained(tmp_path)
    model = json.loads(trained.to_json())["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]))
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *model["merges"]]))
    (tmp_path / "added_tokens.json").write_text('{"redshank": 270}')  # and a row to spare
    found = opened_like(tmp_path)
    theirs = transformers.GPT2Tokenizer.from_pretrained(tmp_path)
    for text in ("a redshank over the hill", "redshankredshank"):
        assert found.tokenizer.encode(text) == theirs.encode(text)
