"""A model that no package knows goes through all of them: checked, trained,
resumed, saved, read, sampled, and trained in both packages at once."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import npgpt.generation
import npgpt.training
import torchgpt.generation
import torchgpt.training
from npgpt.checking.case import PairCase, arguments, differentiated
from npgpt.checking.components._models import model_params
from npgpt.checking.draw import Draw
from npgpt.checking.implementations import numpy_implementation
from npgpt.checking.laws import batch_independent, causal, linear_in_the_upstream_gradient
from npgpt.checking.verdict import verdict
from npgpt.errors import InputError
from npgpt.generation import SamplingSettings
from npgpt.replacing import replaced
from npgpt.runs.checkpoint import create_run, load_checkpoint, load_training, save_checkpoint
from npgpt.runs.checks import check_run
from npgpt.runs.data import Data
from npgpt.runs.diverged import Diverged
from npgpt.runs.duet import compare_texts, duet
from npgpt.runs.run import Run, resume_run, start_run
from npgpt.runs.settings import complete
from npgpt.runs.train import initial_state, train
from npgpt.text import CharacterTokenizer
from npgpt.training import init, loss_and_grads
from npgpt.tree import tree_leaves
from parity_tests.models import stranger_numpy, stranger_torch
from parity_tests.suite import Wrong
from parity_tests.trees import side_by_side
from torchgpt import to_numpy, to_torch
from torchgpt.checking import torch_implementation
from torchgpt.checking.implementations import layer_references, left_grads, watched

TEXT = "the cat sat on the mat and saw the dog run over the hill. " * 8
GIVEN = {"steps": 6, "batch_size": 4, "accumulate": 2, "context_length": 8, "channels": 6,
         "dtype": "float64", "evaluate_every": 3, "save_every": 3}


# checked


def case_of(draw):
    B, T, V = draw("B", [1, 2, 3]), draw("T", [1, 2, 5]), draw("V", range(2, 7))
    C, frozen = draw("C", range(1, 5)), draw("frozen", [(), ("tokens", "gate")])
    numbers, config = draw.numbers(), stranger_numpy.Config(V, channels=C)
    return PairCase(
        component="stranger.forward", nested=True, frozen=frozen,
        params=model_params(numbers, config, stranger_numpy),
        options={"ids": numbers.below(V, B, T), "config": config},
        d_y=numbers.normal(B, T, V), chosen=dict(draw.chosen),
        laws=(batch_independent, causal, linear_in_the_upstream_gradient))


def with_stranger(implementation, module):
    """An implementation that has the stranger as well."""
    def find(name):
        model, _, function = name.rpartition(".")
        return getattr(module, function) if model == "stranger" else implementation.find(name)

    return replace(implementation, find=find, packages=(module.__name__,))


def by_autograd():
    """PyTorch's own operators in the place of the layers."""
    def run(case):
        case = watched(case)
        with replaced(stranger_torch.__name__, layer_references()), torch.enable_grad():
            y, _ = stranger_torch.forward(**arguments(case))
            y.backward(case.d_y)
        grads = dict(tree_leaves(left_grads(case)))
        return {"y": y.detach(), **{name: grads[name] for name in differentiated(case)}}

    return replace(torch_implementation(), name="autograd", run=run, few_bits=(), packages=())


@given(data=st.data())
def test_verdict(data):
    case = case_of(Draw(lambda options: data.draw(st.sampled_from(options))))
    involved = [with_stranger(numpy_implementation(), stranger_numpy),
                with_stranger(torch_implementation(), stranger_torch), by_autograd()]
    found = verdict(case, involved)
    assert {"numpy", "torch", "autograd", "complex step", "numpy float32",
            "torch float32"} <= set(found.ran)
    if found.findings:
        raise Wrong(found.findings, involved)


def test_loss_and_grads_of_both():
    config = stranger_numpy.Config(7)
    params = init(stranger_numpy, config, dtype=np.float64)
    assert torch.equal(
        torchgpt.training.init(stranger_torch, config)["tokens"]["weight"],
        torch.from_numpy(init(stranger_numpy, config)["tokens"]["weight"]))
    rows = np.random.default_rng(0).integers(0, 7, (3, 6))
    loss, grads = loss_and_grads(stranger_numpy, params, rows[:, :-1], rows[:, 1:], config)
    rows = torch.from_numpy(rows)
    other, theirs = torchgpt.training.loss_and_grads(
        stranger_torch, to_torch(params), rows[:, :-1], rows[:, 1:], config)
    assert abs(loss - float(other)) <= 1e-14
    for name, a, b in side_by_side(grads, to_numpy(theirs)):
        assert np.abs(a - b).max() <= 1e-15, name


