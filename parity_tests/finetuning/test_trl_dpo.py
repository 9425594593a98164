"""TRL's DPO loss of one batch, by its own trainer, beside ours."""

import numpy as np
import pytest
import torch

import npgpt.finetuning
import torchgpt.finetuning
import torchgpt.models
from npgpt.finetuning import answer_log_probs
from npgpt.runs.checkpoint import save_checkpoint
from npgpt.tree import tree_leaves, tree_map
from parity_tests.finetuning.small_models import TARGETS, a_tokenizer, base
from torchgpt import to_torch

pytestmark = pytest.mark.acceptance
trl = pytest.importorskip("trl", reason="pip install 'npgpt[witness]'")
transformers = pytest.importorskip("transformers")
B, T, ANSWER = 3, 9, 4  # an answer begins at token 4
IDS = np.random.default_rng(6).integers(0, 37, (B, 2, T))
IDS[:, 1, :ANSWER] = IDS[:, 0, :ANSWER]
BETA = 0.3


@pytest.mark.parametrize("kind", TARGETS)
def test_loss_and_gradients_of_trl(kind, tmp_path):
    """Equal within float32's budget; every gradient within 1e-4."""
    model, config, params = base(kind)
    start = tree_map(lambda weight: weight + 0.02 * np.cos(np.arange(weight.size, dtype="f"))
                     .reshape(weight.shape), params)
    for name, weights in (("policy", params), ("start", start)):
        save_checkpoint(tmp_path / name, config, weights)
    policy, reference = (transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / name, dtype=torch.float32).eval() for name in ("policy", "start"))
    loss = trl_loss(policy, reference, tmp_path)

    batch = {"inputs": IDS[..., :-1], "targets": np.where(
        np.arange(1, T) < ANSWER, -100, IDS[..., 1:])}
    sums = answer_log_probs(model, start, **batch, config=config).sum(axis=-1)
    own, grads = npgpt.finetuning.dpo_loss_and_grads(
        model, params, **batch, reference=sums, config=config, beta=BETA)
    other, _ = torchgpt.finetuning.dpo_loss_and_grads(
        getattr(torchgpt.models, kind), to_torch(params), **to_torch(batch),
        reference=torch.from_numpy(sums), config=config, beta=BETA)
    for found in (own, other):
        assert abs(float(found) - loss) <= 64 * 2.0 ** -24 * 30, (float(found), loss)
    # theirs, put where ours lie: the file of their gradients, read as a checkpoint
    with torch.no_grad():
        for weight in policy.parameters():
            weight.copy_(weight.grad)
    policy.save_pretrained(tmp_path / "grads")
    from npgpt.runs.checkpoint import load_checkpoint

    theirs = dict(tree_leaves(load_checkpoint(tmp_path / "grads").params))
    for path, grad in tree_leaves(grads):
        error = np.abs(grad - theirs[path]).max() / max(np.abs(theirs[path]).max(), 1e-6)
        assert error <= 1e-4 or np.abs(grad).max() < 1e-6, (path, error)


def trl_loss(policy, reference, path):
    """Their trainer's loss; its gradients stay in the policy."""
    from datasets import Dataset

    # it wants rows, but is given its batch by hand below
    rows = Dataset.from_list([{"prompt": "w2 w3", "chosen": "w4", "rejected": "w5"}] * B)
    options = trl.DPOConfig(
        output_dir=str(path / "trl"), per_device_train_batch_size=B, report_to=[], beta=BETA,
        use_cpu=True, bf16=False, gradient_checkpointing=False, max_length=None,
        remove_unused_columns=False)
    trainer = trl.DPOTrainer(
        model=policy, ref_model=reference, args=options, train_dataset=rows,
        processing_class=a_tokenizer(path))
    ids = torch.from_numpy(np.concatenate([IDS[:, 0], IDS[:, 1]]))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids),
             "completion_mask": (torch.arange(T) >= ANSWER).long().expand(2 * B, T)}
    policy.eval()
    loss = trainer.compute_loss(policy, batch)
    loss.backward()
    return loss.item()
