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
from npgpt.runs.run import Run
from npgpt.training.loop import Diverged, load_state, step_batch, take_step
from npgpt.tree import leaves

OVERFIT_STEPS = 300


def check_run(run: Run, half, report=lambda step, loss: None):
    """Yield the answers one by one; the run's own data, sizes and rate."""
    yield initial_loss(run, half)
    yield shift(run)
    yield causality(run, half)
    yield gradient_flow(run, half)
    yield overfit(run, half, report)


def initial_loss(run: Run, half):
    """A model that knows nothing gives each of V tokens 1/V: its loss is
    ln V. Asked with random tokens, for text may repeat itself."""
    model, _ = load_state(run, half)
    V, T = run.config.vocab_size, run.config.context_length
    rows = (uniforms((16, T + 1), run.settings.seed, 0, "check") * V).astype(np.int64)
    loss = half.loss(model, half.load(rows[:, :-1]), half.load(rows[:, 1:]), run.config)
    found = f"{loss:.3f} nats, ln {V} = {math.log(V):.3f}"
    return "starts at ln V", found, abs(loss - math.log(V)) <= 0.1


def shift(run: Run):
    """Each target is the token that follows its input; no loss tells, for a model
    that knows nothing is equally surprised by any."""
    inputs, targets, _ = step_batch(run, 1, draw_masks=False)
    wrong = int((targets[:, :-1] != inputs[:, 1:]).sum())
    found = f"{wrong} of {inputs[:, 1:].size} targets are not the next token"
    return "targets one on", found, wrong == 0


def causality(run: Run, half):
    """The loss of the first half of a window must not hear of the second."""
    model, _ = load_state(run, half)
    ids, targets, _ = step_batch(run, 1, draw_masks=False)
    T, V = run.config.context_length, run.config.vocab_size
    first = np.where(np.arange(T) < (T + 1) // 2, targets, IGNORE)
    later = ids.copy()
    later[:, (T + 1) // 2:] = (later[:, (T + 1) // 2:] + 1) % V
    losses = [half.loss(model, half.load(x), half.load(first), run.config) for x in (ids, later)]
    change = abs(losses[0] - losses[1])
    found = f"other later tokens move the loss of earlier ones by {change:.1e}"
    return "looks back only", found, change <= 1e-5


def gradient_flow(run: Run, half):
    """Each tensor of each layer gets a gradient, of like size in all layers."""
    model, _ = load_state(run, half)
    ids, targets, _ = step_batch(run, 1, draw_masks=False)
    half.begin_step(model, run.settings.seed, 1)
    _, grads = half.loss_and_grads(
        model, half.load(ids), half.load(targets), run.config, None, targets.size)
    grads = half.grads(grads)
    norms = {name: float(np.linalg.norm(grad)) for name, grad in leaves(grads)}
    dead = [name for name, norm in norms.items() if not 0 < norm < math.inf]
    layers = [math.sqrt(sum(float((grad * grad).sum()) for _, grad in leaves(block)))
              for block in grads["blocks"]]
    if dead:
        return "gradients reach all", f"none in {', '.join(dead[:3])}", False
    found = f"norms by layer {' '.join(f'{norm:.2g}' for norm in layers)}"
    return "gradients reach all", found, max(layers) <= 100 * min(layers)


def overfit(run: Run, half, report):
    """One small batch, again and again: a model that can learn knows it by heart."""
    settings = replace(
        run.settings, batch_size=2, accumulate=1, dropout=0.0, steps=OVERFIT_STEPS,
        decay_steps=OVERFIT_STEPS, warmup_steps=10)
    T = run.config.context_length
    few = replace(run.data, train=np.asarray(run.data.train[:T + 1]))
    small = replace(run, settings=settings, data=few)
    model, optimizer = load_state(small, half)
    losses = []
    for step in range(1, OVERFIT_STEPS + 1):
        try:
            loss, _ = take_step(model, optimizer, half, small, step, settings.learning_rate)
        except Diverged as error:
            return "learns one batch", str(error).partition(";")[0], False
        losses.append(loss)
        report(step, loss)
        if loss <= 0.05:
            break
    found = f"loss {losses[0]:.3f} to {losses[-1]:.3f} in {len(losses)} steps on one batch"
    return "learns one batch", found, losses[-1] <= 0.1 * losses[0]