# trained


def numpy_trainer(run):
    params, state = initial_state(run)
    return npgpt.training.Trainer(
        stranger_numpy, run.config, params, run.settings, state=state)


def torch_trainer(run):
    params, state = initial_state(run)
    return torchgpt.training.Trainer(
        stranger_torch, run.config, params, run.settings, state=state, device="cpu")


both = pytest.mark.parametrize("make", [numpy_trainer, torch_trainer], ids=["numpy", "torch"])


def run_by_hand(path, **given):
    """A run of the stranger, its data made here; its directory holds no run.json."""
    tokenizer = CharacterTokenizer.train([TEXT])
    ids = np.array(tokenizer.encode(TEXT), np.uint16)
    data = Data(tokenizer, ids[:-60], ids[-60:], 60, {})
    config = stranger_numpy.Config(tokenizer.vocab_size)
    if not path.exists():
        create_run(path, config, tokenizer, family=stranger_numpy)
    return Run(path, complete({**GIVEN, **given}), config, data, stranger_numpy)


def go_on(path, **given):
    run = run_by_hand(path, **given)
    last = load_training(path, run.config, stranger_numpy)
    return replace(run, **last)


def same_bits(one, other):
    return all(np.array_equal(a, b) for _, a, b in side_by_side(one, other))


@both
def test_it_trains_and_resumes_bit_for_bit(make, tmp_path):
    whole, parts = run_by_hand(tmp_path / "whole"), run_by_hand(tmp_path / "parts", steps=3,
                                                                decay_steps=6)
    summary = train(whole, make(whole))
    assert summary["status"] == "finished" and (whole.path / "loss.png").exists()
    train(parts, make(parts))
    again = go_on(parts.path)
    assert again.step == 3
    train(again, make(again))
    one, other = (load_training(run.path, run.config, stranger_numpy) for run in (whole, again))
    assert one["step"] == 6 and same_bits(one, other)


def test_it_learns_alike_in_both(tmp_path):
    runs = [run_by_hand(tmp_path / make.__name__, steps=60, learning_rate=1e-2)
            for make in (numpy_trainer, torch_trainer)]
    losses = [train(run, make(run))["validation_loss"]
              for run, make in zip(runs, (numpy_trainer, torch_trainer))]
    assert losses[0] < np.log(runs[0].config.vocab_size) - 0.2
    assert abs(losses[0] - losses[1]) <= 1e-12


def test_compiled_loops_take_the_same_steps(tmp_path):
    from npgpt.speed import compiled

    params, ends = init(stranger_numpy, stranger_numpy.Config(19), dtype=np.float64), []
    on_loops = {
        "loss_and_grads": compiled.on_loops(loss_and_grads), "update": compiled.adamw_step,
        "clip": compiled.clip_by_global_norm, "by_columns": compiled.by_columns}
    for model, functions in ((stranger_numpy, {}), (compiled.on_loops(stranger_numpy), on_loops)):
        run = run_by_hand(tmp_path / str(len(ends)))
        trainer = npgpt.training.Trainer(model, run.config, params, run.settings, **functions)
        train(run, trainer)
        ends.append(trainer.numpy(trainer.params))
    for name, one, other in side_by_side(*ends):
        assert np.abs(one - other).max() <= 1e-12, name


