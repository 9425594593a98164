"""The encoder–decoder against torch.nn's own blocks, in training, at the door, and on the
toy tasks."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import torchgpt.generation
import torchgpt.models
import torchgpt.training
from npgpt.errors import InputError
from npgpt.generation import beam_search, empty_cache, generate, read
from npgpt.models import encoder_decoder, gpt2
from npgpt.runs.lessons.sequences import (
    expected_maximum,
    guess_from_the_multiset,
    learn_sequences,
    tried,
)
from npgpt.text.corpora.sequences import (
    END,
    IGNORED,
    PADDING,
    START,
    VOCAB_SIZE,
    as_batch,
    decode,
    draw_pairs,
    encode,
    without_positions,
)
from npgpt.training import Trainer, init, loss_and_grads, mean_loss
from npgpt.tree import tree_leaves, tree_map
from torchgpt import to_torch
from torchgpt.blocks import decoder_block, encoder_block, post_norm_block

CONFIG = encoder_decoder.Config(VOCAB_SIZE, 8, 2, 2, 8)
C, H = 12, 3


def drawn(shape, seed):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def block_params(part):
    config = encoder_decoder.Config(5, 8, 1, H, C)
    params = init(encoder_decoder, config, 3, np.float64)[part]["blocks"][0]
    return to_torch(tree_map(lambda array: array + 0.1 * np.cos(np.arange(array.size)).reshape(
        array.shape), params))


def their_attention(theirs, ours, cross=False):
    """nn.MultiheadAttention holds (outputs, inputs), queries, keys and values in one."""
    parts = [ours["q"], ours["k"], ours["v"]] if cross else [ours["qkv"]]
    theirs.in_proj_weight.copy_(torch.cat([part["weight"].T for part in parts]))
    theirs.in_proj_bias.copy_(torch.cat([part["bias"] for part in parts]))
    theirs.out_proj.weight.copy_(ours["out"]["weight"].T)
    theirs.out_proj.bias.copy_(ours["out"]["bias"])


@torch.no_grad()
def their_block(kind, ours, norms, **more):
    block = kind(C, H, 4 * C, 0.0, lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
                 batch_first=True, dtype=torch.float64, **more)
    their_attention(block.self_attn, ours["attention"])
    if "cross_attention" in ours:
        their_attention(block.multihead_attn, ours["cross_attention"], cross=True)
    for theirs, name in ((block.linear1, "up"), (block.linear2, "down")):
        theirs.weight.copy_(ours["feed_forward"][name]["weight"].T)
        theirs.bias.copy_(ours["feed_forward"][name]["bias"])
    for number in range(1, norms + 1):
        for name in ("weight", "bias"):
            getattr(getattr(block, f"norm{number}"), name).copy_(ours[f"norm_{number}"][name])
    return block.eval()


def hidden_keys():
    """True where a key is no padding, as ours take it; theirs takes the opposite."""
    mask = torch.ones(2, 5, dtype=torch.bool)
    mask[0, 3:] = False
    return mask


def later(T):
    return torch.ones(T, T, dtype=torch.bool).triu(1)


@pytest.mark.parametrize("norm_first", [True, False])
def test_torchs_encoder_layer(norm_first):
    params, x, mask = block_params("encoder"), drawn((2, 5, C), 1), hidden_keys()
    theirs = their_block(torch.nn.TransformerEncoderLayer, params, 2, norm_first=norm_first)
    if norm_first:
        ours, _ = encoder_block(x, params, H, mask[:, None, None])
        wanted = theirs(x, src_key_padding_mask=~mask)
    else:
        ours, _ = post_norm_block(x, params, H, mask[:, None, None])
        wanted = theirs(x, src_mask=later(5), src_key_padding_mask=~mask)
    assert (ours - wanted).abs().max() < 1e-12


def test_torchs_decoder_layer():
    params, x, memory = block_params("decoder"), drawn((2, 4, C), 1), drawn((2, 5, C), 2)
    mask = hidden_keys()
    theirs = their_block(torch.nn.TransformerDecoderLayer, params, 3, norm_first=True)
    ours, _ = decoder_block(x, memory, params, H, None, mask[:, None, None])
    wanted = theirs(x, memory, tgt_mask=later(4), memory_key_padding_mask=~mask)
    assert (ours - wanted).abs().max() < 1e-12


def test_two_tokens_at_once_into_the_cache():
    """The cache takes the target in pieces of any size; the logits are the last token's."""
    params, batch = init(encoder_decoder, CONFIG, 1, np.float64), as_batch("copy", [encode("bad")])
    whole, _ = encoder_decoder.forward(params, batch["inputs"], CONFIG)
    target = batch["inputs"]["target"].tolist()
    rows = {"source": batch["inputs"]["source"].tolist(), "target": [target[0][:2]]}
    cache = empty_cache(encoder_decoder, CONFIG, 1, params)
    logits, cache = read(encoder_decoder, params, CONFIG, rows, cache)
    np.testing.assert_allclose(logits, whole[:, 1], atol=1e-12)
    logits, cache = read(encoder_decoder, params, CONFIG, {"target": [target[0][2:]]}, cache)
    np.testing.assert_allclose(logits, whole[:, 3], atol=1e-12)
    assert cache["start"] == 4


