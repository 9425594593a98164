"""Trainer: a model in training, its weights and the optimiser's state."""

import math

from npgpt.speed.flat import by_rows, flat_like, flatten, pieces
from npgpt.speed.threads import add, counted_batch, fill, on_threads, sharded, sharded_loss
from npgpt.training.adamw import adamw_init, adamw_step
from npgpt.training.batches import micro_batches
from npgpt.training.clip import clip_by_global_norm
from npgpt.training.loss import mean_loss
from npgpt.training.loss_and_grads import loss_and_grads
from npgpt.tree import tree_map


class Trainer:
    """It holds `params`, `grads` (of the last step, before clipping) and
    the optimiser's state, all in long vectors (`speed.flat`).

    params, state: NumPy, nested; copied. settings: accumulate, clip,
    beta_1, beta_2, weight_decay. adapters (`training.adapters`): what is
    trained in the place of params, which stay as they are, uncopied.
    loss_and_grads, mean_loss: another loss, with gradients and alone; it
    and the compiled functions of `speed.compiled` take the place of those
    that are called here."""

    name = "numpy"
    draws_dropout = False  # the batch brings the masks

    def __init__(self, model, config, params, settings, *, adapters=None, state=None,
                 loss_and_grads=loss_and_grads, mean_loss=mean_loss,
                 clip=clip_by_global_norm, update=None, by_columns=by_rows):
        self.model, self.config, self.settings = model, config, settings
        self.loss_and_grads, self.mean_loss, self.clip = loss_and_grads, mean_loss, clip
        self.update = update or on_threads(adamw_step)
        self.adapters = adapters
        self.params = flatten(params if adapters is None else adapters.trained, by_columns)
        # the running means lie as the weights do: `move` walks along all of them
        state = adamw_init(self.params) if state is None else state
        self.optimizer = {"step": state["step"], **{
            name: fill(flat_like(self.params, by_columns), state[name]) for name in ("m", "v")}}
        # the gradients of a batch, and of a part that is added to them: kept,
        # for a large model's new memory would cost a page fault every 4 KiB
        self.grads = flat_like(self.params, by_columns)
        self.part_grads = flat_like(self.params, by_columns) if settings.accumulate > 1 else None

    def step(self, batch, rate):
        """batch: a dict of loss_and_grads' arguments, NumPy -> loss, the
        gradients' norm before clipping. Where either is not finite, the
        weights stay as they are."""
        weights, saved = self.weights()
        # (2) loss and gradients of each part; divided by one count, they add up
        loss, (batch, count) = 0.0, counted_batch(batch)
        for i, part in enumerate(micro_batches(batch, self.settings.accumulate)):
            out = self.part_grads if i else self.grads
            part_loss, grads = sharded(
                self.loss_and_grads, self.model, weights, self.config, part, count,
                out=out if self.adapters is None else None)
            if self.adapters is not None:  # from the weights to what trains
                grads = fill(out, self.adapters.backward(grads, saved))
            loss += float(part_loss)
            if i:
                add(self.grads, grads, into=self.grads)
        # (3) clip
        clipped, norm = self.clip(pieces(self.grads), self.settings.clip)
        # (4) move the weights
        if math.isfinite(loss) and math.isfinite(norm):
            self.move(clipped, rate)
        return loss, norm

    def weights(self):
        """-> what the model runs on, and what its gradients' way back needs."""
        if self.adapters is None:
            return self.params, None
        return self.adapters.forward(self.adapters.params, self.params)

    def move(self, clipped, rate):
        """One step of AdamW, on the long vectors."""
        state = {"step": self.optimizer["step"], "m": pieces(self.optimizer["m"]),
                 "v": pieces(self.optimizer["v"])}
        self.update(
            pieces(self.params), clipped, state, lr=rate,
            betas=(self.settings.beta_1, self.settings.beta_2),
            weight_decay=self.settings.weight_decay)
        self.optimizer["step"] = state["step"]

    def loss(self, batch):
        """The mean loss of a batch, no gradients."""
        weights, _ = self.weights()
        return sharded_loss(self.mean_loss, self.model, weights, self.config, batch)

    def state(self):
        """{"step", "m", "v"}, live."""
        return self.optimizer

    def numpy(self, tree):
        """A copy of params, grads or the state, each array in one run."""
        return tree_map(lambda array: array.copy("C") if hasattr(array, "copy") else array, tree)
