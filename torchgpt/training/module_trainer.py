"""ModuleTrainer: a model in training as a PyTorch user would write it."""

import contextlib
import math

import torch

from npgpt.families.checks import check_batch
from npgpt.random_stream import raw_draws
from npgpt.speed.threads import counted
from npgpt.training.batches import micro_batches
from npgpt.tree import tree_leaves, tree_map, tree_map_with_path
from torchgpt.device import compiler_errors, pick_device, pick_dtype
from torchgpt.modules.lora import add_lora
from torchgpt.modules.parts import as_ours, find, is_transposed
from torchgpt.training.trainer import as_numpy, tensor_on


class ModuleTrainer:
    """An nn.Module (SDPA), autograd and the library's fused AdamW.

    module: its class, such as `torchgpt.modules.GPT`. params, state:
    NumPy, nested; copied. adapters (`training.adapters`): what is trained
    in the place of params, which are frozen. dtype bfloat16 computes under autocast; the
    weights stay float32. Dropout masks come from torch's generator,
    seeded anew at each step so that a resumed run draws the same ones;
    `shared_dropout` takes the batch's instead. `compiled`: the training
    step's loss goes through torch.compile, a validation does not, for
    its windows come in other shapes."""

    name = "torch"
    dropout_stream = "dropout.torch"

    def __init__(self, module, config, params, settings, *, adapters=None, state=None,
                 device="auto", dtype="float32", shared_dropout=False, compiled=False):
        self.config, self.settings, self.device = config, settings, pick_device(device)
        self.mixed_precision = pick_dtype(dtype, self.device) == torch.bfloat16
        self.draws_dropout = not shared_dropout
        self.dropout = settings.dropout if self.draws_dropout else 0.0
        self.compiled = compiled
        weights = self.tensors(params, copy=adapters is None)  # a module copies them anyway
        self.module = module.from_params(weights, config, self.dropout).train()
        self.adapters = adapters
        if adapters is not None:
            self.add(adapters)
        if compiled:
            self.module.compile()
        self.optimizer = self.make_optimizer(state)

    def add(self, adapters):
        """Freeze the module but for what the adapters train."""
        if adapters.alpha is not None:
            add_lora(self.module, self.tensors(adapters.trained), adapters.alpha)
            return
        self.module.requires_grad_(False)
        for name, _ in tree_leaves(adapters.trained):
            find(self.module, name)[1].requires_grad_(True)

    @property
    def params(self):
        """What is trained, nested, copies."""
        return self.as_params(lambda weight: weight.detach())

    @property
    def grads(self):
        """Of the last step, as the optimiser took them, nested copies."""
        return self.as_params(lambda weight: weight.grad)

    def as_params(self, pick):
        """-> pick(weight) of each weight that is trained, copies, nested."""
        if self.adapters is None:
            return self.module.as_params(pick)
        return tree_map_with_path(
            lambda path, _: as_ours(self.module, path, pick), self.adapters.trained)

    def trained(self):
        return [weight for weight in self.module.parameters() if weight.requires_grad]

    def step(self, batch, rate):
        """batch: a dict of inputs, targets and, where shared, dropout_masks,
        NumPy -> loss, the gradients' norm before clipping. Where either is
        not finite, the weights stay as they are."""
        check_batch(batch["inputs"], batch["targets"], self.config)  # not yet on a GPU
        self.begin_step()
        # (2) loss and gradients of each part; divided by one count, they add up
        loss, count = 0.0, counted(batch["targets"])
        parts = micro_batches(batch, self.settings.accumulate)
        for i, part in enumerate(parts):
            loss += self.backward(self.tensors(part), count, last=i == len(parts) - 1)
        # (3) clip, but not by clip_grad_norm_, which adds 1e-6 to the norm
        weights = self.trained()
        norm = float(torch.nn.utils.get_total_norm([weight.grad for weight in weights]))
        # (4) move the weights
        if math.isfinite(loss) and math.isfinite(norm):
            self.move(rate, norm)
        return loss, norm

    def begin_step(self):
        self.module.zero_grad(set_to_none=True)
        if self.dropout:
            seed, step = self.settings.seed, self.steps_done() + 1
            torch.manual_seed(int(raw_draws(1, seed, step, self.dropout_stream)[0] >> 1))

    def backward(self, part, count, last):
        """-> the part's loss, a float; autograd adds up its gradients."""
        with compiler_errors() if self.compiled else contextlib.nullcontext():
            loss = self.sum_of_losses(self.module, part) / count
            loss.backward()
        return float(loss.detach())

    def sum_of_losses(self, module, part):
        with self.precision():
            _, total = module(
                part["inputs"], part["targets"], part.get("dropout_masks"), reduction="sum")
        return total

    def move(self, rate, norm):
        limit = self.settings.clip
        if norm > limit:
            torch._foreach_mul_(
                [weight.grad for weight in self.trained()], limit / norm)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()

    @torch.no_grad()
    def loss(self, batch):
        """The mean loss of a batch, no gradients."""
        check_batch(batch["inputs"], batch["targets"], self.config)
        part = self.tensors(batch)
        self.module.eval()
        with self.precision():
            _, loss = self.module.forward(part["inputs"], part["targets"])  # not compiled
        self.module.train()
        return float(loss)

    def make_optimizer(self, state):
        weights = self.trained()
        groups = [
            {"params": [w for w in weights if w.ndim >= 2],
             "weight_decay": self.settings.weight_decay},
            {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]], lr=self.settings.learning_rate,
            betas=(self.settings.beta_1, self.settings.beta_2),
            fused=self.device.type in ("cpu", "cuda"))
        for weight in weights:
            optimizer.state[weight] = {
                "step": torch.tensor(0.0, device=self.device),
                "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.zeros_like(weight)}
        for ours, theirs in (("m", "exp_avg"), ("v", "exp_avg_sq")) if state else ():
            for name, moment in tree_leaves(self.tensors(state[ours])):
                module, weight = find(self.module, name)
                moment = moment.T if is_transposed(module, weight) else moment
                optimizer.state[weight][theirs].copy_(moment)
                optimizer.state[weight]["step"].fill_(state["step"])
        return optimizer

    def steps_done(self):
        return int(next(iter(self.optimizer.state.values()))["step"])

    def state(self):
        """{"step", "m", "v"}, copies."""
        state = self.optimizer.state
        return {
            "step": self.steps_done(),
            "m": self.as_params(lambda weight: state[weight]["exp_avg"]),
            "v": self.as_params(lambda weight: state[weight]["exp_avg_sq"])}

    def tensors(self, tree, copy=True):
        """Nested NumPy -> tensors on the trainer's device."""
        return tree_map(lambda array: tensor_on(self.device, array, copy), tree)

    def numpy(self, tree):
        """Nested tensors -> NumPy, copies."""
        return tree_map(as_numpy, tree)

    def precision(self):
        if self.mixed_precision:
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()
