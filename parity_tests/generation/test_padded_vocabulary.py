"""A model may have more rows than its tokenizer has tokens: none of these is ever drawn."""

import json

import numpy as np
import pytest
import torch

import npgpt.generation
import torchgpt.generation
import torchgpt.models
from npgpt.cli.main import main as npgpt_main
from npgpt.errors import InputError
from npgpt.generation import SamplingSettings
from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.text import BytePairTokenizer
from npgpt.training import init
from torchgpt import to_torch
from torchgpt.cli.main import main as torchgpt_main

transformers = pytest.importorskip("transformers")
TEXT = "a ship sails past the shore and the other ship sails past it " * 20
TOKENS, ROWS = 270, 320
PACKAGES = pytest.mark.parametrize("package, model, own", [
    (npgpt, gpt2, lambda params: params), (torchgpt, torchgpt.models.gpt2, to_torch)],
    ids=["numpy", "torch"])


@pytest.fixture(scope="module")
def padded():
    """A model that likes its padding best: it would draw nothing else."""
    config = gpt2.Config(ROWS, context_length=16, layers=1, heads=2, channels=8, tied=False)
    params = init(gpt2, config, seed=2)
    params["norm"]["bias"][:] = 1
    params["head"]["weight"][:, TOKENS:] += 5
    tokenizer = BytePairTokenizer.train(TEXT, TOKENS)
    return config, params, tokenizer


@PACKAGES
@pytest.mark.parametrize("how", [{"temperature": 0}, {"temperature": 1.3}, {"top_k": 5},
                                 {"top_p": 0.5}], ids=str)
def test_padding_is_never_drawn(padded, package, model, own, how):
    config, params, tokenizer = padded
    params, generation = own(params), package.generation
    how = {"max_new_tokens": 40, **how}
    # the context of 16 fills up on the way
    ids = list(generation.generate(model, params, config, [1, 2], vocab_size=TOKENS, **how))
    assert len(ids) == 40 and max(ids) < TOKENS
    assert min(generation.generate(model, params, config, [1, 2], **how)) >= TOKENS
    rows = list(generation.generate_batch(
        model, params, config, [[1, 2], [3]], vocab_size=TOKENS, repetition_penalty=1.5, **how))
    assert len(rows) == 80 and max(id for _, id, _ in rows) < TOKENS
    settings = SamplingSettings(**how)
    for prompts in (["the ship"], ["the ship", "a"]):
        engine = generation.Engine(model, params, config, tokenizer)
        completions, pairs = engine.complete(prompts, settings, log_probs=len(prompts) > 1)
        assert len(list(pairs)) >= 40
        assert all(max(each.ids) < TOKENS for each in completions)


def test_both_draw_the_same(padded):
    config, params, _ = padded
    how = {"max_new_tokens": 30, "temperature": 1.0, "seed": 4, "vocab_size": TOKENS}
    one = list(npgpt.generation.generate(gpt2, params, config, [5], **how))
    assert one == list(torchgpt.generation.generate(
        torchgpt.models.gpt2, to_torch(params), config, [5], **how))
    # a vocabulary that is no larger changes nothing, to the token
    whole = {**how, "vocab_size": None}
    assert list(npgpt.generation.generate(gpt2, params, config, [5], **whole)) == list(
        npgpt.generation.generate(gpt2, params, config, [5], **{**how, "vocab_size": ROWS}))


@pytest.fixture
def foreign(tmp_path):
    """save(rows, more): a directory of `transformers` with a table of so many rows, and
    `more` tokens in the tokenizer that it was not made for."""
    def save(rows, more=()):
        torch.manual_seed(0)
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
            vocab_size=TOKENS, n_positions=16, n_embd=8, n_layer=1, n_head=2,
            bos_token_id=None, eos_token_id=None))
        if rows > TOKENS:
            model.resize_token_embeddings(TOKENS, pad_to_multiple_of=rows)
        assert model.config.vocab_size == rows
        BytePairTokenizer.train(TEXT, TOKENS).save(tmp_path / "trained.json")
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(tmp_path / "trained.json"), eos_token="<|endoftext|>")
        if more:
            tokenizer.add_special_tokens({"pad_token": more[0]})
        model.save_pretrained(tmp_path / "model")
        tokenizer.save_pretrained(tmp_path / "model")
        return tmp_path / "model", model.eval()

    return save


@pytest.mark.parametrize("main, more", [(npgpt_main, []), (torchgpt_main, ["--device", "cpu"])],
                         ids=["npgpt", "torchgpt"])
@pytest.mark.parametrize("rows, tokens", [(ROWS, ()), (TOKENS, ("[PAD]",)), (ROWS, ("[PAD]",))],
                         ids=["padded", "one token more", "both"])
def test_what_transformers_opens_is_sampled(foreign, capsys, main, more, rows, tokens):
    path, model = foreign(rows, tokens)
    found = load_checkpoint(path)
    assert (found.config.vocab_size, found.tokenizer.vocab_size) == (
        rows, TOKENS + len(tokens))
    ids = np.array([[1, 2, 3]])
    with torch.no_grad():
        expected = model(torch.from_numpy(ids)).logits.numpy()
    np.testing.assert_allclose(gpt2.forward(found.params, ids, found.config)[0], expected,
                               atol=2e-6 * np.abs(expected).max(), rtol=0)
    line = ["sample", str(path), "--prompt", "the ship", "--tokens", "30", "--temperature", "5",
            "--json", *more]
    assert main(line) == 0
    assert max(json.loads(capsys.readouterr().out)["ids"]) < TOKENS + len(tokens)


def test_a_padded_table_is_inspected(foreign, capsys):
    path, _ = foreign(ROWS)
    line = ["inspect", str(path), "--id", "3", "--neighbours", str(ROWS), "--json"]
    assert npgpt_main(line) == 0
    rows = json.loads(capsys.readouterr().out)["neighbours"]
    assert len(rows) == ROWS - 1
    assert {row["text"] for row in rows if row["id"] >= TOKENS} == {
        str(id) for id in range(TOKENS, ROWS)}


def test_a_tokenizer_of_more_tokens_than_rows_does_not_fit(padded, tmp_path):
    _, _, tokenizer = padded
    config = gpt2.Config(TOKENS - 2, context_length=8, layers=1, heads=2, channels=8)
    with pytest.raises(InputError, match=f"has {TOKENS} tokens, but the model's vocabulary has"):
        save_checkpoint(tmp_path / "run", config, init(gpt2, config), tokenizer)
    assert not (tmp_path / "run").exists()
    config = gpt2.Config(TOKENS - 1, context_length=8, layers=1, heads=2, channels=8)
    save_checkpoint(tmp_path / "run", config, init(gpt2, config), tokenizer)  # <|endoftext|> alone
    assert load_checkpoint(tmp_path / "run").tokenizer.vocab_size == TOKENS


@pytest.mark.parametrize("main, more", [(npgpt_main, []), (torchgpt_main, ["--device", "cpu"])],
                         ids=["npgpt", "torchgpt"])
def test_a_special_token_without_a_row_is_no_prompt(foreign, capsys, main, more):
    path, _ = foreign(TOKENS, ("[PAD]",))
    assert main(["sample", str(path), "--ids", str(TOKENS), *more]) == 2
    assert f"id {TOKENS} is out of range" in capsys.readouterr().err