def settings(accumulate):
    return SimpleNamespace(accumulate=accumulate, clip=1.0, beta_1=0.9, beta_2=0.98,
                           weight_decay=0.0)


def test_the_same_trainer_trains_it():
    """Both packages; whole, in shards and in two parts: the same step, from pairs of unequal
    length."""
    params, batch = init(encoder_decoder, CONFIG, 1, np.float64), draw_pairs(
        "reverse", 3, 7, 80, 1, 1)
    loss, grads = loss_and_grads(encoder_decoder, params, config=CONFIG, **batch)
    wanted = dict(tree_leaves(grads))
    for accumulate in (1, 2):
        ours = Trainer(encoder_decoder, CONFIG, params, settings(accumulate))
        theirs = torchgpt.training.Trainer(torchgpt.models.encoder_decoder, CONFIG, params,
                                           settings(accumulate), device="cpu")
        for trainer in (ours, theirs):
            assert trainer.step(batch, 1e-3)[0] == pytest.approx(loss, rel=1e-12)
            for name, grad in tree_leaves(trainer.numpy(trainer.grads)):
                np.testing.assert_allclose(grad, wanted[name], atol=1e-12)
        assert ours.loss(batch) == pytest.approx(theirs.loss(batch), rel=1e-12)
        assert ours.loss(batch) < loss


@pytest.mark.parametrize(("change", "words"), [
    (lambda batch: batch["inputs"].pop("source"), "reads source and target, got target"),
    (lambda batch: batch.update(inputs=batch["inputs"]["target"]), "source and target, got ids"),
    (lambda batch: batch["inputs"].update(source=batch["inputs"]["source"][:1]),
     "source has 1 rows and targets have 2"),
    (lambda batch: batch["inputs"].update(source=batch["inputs"]["source"] + 99), "source: 1"),
    (lambda batch: batch["inputs"].update(source=np.zeros((2, 9), int)),
     "source: 9 tokens do not fit the context of 8"),
    (lambda batch: batch.update(targets=batch["targets"][:, :2]), "targets: expected shape"),
])
def test_the_door(change, words):
    params, batch = init(encoder_decoder, CONFIG), draw_pairs("copy", 4, 4, 2, 1, 1)
    change(batch)
    for take in (loss_and_grads, mean_loss):
        with pytest.raises(InputError, match=words):
            take(encoder_decoder, params, config=CONFIG, **batch)


def test_a_model_of_one_input_refuses_two():
    config = gpt2.Config(VOCAB_SIZE, 8, 1, 1, 4)
    batch = draw_pairs("copy", 4, 4, 2, 1, 1)
    with pytest.raises(InputError, match="this model reads ids, got source, target"):
        mean_loss(gpt2, init(gpt2, config), batch["inputs"], batch["targets"], config)


def test_each_way_of_writing_refuses_the_other_model():
    params, config = init(encoder_decoder, CONFIG), gpt2.Config(VOCAB_SIZE, 8, 1, 1, 4)
    with pytest.raises(InputError, match="decoded by beam_search"):
        next(generate(encoder_decoder, params, CONFIG, [1]))
    with pytest.raises(InputError, match="reads no source"):
        beam_search(gpt2, init(gpt2, config), config, [3], START, END)


@pytest.mark.parametrize(("given", "words"), [
    ({"source": []}, "the source is empty"), ({"source": [3] * 9}, "do not fit"),
    ({"source": [99]}, "outside the vocabulary"), ({"width": 0}, "width is 0"),
    ({"max_new_tokens": 0}, "max_new_tokens is 0"), ({"length_penalty": -1}, "length_penalty"),
])
def test_beam_search_refuses(given, words):
    given = {"source": [3, 4], **given}
    for package, model in ((beam_search, encoder_decoder),
                           (torchgpt.generation.beam_search, torchgpt.models.encoder_decoder)):
        params = init(encoder_decoder, CONFIG)
        params = params if model is encoder_decoder else to_torch(params)
        with pytest.raises(InputError, match=words):
            package(model, params, CONFIG, start=START, end=END, **given)


@pytest.mark.parametrize(("sizes", "words"), [
    ({"channels": 9, "heads": 3}, "sinusoids need an even number"),
    ({"heads": 3}, "3 heads do not divide 64 channels"), ({"layers": 0}, "layers is 0")])
def test_sizes_that_do_not_fit(sizes, words):
    with pytest.raises(InputError, match=words):
        encoder_decoder.Config(5, **sizes)


def test_products_are_counted():
    """By hand, for one pair and one block a side."""
    config = encoder_decoder.Config(5, 8, 1, 2, 4)
    found = sum(count * rows * inner * columns for count, rows, inner, columns
                in encoder_decoder.products(config, 1, {"source": 3, "target": 2}))
    encoder = 3 * 4 * 12 + 2 * (3 * 3 * 4) + 3 * 4 * 4 + 2 * 3 * 4 * 16
    decoder = (2 * 4 * 12 + 2 * (2 * 2 * 4) + 2 * 4 * 4 + 2 * 4 * 4 + 2 * 3 * 4 * 4
               + 2 * (2 * 3 * 4) + 2 * 4 * 4 + 2 * 2 * 4 * 16)
    assert found == encoder + decoder + 2 * 4 * 5


