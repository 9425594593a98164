"""The NumPy trainer of a run."""

from npgpt.runs.adapter_run import training_of
from npgpt.runs.run import Run
from npgpt.runs.train import initial_state


def numpy_trainer(run: Run, compile: bool = False):
    """The trainer at the run's last save, on the readable functions or, where
    `compile`, on compiled loops."""
    from npgpt.training import Trainer, loss_and_grads

    params, state = initial_state(run)
    trained = training_of(run, params, state)
    if not compile:
        return Trainer(run.model, run.config, params, run.settings, **trained)
    from npgpt.speed import compiled

    return Trainer(
        compiled.on_loops(run.model), run.config, params, run.settings, **trained,
        loss_and_grads=compiled.on_loops(loss_and_grads),
        clip=compiled.clip_by_global_norm, update=compiled.adamw_step,
        by_columns=compiled.by_columns)
