"""The NumPy trainer of a run."""

from collections.abc import Callable

from npgpt.runs.adapter_run import training_of
from npgpt.runs.run import Run
from npgpt.runs.train import initial_state


def numpy_trainer(run: Run, compile: bool = False, losses: dict[str, Callable] | None = None):
    """The trainer at the run's last save, on the readable functions or, where
    `compile`, on compiled loops. losses: as a Trainer takes them, if not those
    of a text."""
    from npgpt.training import Trainer, loss_and_grads, mean_loss

    params, state = initial_state(run)
    trained = training_of(run, params, state)
    losses = {"loss_and_grads": loss_and_grads, "mean_loss": mean_loss, **(losses or {})}
    if not compile:
        return Trainer(run.model, run.config, params, run.settings, **trained, **losses)
    from npgpt.speed import compiled

    return Trainer(
        compiled.on_loops(run.model), run.config, params, run.settings, **trained,
        **{name: compiled.on_loops(loss) for name, loss in losses.items()},
        clip=compiled.clip_by_global_norm, update=compiled.adamw_step,
        by_columns=compiled.by_columns)
