"""When a loss or a gradient is no longer a number: what went bad first."""

import math

import numpy as np

from npgpt.runs.adapter_run import training_in
from npgpt.runs.checkpoint import saved_step
from npgpt.runs.run import Run
from npgpt.tree import tree_leaves


class Diverged(RuntimeError):
    """The loss or a gradient is no longer a number."""


def explain(run: Run, trainer, step: int, loss: float, norm: float, batch: dict) -> str:
    """One line: what is bad at this step, and what went bad first."""
    what, value = ("the loss", loss)
    if math.isfinite(loss):
        what, value = "the gradient's norm", norm
    culprit = first_bad(
        None if run.adapter or run.trains else run.model, trainer.numpy(trainer.params),
        trainer.numpy(trainer.grads), run.config, batch["inputs"])
    return f"{what} is {value} at step {step}: {culprit}"


def check_finite(value: float, what: str, step: int, run: Run) -> None:
    if not math.isfinite(value):
        raise Diverged(f"the {what} is {value} after step {step}{last_good(run)}")


def last_good(run: Run) -> str:
    where = "there is no good checkpoint yet"
    for path in sorted((run.path / "best", run.path), key=lambda path: saved_step(path) or 0):
        training = training_in(path, run)
        if training is not None and not first_not_finite(training["params"]):
            where = f"the last good checkpoint is {path}, step {training['step']}"
    return f"; {where}. Start anew with a lower --learning-rate or --clip"


def first_not_finite(tree) -> str | None:
    return next((name for name, array in tree_leaves(tree) if not np.isfinite(array).all()), None)


def first_bad(model, params, grads, config, inputs) -> str:
    """Which went bad first: a weight, a block's output, a gradient. All in
    NumPy, whoever was training. model: None where the params are an adapter's."""
    bad = first_not_finite(params)
    if bad:
        return f"the weight {bad} went bad first"
    with np.errstate(all="ignore"):
        for where, shorter in cut_short(params) if model else ():
            logits, _ = model.forward(shorter, inputs, config)
            if not np.isfinite(logits).all():
                return f"the output of {where} went bad first"
    grads = dict(tree_leaves(grads))
    backwards = [name for name, _ in tree_leaves(params)][::-1]
    for name in backwards:
        if not np.isfinite(grads[name]).all():
            return f"the gradient of {name} went bad first"
    with np.errstate(over="ignore"):
        for name in backwards:
            if not np.isfinite((grads[name] * grads[name]).sum()):
                return f"the gradient of {name} is too large to be squared"
    return "no tensor is bad without this step's dropout"


def cut_short(params):
    """-> (what comes last, params): a model of blocks with the first few of
    them alone, then one more each time; any other as it is."""
    blocks = params.get("blocks")
    if blocks is None:
        yield "the model", params
        return
    for count in range(len(blocks) + 1):
        where = f"blocks.{count - 1}" if count else "the embedding"
        yield where, {**params, "blocks": blocks[:count]}
