"""Adapters of ours in `peft`, and adapters of `peft` here; the loss of `trl`."""


import numpy as np
import pytest
import torch

import npgpt.training
import torchgpt.models
import torchgpt.training
from npgpt.checking.budgets import budgets, scales
from npgpt.checking.case import PairCase
from npgpt.checking.implementations import numpy_implementation
from npgpt.errors import InputError
from npgpt.finetuning import freeze, lora_weights, lora_weights_backward
from npgpt.runs.adapters import load_adapter, merged, save_adapter
from npgpt.runs.adapters.adapter import names_in_file
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.tree import tree_leaves, tree_map
from parity_tests.finetuning.small_models import RANK, TARGETS, a_tokenizer, adapter, base
from torchgpt import finetuning as in_torch
from torchgpt import to_numpy, to_torch

pytestmark = pytest.mark.acceptance
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")
IDS = np.random.default_rng(5).integers(0, 37, (2, 9))
THEIR_TARGETS = {"gpt2": ["c_attn", "mlp.c_proj"], "llama": ["q_proj", "v_proj"]}


def theirs_of(path):
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


@pytest.fixture
def bases(tmp_path):
    """{kind: a directory with a model of it}."""
    paths = {}
    for kind in TARGETS:
        _, config, params = base(kind)
        save_checkpoint(tmp_path / kind, config, params)
        paths[kind] = tmp_path / kind
    return paths


def logits_of(model):
    with torch.no_grad():
        return model(torch.from_numpy(IDS)).logits.numpy()


def close(kind, params, config, ours, theirs):
    """Within float32's budget of this model's logits."""
    model, _, _ = base(kind)
    exact = tree_map(lambda array: array.astype(np.float64), params)
    case = PairCase(component=f"{kind}.forward", nested=True, params=exact,
                    d_y=np.ones((*IDS.shape, 37)), options={"ids": IDS, "config": config})
    allowed = budgets(case, scales(case, numpy_implementation()), "float32")["y"]
    error = np.abs(ours - theirs).max()
    assert error <= allowed, error / allowed


@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("kind", TARGETS)
def test_ours_opens_there(kind, rslora, bases, tmp_path):
    model, config, params = base(kind)
    ours = adapter(kind, rslora=rslora, base=str(bases[kind]))
    save_adapter(tmp_path / "a", ours, config, model)
    theirs = peft.PeftModel.from_pretrained(theirs_of(bases[kind]), tmp_path / "a").eval()
    assert sum(name.endswith("lora_A.default.weight") for name, _ in theirs.named_parameters()) == 4
    weights = merged(params, ours)
    own = model.forward(weights, IDS, config)[0]
    close(kind, weights, config, own, logits_of(theirs))
    assert np.abs(own - model.forward(params, IDS, config)[0]).max() > 1e-2
    close(kind, weights, config, own, logits_of(theirs.merge_and_unload()))


@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("kind", TARGETS)
def test_theirs_opens_here(kind, rslora, bases, tmp_path):
    model, config, params = base(kind)
    theirs = their_adapter(kind, bases, use_rslora=rslora)
    theirs.save_pretrained(tmp_path / "a")
    found = load_adapter(tmp_path / "a", params, config, model)
    assert (found.rank, found.lora_alpha, found.dropout) == (RANK, 7, 0.1)
    assert found.base == str(bases[kind])
    weights = merged(params, found)
    for own in (model.forward(weights, IDS, config)[0], getattr(torchgpt.models, kind).forward(
            to_torch(weights), torch.from_numpy(IDS), config)[0].numpy()):
        close(kind, weights, config, own, logits_of(theirs))
    theirs.merge_and_unload().save_pretrained(tmp_path / "merged")
    whole = load_checkpoint(tmp_path / "merged").params
    for path, array in tree_leaves(whole):
        assert np.abs(array - dict(tree_leaves(weights))[path]).max() <= 1e-6, path


