"""PyTorch's answers to the training loop: by hand, or by autograd.

The loop (`npgpt.training.loop`) hands NumPy in and gets NumPy back, so a run
may change its half at any saved step.
"""

import contextlib

import torch

from npgpt.errors import InputError
from npgpt.layers.cross_entropy import IGNORE
from npgpt.random_stream import raw_draws
from npgpt.tree import leaves, rebuild
from torchgpt.device import pick_device, pick_dtype
from torchgpt.layers.cross_entropy import cross_entropy
from torchgpt.models.gpt2 import gpt
from torchgpt.modules.gpt2 import GPT
from torchgpt.training.adamw import adamw_init, adamw_step
from torchgpt.training.ahead import Ahead, pinned
from torchgpt.training.clip import clip_by_global_norm
from torchgpt.training.loss_and_grads import loss_and_grads


class ByHand:
    """The hand-written functions, on any device."""

    name = "torch by hand"
    own_dropout = False  # the loop draws the masks

    def __init__(self, device="auto", dtype="float32"):
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)

    def load(self, tree):
        """Nested NumPy -> tensors on this half's device, as copies."""

        def copy(_, leaf):
            if not hasattr(leaf, "dtype"):
                return leaf
            tensor = torch.from_numpy(leaf) if leaf.flags.writeable else torch.tensor(leaf)
            kind = self.dtype if tensor.is_floating_point() else None
            return tensor.to(
                self.device, kind, non_blocking=self.device.type == "cuda", copy=True,
                memory_format=torch.contiguous_format)

        return rebuild(tree, copy)

    def unload(self, tree):
        """Nested tensors -> NumPy, as copies."""

        def copy(_, leaf):
            return leaf.detach().cpu().numpy().copy() if torch.is_tensor(leaf) else leaf

        return rebuild(tree, copy)

    def model(self, params, config):
        return self.load(params)

    def params(self, model):
        return self.unload(model)

    def optimizer(self, model, settings, state=None):
        return adamw_init(model) if state is None else self.load(state)

    def optimizer_state(self, model, optimizer):
        return self.unload(optimizer)

    def batch(self, draw, step):
        """inputs, targets, keep of this step, by draw(step)."""
        return draw(step)

    def begin_step(self, model, seed, step):
        """Called before the first part of each step."""

    def loss_and_grads(self, model, ids, targets, config, keep=None, count=None):
        return loss_and_grads(model, ids, targets, config, keep=keep, count=count)

    def add_grads(self, total, part):
        for (_, grad), (_, other) in zip(leaves(total), leaves(part)):
            grad += other

    def grads(self, grads):
        return self.unload(grads)

    def clip(self, grads, limit):
        return clip_by_global_norm(grads, limit)

    @torch.no_grad()
    def step(self, model, grads, optimizer, rate, settings):
        adamw_step(
            model, grads, optimizer, lr=rate, betas=(settings.beta_1, settings.beta_2),
            weight_decay=settings.weight_decay)

    @torch.no_grad()
    def loss(self, model, ids, targets, config):
        logits, _ = gpt(model, ids, config)
        return float(cross_entropy(logits, targets)[0])


class Autograd(ByHand):
    """`torchgpt.GPT`: SDPA, autograd and the library's fused AdamW.

    bfloat16 computes under autocast; the weights stay float32. Dropout masks
    come from torch's generator, seeded anew at each step so that a resumed
    run draws the same ones; `shared_dropout` takes the loop's instead.
    `compiled`: the training step's loss goes through torch.compile, a
    validation does not, for its windows come in other shapes.
    """

    name = "torch"
    dropout_stream = "dropout.torch"

    def __init__(self, device="auto", dtype="float32", dropout=0.0,
                 shared_dropout=False, compiled=False):
        super().__init__(device, dtype)
        self.half_precision = self.dtype == torch.bfloat16
        self.dtype = torch.float32 if self.half_precision else self.dtype
        self.own_dropout = not shared_dropout
        self.dropout = dropout if self.own_dropout else 0.0
        self.compiled = compiled
        if self.device.type == "cuda":
            self.batch = Ahead(pinned)

    def model(self, params, config):
        model = GPT.from_params(self.load(params), config, self.dropout).train()
        if self.compiled:
            model.compile()
        return model

    def params(self, model):
        return self.unload(model.to_params())

    def optimizer(self, model, settings, state=None):
        weights = list(model.parameters())
        groups = [
            {"params": [w for w in weights if w.ndim >= 2],
             "weight_decay": settings.weight_decay},
            {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(
            groups, lr=settings.learning_rate, betas=(settings.beta_1, settings.beta_2),
            fused=self.device.type in ("cpu", "cuda"))
        for weight in weights:
            optimizer.state[weight] = {
                "step": torch.tensor(0.0, device=self.device),
                "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.zeros_like(weight)}
        for ours, theirs in (("m", "exp_avg"), ("v", "exp_avg_sq")) if state else ():
            moments = GPT.from_params(self.load(state[ours]), model.config)
            for weight, moment in zip(weights, moments.parameters()):
                optimizer.state[weight][theirs].copy_(moment.detach())
                optimizer.state[weight]["step"].fill_(state["step"])
        return optimizer

    def optimizer_state(self, model, optimizer):
        state = optimizer.state
        steps = {int(state[weight]["step"]) for weight in model.parameters()}
        return {
            "step": steps.pop(),
            "m": self.unload(model.as_params(lambda weight: state[weight]["exp_avg"])),
            "v": self.unload(model.as_params(lambda weight: state[weight]["exp_avg_sq"]))}

    def begin_step(self, model, seed, step):
        model.zero_grad(set_to_none=True)
        if self.dropout:
            torch.manual_seed(int(raw_draws(1, seed, step, self.dropout_stream)[0] >> 1))

    def loss_and_grads(self, model, ids, targets, config, keep=None, count=None):
        """-> loss, the model itself: autograd adds the gradients up in it."""
        count = count or max(int((targets != IGNORE).sum()), 1)
        with compiler_errors() if self.compiled else contextlib.nullcontext():
            with self.precision():
                _, total = model(ids, targets, keep, reduction="sum")
            loss = total / count
            loss.backward()
        return loss.detach(), model

    def add_grads(self, total, part):
        """Autograd has added them."""

    def grads(self, grads):
        return self.unload(grads.grads())

    def clip(self, grads, limit):
        # not clip_grad_norm_, which adds 1e-6 to the norm
        tensors = [weight.grad for weight in grads.parameters()]
        norm = torch.nn.utils.get_total_norm(tensors)
        scale = (limit / norm).clamp(max=1.0)
        # a norm that is no number scales nothing: the bad tensor stays the only one
        torch._foreach_mul_(tensors, torch.where(norm.isfinite(), scale, 1.0))
        return grads, norm

    def step(self, model, grads, optimizer, rate, settings):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()

    @torch.no_grad()
    def loss(self, model, ids, targets, config):
        model.eval()
        with self.precision():
            _, loss = model.forward(ids, targets)  # as it is, not compiled
        model.train()
        return float(loss)

    def precision(self):
        if self.half_precision:
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()


@contextlib.contextmanager
def compiler_errors():
    """What torch.compile lacks on this machine, in one line."""
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        cause = getattr(error, "inner_exception", error)
        said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        raise InputError(
            f"--compile fails on this machine ({said}): it needs a C++ compiler, and Triton"
            " on a GPU; install them, or train without --compile") from error