@both
def test_a_run_from_a_text_is_resumed(make, tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    given = {**GIVEN, "corpus": str(tmp_path / "text.txt")}
    ends = []
    for name, steps in (("whole", 6), ("parts", 3)):
        run = start_run(tmp_path / name, {**given, "steps": steps, "decay_steps": 6},
                        "a test", {}, stranger_numpy)
        assert run.config.context_length is None and run.config.channels == 6
        train(run, make(run))
    run = resume_run(tmp_path / "parts", {"steps": 6}, {"stranger": stranger_numpy})
    assert run.step == 3 and run.model is stranger_numpy
    train(run, make(run))
    for name in ("whole", "parts"):
        ends.append(load_training(tmp_path / name, run.config, stranger_numpy))
    assert same_bits(*ends)


def test_it_is_asked_before_it_is_trained(tmp_path):
    answers = check_run(run_by_hand(tmp_path / "run"), numpy_trainer)
    right = {question: answer for question, _, answer in answers}
    # it reads one token at a time: what follows a token is not known by heart
    assert right == {"starts at ln V": True, "targets one on": True, "looks back only": True,
                     "gradients reach all": True, "learns one batch": False}


@both
@pytest.mark.filterwarnings("ignore::RuntimeWarning")   # it is made to overflow
def test_what_goes_bad_is_named(make, tmp_path):
    run = run_by_hand(tmp_path / "run")
    trainer = make(run)
    trainer.params["up"]["weight"][:] = 1e300
    trainer.params["gate"]["weight"][:] = 1e300
    with pytest.raises(Diverged, match="the output of the model went bad first"):
        train(run, trainer)


# saved and read


def test_it_is_saved_and_read(tmp_path):
    config = stranger_numpy.Config(5, channels=3)
    params = init(stranger_numpy, config)
    save_checkpoint(tmp_path / "one", config, params, family=stranger_numpy)
    found = load_checkpoint(tmp_path / "one", family=stranger_numpy)
    assert found.config == config and found.family is stranger_numpy
    assert same_bits(found.params, params)
    with pytest.raises(InputError, match="model_type is 'stranger'"):
        load_checkpoint(tmp_path / "one")
    with pytest.raises(InputError, match="other sizes"):
        save_checkpoint(tmp_path / "one", replace(config, channels=4), params,
                        family=stranger_numpy)


# sampled


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = run_by_hand(tmp_path_factory.mktemp("stranger") / "run", steps=60, learning_rate=1e-2)
    train(run, numpy_trainer(run))
    return load_checkpoint(run.path, family=stranger_numpy)


HOW = {"max_new_tokens": 40, "temperature": 0.7, "seed": 3}


def test_both_write_the_same_text(trained):
    start = trained.tokenizer.encode("the ")
    one = list(npgpt.generation.generate(
        stranger_numpy, trained.params, trained.config, start, **HOW))
    other = list(torchgpt.generation.generate(
        stranger_torch, to_torch(trained.params), trained.config, start, **HOW))
    assert len(one) == 40 and one == other and len(set(one)) > 3
    assert compare_texts(one, other, stranger_numpy, trained.params, trained.config, start,
                         3, 0.7)["equal"]


@pytest.mark.parametrize("package, model, own", [
    (npgpt, stranger_numpy, lambda params: params), (torchgpt, stranger_torch, to_torch)],
    ids=["numpy", "torch"])
def test_each_row_of_a_batch_is_its_own_text(package, model, own, trained):
    params = own(trained.params)
    prompts = [trained.tokenizer.encode(text) for text in ("the cat ", "a", "on")]
    given = model, params, trained.config
    rows = [[], [], []]
    for row, token, _ in package.generation.generate_batch(
            *given, prompts, **HOW, ended=lambda row: row == 1 and len(rows[1]) == 5):
        rows[row].append(token)
    assert [len(row) for row in rows] == [40, 5, 40]
    for b, row in enumerate(rows):
        alone = package.generation.generate(*given, prompts[b], **{**HOW, "seed": 3 + b})
        assert list(alone)[:len(row)] == row


def test_both_engines_stream_the_same_text(trained):
    settings = SamplingSettings(**HOW)
    texts = [
        "".join(npgpt.generation.Engine(
            stranger_numpy, trained.params, trained.config, trained.tokenizer).stream(
                "the ", settings)),
        "".join(torchgpt.generation.Engine(
            stranger_torch, to_torch(trained.params), trained.config, trained.tokenizer).stream(
                "the ", settings))]
    ids = list(npgpt.generation.generate(
        stranger_numpy, trained.params, trained.config, trained.tokenizer.encode("the "), **HOW))
    assert texts == [trained.tokenizer.decode(ids)] * 2


# two at once


def test_it_duets(tmp_path):
    run = run_by_hand(tmp_path / "run")
    params = init(stranger_numpy, run.config, dtype=np.float64)
    summary = duet(replace(run), numpy_trainer(replace(run, params=params)),
                   torch_trainer(replace(run, params=params)))
    assert summary["status"] == "finished" and (run.path / "duet.png").exists()
    assert summary["largest_difference"] <= 1e-14
    assert set(summary["gradient_differences"]) == {
        f"{name}.weight" for name in ("tokens", "up", "gate", "down", "head")}
    saved = load_checkpoint(run.path, family=stranger_numpy)
    assert same_bits(saved.params, summary["params"])
