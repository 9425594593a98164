"""Trainer: a model in training by the hand-written functions, on any
device."""

import math

import torch

from npgpt.families.checks import check_batch
from npgpt.speed.threads import counted_batch
from npgpt.training.batches import micro_batches
from npgpt.tree import tree_map
from torchgpt.device import pick_device
from torchgpt.speed import counted_rows
from torchgpt.training.adamw import adamw_init, adamw_step
from torchgpt.training.clip import clip_by_global_norm
from torchgpt.training.loss import mean_loss
from torchgpt.training.loss_and_grads import loss_and_grads


class Trainer:
    """It holds `params`, `grads` (of the last step, before clipping) and
    the optimiser's state, tensors on `device`.

    params, state: NumPy, nested; copied. settings: accumulate, clip,
    beta_1, beta_2, weight_decay. adapters (`training.adapters`): what is
    trained in the place of params, which stay as they are. loss_and_grads,
    mean_loss: another loss may take the place of cross-entropy's."""

    name = "torch by hand"
    draws_dropout = False  # the batch brings the masks

    def __init__(self, model, config, params, settings, *, adapters=None, state=None,
                 loss_and_grads=loss_and_grads, mean_loss=mean_loss, device="auto"):
        self.model, self.config, self.settings = model, config, settings
        self.loss_and_grads, self.mean_loss = loss_and_grads, mean_loss
        self.device = pick_device(device)
        self.adapters = adapters and adapters._replace(params=tree_map(
            lambda array: tensor_on(self.device, array, copy=False), adapters.params))
        self.params = self.tensors(params if adapters is None else adapters.trained)
        self.optimizer = adamw_init(self.params) if state is None else self.tensors(state)
        self.grads = None

    @torch.no_grad()
    def step(self, batch, rate):
        """batch: a dict of loss_and_grads' arguments, NumPy -> loss, the
        gradients' norm before clipping. Where either is not finite, the
        weights stay as they are."""
        if self.loss_and_grads in (loss_and_grads, counted_rows.loss_and_grads):  # else not ids
            check_batch(batch["inputs"], batch["targets"], self.config)
        weights, saved = self.weights()
        # (2) loss and gradients of each part; divided by one count, they add up
        loss, (batch, count) = 0.0, counted_batch(batch)
        for i, part in enumerate(micro_batches(batch, self.settings.accumulate)):
            part_loss, grads = self.loss_and_grads(
                self.model, weights, config=self.config, count=count,
                **self.tensors(part))
            if self.adapters is not None:  # from the weights to what trains
                grads = self.adapters.backward(grads, saved)
            loss += float(part_loss)
            self.grads = tree_map(torch.add, self.grads, grads) if i else grads
        # (3) clip
        clipped, norm = clip_by_global_norm(self.grads, self.settings.clip)
        # (4) move the weights
        if math.isfinite(loss) and math.isfinite(norm):
            adamw_step(
                self.params, clipped, self.optimizer, lr=rate,
                betas=(self.settings.beta_1, self.settings.beta_2),
                weight_decay=self.settings.weight_decay)
        return loss, norm

    def weights(self):
        """-> what the model runs on, and what its gradients' way back needs."""
        if self.adapters is None:
            return self.params, None
        return self.adapters.forward(self.adapters.params, self.params)

    @torch.no_grad()
    def loss(self, batch):
        """The mean loss of a batch, no gradients."""
        check_batch(batch["inputs"], batch["targets"], self.config)
        weights, _ = self.weights()
        return float(self.mean_loss(
            self.model, weights, config=self.config, **self.tensors(batch)))

    def state(self):
        """{"step", "m", "v"}, live."""
        return self.optimizer

    def tensors(self, tree):
        """Nested NumPy -> tensors on the trainer's device, copies."""
        return tree_map(lambda array: tensor_on(self.device, array), tree)

    def numpy(self, tree):
        """Nested tensors -> NumPy, copies."""
        return tree_map(as_numpy, tree)


def tensor_on(device, array, copy=True):
    """An array as a tensor there, a copy; anything else as it is. copy False: one is
    made only where none can be done without."""
    if not hasattr(array, "dtype"):
        return array
    tensor = torch.from_numpy(array) if array.flags.writeable else torch.tensor(array)
    return tensor.to(
        device, non_blocking=device.type == "cuda", copy=copy,
        memory_format=torch.contiguous_format if copy else torch.preserve_format)


def as_numpy(array):
    """A tensor as an array, a copy; anything else as it is."""
    return array.detach().cpu().numpy().copy() if torch.is_tensor(array) else array