@pytest.mark.parametrize(("task", "wanted"), [
    ("reverse", "dab"), ("copy", "bad"), ("sort", "abd")])
def test_the_tasks(task, wanted):
    """What the decoder reads is what it is to write, one place later; a decoder that read the
    target as it is would have nothing to learn."""
    batch = as_batch(task, [encode("bad"), encode("zz")])
    assert decode(batch["targets"][0]) == wanted
    target, targets = batch["inputs"]["target"], batch["targets"]
    assert target[0, 0] == START
    assert (target[0, 1:] == targets[0, :-1]).all()
    assert targets[0, -1] == END
    assert target[1].tolist()[3:] == [PADDING]
    assert targets[1].tolist()[3:] == [IGNORED]
    assert batch["mask"]["source"].tolist() == [[[[True] * 3]], [[[True, True, False]]]]


def test_pairs_are_drawn_anew_each_step():
    first, again, other = (draw_pairs("sort", 2, 5, 50, 1, step) for step in (1, 1, 2))
    assert all((a == b).all() for (_, a), (_, b) in zip(tree_leaves(first), tree_leaves(again)))
    assert (first["inputs"]["source"] != other["inputs"]["source"]).any()
    lengths = (first["inputs"]["source"] != PADDING).sum(axis=1)
    assert set(lengths) == {2, 3, 4, 5}
    held_out = draw_pairs("sort", 2, 5, 50, 1, 1, "held_out")
    assert (held_out["inputs"]["source"] != first["inputs"]["source"]).any()


def test_guessing_from_the_multiset():
    """The formula against counting: all rows of 4 of 3 symbols; and by hand for 3 of 2: the
    most frequent one is there 3 times in 2 of 8 rows, twice in 6."""
    rows = np.indices((3,) * 4).reshape(4, -1).T
    counted = [np.mean([np.bincount(row[:r]).max() for row in rows]) / r for r in (1, 2, 3, 4)]
    assert guess_from_the_multiset(4, 3) == pytest.approx(np.mean(counted), rel=1e-12)
    assert expected_maximum(3, 2) == pytest.approx((2 * 3 + 6 * 2) / 8)


def test_right_in_one_pass_is_right_when_written():
    """A target counts as right, all tokens tried at once, exactly where the likeliest token,
    written and read again, gives it."""
    params, batch = init(encoder_decoder, CONFIG, 1, np.float64), draw_pairs(
        "copy", 1, 1, 40, 1, 1)
    for step in range(20):                       # a little training: some right, some wrong
        part = draw_pairs("copy", 1, 1, 32, 1, step)
        _, grads = loss_and_grads(encoder_decoder, params, config=CONFIG, **part)
        params = tree_map(lambda weight, grad: weight - 0.3 * grad, params, grads)
    right = 0
    for row, targets in zip(batch["inputs"]["source"], batch["targets"]):
        (written, _), *_ = beam_search(
            encoder_decoder, params, CONFIG, row, START, END, width=1, max_new_tokens=2)
        right += written == targets.tolist()
    assert 0 < right < 40
    assert tried(encoder_decoder, params, CONFIG, batch)["exact"] == right / 40


@pytest.mark.acceptance
def test_reversing_is_learned_and_needs_positions():
    def make_trainer(config, params, settings):
        return Trainer(encoder_decoder, config, params, settings)

    found = learn_sequences(encoder_decoder, make_trainer, "reverse", 8, 300)
    assert found["exact"] > 0.97
    assert all(each["written"] == each["wanted"] for each in found["examples"])
    without = learn_sequences(
        encoder_decoder, make_trainer, "reverse", 8, 300, positions=False)
    assert abs(without["tokens"] - without["guess"]) < 0.03
    assert without["exact"] < 0.01


def test_without_positions_every_token_is_at_0():
    batch = without_positions(draw_pairs("copy", 4, 4, 2, 1, 1))
    assert all((part == 0).all() for part in batch["positions"].values())


def test_the_record_holds():
    """docs/records/encoder_decoder.json: what was asked of reversing 20 symbols."""
    path = Path(__file__).parents[2] / "docs/records/encoder_decoder.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    reverse = runs["reverse-True"]
    assert (reverse["length"], reverse["held_out"]) == (20, 1000)
    assert reverse["exact"] >= 0.99
    assert reverse["processor_seconds"] < 300
    for name in ("reverse-False", "copy-False"):
        assert abs(runs[name]["tokens"] - runs[name]["guess"]) < 0.02
        assert runs[name]["guess"] == pytest.approx(guess_from_the_multiset(20, 26))
        assert runs[name]["exact"] == 0
    assert runs["sort-False"]["exact"] > 0.99
