"""Our GPT against GPT-2 of `transformers`: logits, loss, every gradient."""

import numpy as np
import pytest
import torch

import torchgpt.models
import torchgpt.training
from npgpt.checking.budgets import budgets, scales
from npgpt.checking.case import PairCase
from npgpt.checking.comparison import error_between
from npgpt.checking.components import make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.implementations import numpy_implementation
from npgpt.models import gpt2
from npgpt.runs.checkpoint import file_name, load_checkpoint, save_checkpoint, to_file
from npgpt.training import init
from npgpt.tree import tree_leaves, tree_map
from parity_tests.trees import side_by_side
from torchgpt import GPT, to_numpy, to_torch

transformers = pytest.importorskip("transformers")


def their_model(case):
    config = case.options["config"]
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=config.vocab_size, n_positions=config.context_length,
        n_embd=config.channels, n_layer=config.layers, n_head=config.heads,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=None, eos_token_id=None,
        tie_word_embeddings=config.tied, attn_implementation="eager")).double().eval()
    ours = {name: torch.from_numpy(np.ascontiguousarray(array))
            for name, array in to_file(case.params, gpt2).items()}
    missing = model.load_state_dict(ours, strict=False).missing_keys
    assert set(missing) <= {"lm_head.weight"} and (config.tied or not missing)
    model.tie_weights()
    return model


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("tied", [True, False])
def test_logits_loss_and_every_gradient(seed, tied):
    case = make_case("loss_and_grads", seeded_draw(seed, {
        "B": 3, "T": 4, "H": 2, "D": 4, "layers": 2, "V": 8, "spare": 1, "tied": tied,
        "dropout": False, "mask": "none", "positions": "counted", "ignored": False, "count": None}))
    options = case.options
    model = their_model(case)
    ids, targets = (torch.from_numpy(options[name]) for name in ("inputs", "targets"))
    logits = model(ids).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    theirs = {"y": loss.item()}
    named = dict(model.named_parameters())
    for name, _ in tree_leaves(case.params):
        grad = named[file_name(name, gpt2)].grad.numpy()
        theirs[f"d_{name}"] = grad.T if name == "head.weight" else grad
    by_numpy = numpy_implementation()
    allowed = budgets(case, scales(case, by_numpy), "float64")
    ours_torch = torchgpt.training.loss_and_grads(
        torchgpt.models.gpt2, to_torch(case.params), ids, targets, options["config"])
    by_torch = {"y": ours_torch[0].item(),
                **{f"d_{name}": grad for name, grad in tree_leaves(to_numpy(ours_torch[1]))}}
    for ours in (by_numpy.compute(case), by_torch):
        assert set(ours) == set(theirs)
        for name, value in theirs.items():
            error, index = error_between(ours[name], value)
            assert error <= allowed[name], (name, index, error / allowed[name])
    whole = make_case("gpt", seeded_draw(seed, {key: str(value) for key, value in
                                                case.chosen.items()}))
    assert np.array_equal(whole.options["ids"], options["inputs"])
    found, _ = gpt2.forward(case.params, options["inputs"], options["config"])
    error, _ = error_between(found, logits.detach().numpy())
    assert error <= budgets(whole, scales(whole, by_numpy), "float64")["y"]


@pytest.mark.parametrize("tied", [True, False])
def test_checkpoints_cross_both_ways(tied, tmp_path):
    """Ours opened there, theirs opened here; logits within float32's
    budget of the float64 truth."""
    config = gpt2.Config(23, 16, 2, 2, 16, tied)
    params = init(gpt2, config, seed=3)
    ids = np.arange(12).reshape(2, 6) % 23
    save_checkpoint(tmp_path / "ours", config, params)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "ours").eval()
    theirs.save_pretrained(tmp_path / "theirs")
    back = load_checkpoint(tmp_path / "theirs")
    assert back.config == config
    for name, array, again in side_by_side(params, back.params):
        assert np.array_equal(array, again), name
    case = PairCase(
        component="gpt2.forward", nested=True,
        params=tree_map(lambda array: array.astype(np.float64), params),
        options={"ids": ids, "config": config}, d_y=np.ones((2, 6, 23)))
    exact = numpy_implementation().compute(case)["y"]
    with torch.no_grad():
        seen = {"transformers": theirs(torch.from_numpy(ids)).logits.numpy(),
                "numpy": gpt2.forward(back.params, ids, config)[0],
                "module": GPT.from_params(to_torch(back.params), config)(
                    torch.from_numpy(ids))[0].numpy()}
    budget = budgets(case, scales(case, numpy_implementation()), "float32")["y"]
    for name, logits in seen.items():
        assert np.abs(logits - exact).max() <= budget, name
