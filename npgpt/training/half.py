"""What the loop asks of a package, and NumPy's answers.

`npgpt.training.loop` knows no arrays of its own: it hands NumPy in and gets
NumPy back. `torchgpt.training.half` answers the same calls in PyTorch.
"""

import numpy as np

from npgpt.layers.cross_entropy import cross_entropy
from npgpt.models.gpt2 import gpt
from npgpt.speed.flat import flat_like, flatten, pieces
from npgpt.speed.threads import (
    SHARD_TOKENS,
    add,
    loss_and_grads,
    one_blas_thread,
    thread_pool,
)
from npgpt.training.adamw import adamw_init, adamw_step
from npgpt.training.clip import clip_by_global_norm
from npgpt.tree import rebuild


class NumpyHalf:
    """The hand-written NumPy functions, computing in `dtype`; compile:
    `npgpt.speed.compiled`'s."""

    name = "numpy"
    own_dropout = False  # the loop draws the masks

    def __init__(self, dtype="float32", compile=False):
        self.dtype = dtype
        self.shard, self.turned = None, compile
        self.clip_grads, self.move = clip_by_global_norm, adamw_step
        if compile:
            from npgpt.speed import compiled

            self.shard = compiled.loss_and_grads_of_shard
            self.clip_grads, self.move = compiled.clip_by_global_norm, compiled.adamw_step
        self.room_of, self.rooms, self.part = None, [], 0

    def load(self, tree):
        """Nested NumPy -> this half's arrays, as copies."""

        def copy(_, leaf):
            if not isinstance(leaf, np.ndarray):
                return leaf
            kind = self.dtype if leaf.dtype.kind == "f" else leaf.dtype
            return np.array(leaf, dtype=kind)

        return rebuild(tree, copy)

    def model(self, params, config):
        return flatten(self.load(params), self.turned)

    def params(self, model):
        return self.load(model)

    def optimizer(self, model, settings, state=None):
        state = adamw_init(model) if state is None else self.load(state)
        return {"step": state["step"], "m": flatten(state["m"], self.turned),
                "v": flatten(state["v"], self.turned)}

    def optimizer_state(self, model, optimizer):
        return self.load(optimizer)

    def batch(self, draw, step):
        """inputs, targets, keep of this step, by draw(step)."""
        return draw(step)

    def begin_step(self, model, seed, step):
        """Called before the first part of each step."""
        self.part = 0

    def loss_and_grads(self, model, ids, targets, config, keep=None, count=None):
        """The gradients lie where the last step's did: the first part's in one
        long vector, each other's, which are added to them, in a second. New
        memory for a large model's would cost the system a fault a page."""
        if self.room_of is not model:
            self.room_of, self.rooms = model, []
        at = min(self.part, 1)
        if at == len(self.rooms):
            self.rooms.append(flat_like(model, self.turned))
        self.part += 1
        return loss_and_grads(model, ids, targets, config, keep=keep, count=count,
                              out=self.rooms[at], shard=self.shard)

    def add_grads(self, total, part):
        add(total, part, into=total)

    def grads(self, grads):
        return self.load(grads)

    def clip(self, grads, limit):
        """What `step` takes, and the length before."""
        return self.clip_grads(pieces(grads), limit)

    def step(self, model, clipped, optimizer, rate, settings):
        state = {"step": optimizer["step"], "m": pieces(optimizer["m"]),
                 "v": pieces(optimizer["v"])}
        self.move(
            pieces(model), clipped, state, lr=rate, betas=(settings.beta_1, settings.beta_2),
            weight_decay=settings.weight_decay)
        optimizer["step"] = state["step"]

    def loss(self, model, ids, targets, config):
        """The mean loss, no gradients: windows in shards, one a thread."""
        B, T = ids.shape
        size = max(1, SHARD_TOKENS // T)
        count = max(int((targets >= 0).sum()), 1)

        def one(start):
            part = slice(start, start + size)
            logits, _ = gpt(model, ids[part], config)
            return float(cross_entropy(logits, targets[part], count)[0])

        with one_blas_thread():
            return sum(thread_pool().map(one, range(0, B, size)))
