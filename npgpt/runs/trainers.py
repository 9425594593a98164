"""The NumPy trainer of a run."""

from collections.abc import Callable

from npgpt.runs.adapter_run import training_of
from npgpt.runs.run import Run
from npgpt.runs.train import initial_state


def numpy_trainer(run: Run, compile: bool = False, loss: Callable | None = None):
    """The trainer at the run's last save, on the readable functions or, where
    `compile`, on compiled loops. loss: what gives loss and gradients, if not
    cross-entropy's."""
    from npgpt.training import Trainer, loss_and_grads

    params, state = initial_state(run)
    trained, loss = training_of(run, params, state), loss or loss_and_grads
    if not compile:
        return Trainer(run.model, run.config, params, run.settings, **trained,
                       loss_and_grads=loss)
    from npgpt.speed import compiled

    return Trainer(
        compiled.on_loops(run.model), run.config, params, run.settings, **trained,
        loss_and_grads=compiled.on_loops(loss),
        clip=compiled.clip_by_global_norm, update=compiled.adamw_step,
        by_columns=compiled.by_columns)
