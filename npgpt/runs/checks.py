"""Five questions to a model before it is trained for long.

Each answer is (question, what was found, whether that is right). Weights that
begin too large, targets that are not the next tokens, a mask that leaks, a layer
no gradient reaches, a rate that is far off: each shows here, in seconds instead
of hours.
"""

import math
from dataclasses import replace

import numpy as np

from npgpt.layers.cross_entropy import IGNORE
from npgpt.random_stream import uniforms
from npgpt.runs.diverged import explain
from npgpt.runs.run import Run
from npgpt.runs.train import batches
from npgpt.tree import tree_leaves

OVERFIT_STEPS = 300


def check_run(run: Run, open_trainer, report=lambda step, loss: None):
    """Yield the answers one by one; the run's own data, sizes and rate.
    open_trainer(run) -> a trainer at its first step."""
    yield initial_loss(run, open_trainer)
    yield shift(run)
    yield causality(run, open_trainer)
    yield gradient_flow(run, open_trainer)
    yield overfit(run, open_trainer, report)


def initial_loss(run: Run, open_trainer):
    """A model that knows nothing gives each of V tokens 1/V: its loss is
    ln V. Asked with random tokens, for text may repeat itself."""
    V, T = run.config.vocab_size, run.settings.context_length
    rows = (uniforms((16, T + 1), run.settings.seed, 0, "check") * V).astype(np.int64)
    loss = open_trainer(run).loss({"inputs": rows[:, :-1], "targets": rows[:, 1:]})
    found = f"{loss:.3f} nats, ln {V} = {math.log(V):.3f}"
    return "starts at ln V", found, abs(loss - math.log(V)) <= 0.1


def shift(run: Run):
    """Each target is the token that follows its input; no loss tells, for a model
    that knows nothing is equally surprised by any."""
    batch = batches(run, draw_masks=False)(1)
    inputs, targets = batch["inputs"], batch["targets"]
    wrong = int((targets[:, :-1] != inputs[:, 1:]).sum())
    found = f"{wrong} of {inputs[:, 1:].size} targets are not the next token"
    return "targets one on", found, wrong == 0


def causality(run: Run, open_trainer):
    """The loss of the first half of a window must not depend on the second."""
    trainer, batch = open_trainer(run), batches(run, draw_masks=False)(1)
    T, V = run.settings.context_length, run.config.vocab_size
    first = np.where(np.arange(T) < (T + 1) // 2, batch["targets"], IGNORE)
    later = batch["inputs"].copy()
    later[:, (T + 1) // 2:] = (later[:, (T + 1) // 2:] + 1) % V
    losses = [trainer.loss({"inputs": ids, "targets": first}) for ids in (batch["inputs"], later)]
    change = abs(losses[0] - losses[1])
    found = f"other later tokens move the loss of earlier ones by {change:.1e}"
    return "looks back only", found, change <= 1e-5


def gradient_flow(run: Run, open_trainer):
    """Each tensor of each layer gets a gradient, of like size in all layers."""
    trainer = open_trainer(replace(run, settings=replace(run.settings, dropout=0.0)))
    trainer.step(batches(run, draw_masks=False)(1), 0.0)
    grads = trainer.numpy(trainer.grads)
    norms = {name: float(np.linalg.norm(grad)) for name, grad in tree_leaves(grads)}
    dead = [name for name, norm in norms.items() if not 0 < norm < math.inf]
    if dead:
        return "gradients reach all", f"none in {', '.join(dead[:3])}", False
    layers = [math.sqrt(sum(float((grad * grad).sum()) for _, grad in tree_leaves(block)))
              for block in grads.get("blocks", [grads])]
    found = f"norms by layer {' '.join(f'{norm:.2g}' for norm in layers)}"
    return "gradients reach all", found, max(layers) <= 100 * min(layers)


def overfit(run: Run, open_trainer, report):
    """One small batch, again and again: a model that can learn knows it by heart."""
    settings = replace(
        run.settings, batch_size=2, accumulate=1, dropout=0.0, steps=OVERFIT_STEPS,
        decay_steps=OVERFIT_STEPS, warmup_steps=10)
    few = replace(run.data, train=np.asarray(run.data.train[:settings.context_length + 1]))
    small = replace(run, settings=settings, data=few)
    trainer, batch, losses = open_trainer(small), batches(small), []
    for step in range(1, OVERFIT_STEPS + 1):
        read = batch(step)
        loss, norm = trainer.step(read, settings.learning_rate)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            why = explain(small, trainer, step, loss, norm, read)
            return "learns one batch", why, False
        losses.append(loss)
        report(step, loss)
        if loss <= 0.05:
            break
    found = f"loss {losses[0]:.3f} to {losses[-1]:.3f} in {len(losses)} steps on one batch"
    return "learns one batch", found, losses[-1] <= 0.1 * losses[0]