def their_adapter(kind, bases, **more):
    torch.manual_seed(2)
    options = {"r": RANK, "lora_alpha": 7, "lora_dropout": 0.1, "task_type": "CAUSAL_LM",
               "target_modules": THEIR_TARGETS[kind], "fan_in_fan_out": kind == "gpt2", **more}
    model = peft.get_peft_model(theirs_of(bases[kind]), peft.LoraConfig(**options)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    return model


@pytest.mark.parametrize("more", [
    {"use_dora": True}, {"modules_to_save": ["lm_head"]}, {"bias": "lora_only"},
    {"rank_pattern": {"layers.0.self_attn.q_proj": 2}}, {"lora_bias": True},
    {"init_lora_weights": "olora"}], ids=str)
def test_other_kinds_are_refused_by_name(more, bases, tmp_path):
    model, config, params = base("llama")
    their_adapter("llama", bases, **more).save_pretrained(tmp_path / "a")
    with pytest.raises(InputError) as refused:
        load_adapter(tmp_path / "a", params, config, model)
    assert next(iter(more)) in str(refused.value)


def test_other_methods_are_refused_by_name(bases, tmp_path):
    model, config, params = base("llama")
    options = peft.IA3Config(task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"],
                             feedforward_modules=["down_proj"])
    peft.get_peft_model(theirs_of(bases["llama"]), options).save_pretrained(tmp_path / "a")
    with pytest.raises(InputError, match="peft_type is 'IA3'"):
        load_adapter(tmp_path / "a", params, config, model)


def test_what_peft_initialises_is_what_we_do(bases):
    """The bound of A, and B = 0."""
    torch.manual_seed(4)
    options = peft.LoraConfig(r=12, target_modules=["q_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(theirs_of(bases["llama"]), options)
    for name, weight in model.named_parameters():
        if "lora_A" in name:
            largest = weight.detach().abs().max().item()
            assert 0.9 / 12 ** 0.5 < largest <= 1 / 12 ** 0.5
        if "lora_B" in name:
            assert not weight.detach().any()


@pytest.mark.parametrize("kind", TARGETS)
def test_loss_and_gradients_of_trl(kind, bases, tmp_path):
    """TRL's SFT loss of one batch with an answer's mask, by its own trainer and PEFT's
    model: equal within float32's budget; the gradients of A and B within 1e-4."""
    trl = pytest.importorskip("trl")
    model, config, params = base(kind)
    ours = adapter(kind, base=str(bases[kind]))
    save_adapter(tmp_path / "a", ours, config, model)
    theirs = peft.PeftModel.from_pretrained(
        theirs_of(bases[kind]), tmp_path / "a", is_trainable=True)
    labels = np.where(np.arange(9) < 4, -100, IDS)
    loss = trl_loss(trl, theirs, labels, tmp_path)
    inputs, targets = IDS[:, :-1], labels[:, 1:]
    frozen = freeze(params, lambda path: path in ours.layers)
    weights, saved = lora_weights(frozen, ours.layers, ours.alpha)
    own, grads = npgpt.training.loss_and_grads(model, weights, inputs, targets, config)
    by_numpy = lora_weights_backward(grads, saved)
    weights, saved = in_torch.lora_weights(to_torch(frozen), to_torch(ours.layers), ours.alpha)
    other, grads = torchgpt.training.loss_and_grads(
        getattr(torchgpt.models, kind), weights, torch.from_numpy(inputs),
        torch.from_numpy(targets), config)
    by_hand = to_numpy(in_torch.lora_weights_backward(grads, saved))
    assert abs(float(own) - loss) <= 64 * 2.0 ** -24 * loss
    assert abs(float(other) - loss) <= 64 * 2.0 ** -24 * loss
    named = dict(theirs.named_parameters())
    for layer in ours.layers:
        for each, name in names_in_file(layer, model).items():
            name = name.replace(f"lora_{each}.", f"lora_{each}.default.")
            grad = named[name].grad.numpy().T
            for found in (by_numpy, by_hand):
                error = np.abs(found[layer][each] - grad).max() / np.abs(grad).max()
                assert error <= 1e-4, (layer, each, error)


def trl_loss(trl, model, labels, path):
    """Their trainer's loss of the batch; its gradients stay in the model."""
    from datasets import Dataset

    rows = Dataset.from_list([{"input_ids": ids.tolist(), "labels": own.tolist()}
                              for ids, own in zip(IDS, labels)])
    options = trl.SFTConfig(
        output_dir=str(path / "trl"), per_device_train_batch_size=2, report_to=[],
        use_cpu=True, bf16=False, gradient_checkpointing=False, max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True}, remove_unused_columns=False)
    trainer = trl.SFTTrainer(
        model=model, args=options, train_dataset=rows, processing_class=a_tokenizer(path))
    batch = {"input_ids": torch.from_numpy(IDS), "labels": torch.from_numpy(labels),
             "attention_mask": torch.ones_like(torch.from_numpy(IDS))}
    model.eval()
    loss = trainer.compute_loss(model, batch)
    loss.backward()
    return loss.item()
