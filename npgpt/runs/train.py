"""A run in training: the loop with its data, its log and its saves.

Step k is the k-th update; its line in log.jsonl holds the loss before that
update, the validation loss after it, and the seconds of the update alone. After
a save there is a line with the most memory that the process has had.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from npgpt.files import locked
from npgpt.runs.adapter_run import save_params
from npgpt.runs.checkpoint import (
    check_files,
    clear_leftovers,
    create_run,
    files_of,
    inherited_files,
    read_settings,
)
from npgpt.runs.curves import draw_run
from npgpt.runs.diverged import Diverged, check_finite, explain, first_not_finite, last_good
from npgpt.runs.log import flush, last_values, open_log, peak_memory, write_line
from npgpt.runs.run import Run
from npgpt.speed import tune_allocator
from npgpt.training.batches import draw_batch, evaluation_batches
from npgpt.training.dropout_masks import draw_dropout_masks
from npgpt.training.init import init
from npgpt.training.loop import loop

EVALUATION_TOKENS = 4096


def train(
    run: Run,
    trainer,
    report: Callable[[dict], None] = lambda record: None,
    stopped: Callable[[], bool] = lambda: False,
    prefetch: Callable = lambda batch: batch,
    batch: Callable[[int], dict] | None = None,
    measure: Callable | None = None,
    after: Callable[[int], dict | None] = lambda step: None,
) -> dict:
    """Train to `run.settings.steps`, or until `stopped()`; save, and say
    how it went. `report` gets each line of the log; `prefetch` may make
    batch(step) work ahead. batch, measure: what a step reads and what
    `evaluate` does, where that is not windows of a text; after(step), of
    step 0 as well, may give one more line for the log."""
    tune_allocator()
    settings = run.settings
    began = time.perf_counter()
    last_saved = run.step
    next_batch = prefetch(batch or batches(run, draw_masks=not trainer.draws_dropout))
    measure = measure or evaluate
    clock = Clock()
    with locked(run.path), open_log(run.path, run.step) as log_file:
        clear_leftovers(run.path)
        run.files = files_of(run.path)

        def write(record: dict) -> None:
            write_line(log_file, record)
            report(record)

        def read(step):
            clock.begin()
            drawn = next_batch(step)
            clock.tokens = drawn["inputs"].size
            return drawn

        def evaluate_now(step):
            clock.end()
            return measure(trainer, run)

        def log(step, loss, norm, rate, validation):
            clock.end()
            if not (math.isfinite(loss) and math.isfinite(norm)):
                again = (batch or batches(run, draw_masks=False))(step)
                raise Diverged(explain(run, trainer, step, loss, norm, again) + last_good(run))
            record = {"step": step, "train_loss": loss, "learning_rate": rate,
                      "grad_norm": norm, "tokens_per_second": clock.tokens / clock.seconds,
                      "seconds": clock.seconds}
            if validation is not None:
                check_finite(validation, "validation loss", step, run)
                record["validation_loss"] = validation
            write(record)
            if validation is not None and (run.best is None or validation < run.best):
                run.best = validation
                flush(log_file)
                save_best(run, trainer, step)
            log_more(step)

        def log_more(step):
            found = after(step)
            if found:
                write(found)

        def save_now(step):
            nonlocal last_saved
            flush(log_file)
            save(run.path, run, trainer, step)
            last_saved = step
            if peak := peak_memory():
                write_line(log_file, {"step": step, "memory_mb": peak})

        if run.step == 0:
            write({"step": 0, "validation_loss": measure(trainer, run)})
            log_more(0)
        step = loop(
            trainer, settings, batch=read, log=log, evaluate=evaluate_now, save=save_now,
            step=run.step, stopped=stopped)
        if last_saved != step:
            save_now(step)
    run.step = step
    draw_run(run.path)
    return {
        "status": "finished" if step == settings.steps else "interrupted",
        "out": str(run.path),
        "half": trainer.name,
        "step": step,
        "seconds": round(time.perf_counter() - began, 3),
        **last_values(run.path),
        "best_validation_loss": run.best,
    }


class Clock:
    """The seconds of a step, from `begin` to the first `end` after it, and its tokens."""

    tokens = 0

    def begin(self) -> None:
        self.began, self.seconds = time.perf_counter(), 0.0

    def end(self) -> None:
        self.seconds = self.seconds or time.perf_counter() - self.began


def initial_state(run: Run) -> tuple[dict, dict | None]:
    """params, the optimiser's state: of the last save, or newly made. NumPy;
    the run lets go of them."""
    params, state = run.params, run.optimizer
    if params is None:
        params = init(run.model, run.config, run.settings.seed, model_dtype(run.settings.dtype))
    run.base = params if run.adapter is not None or run.trains else None
    run.params = run.optimizer = None
    return params, state


def model_dtype(name: str):
    """What weights are kept in; bfloat16 is for computing only."""
    return np.float64 if name == "float64" else np.float32


def batches(run: Run, draw_masks: bool = True) -> Callable[[int], dict]:
    """-> batch(step): inputs (B, T), targets (B, T) and, where the run has
    dropout, its masks, in NumPy."""
    s = run.settings

    def batch(step: int) -> dict:
        inputs, targets = draw_batch(
            run.data.train, s.context_length, s.batch_size, s.seed, step)
        found = {"inputs": inputs, "targets": targets}
        if draw_masks and s.dropout:
            found["dropout_masks"] = draw_dropout_masks(
                run.model, run.config, s.batch_size, s.context_length, s.dropout, s.seed, step,
                model_dtype(s.dtype))
        return found

    return batch


def evaluate(trainer, run: Run, part: str = "validation") -> float:
    """Mean loss in nats a token over the validation text, or over
    `evaluate_batches` batches of it. part="train": over as much of the
    training text, spread evenly over it."""
    total, count = 0.0, 0
    for inputs, targets in evaluation_batches(*evaluated(run, part)):
        valid = int((targets >= 0).sum())
        total += trainer.loss({"inputs": inputs, "targets": targets}) * valid
        count += valid
    return total / count


def evaluated(run: Run, part: str) -> tuple:
    """What `evaluation_batches` takes: ids, context length, batch size, batches."""
    T = run.settings.context_length
    batches = run.settings.evaluate_batches
    size = run.settings.batch_size if batches else max(1, EVALUATION_TOKENS // T)
    if part == "validation":
        return run.data.validation, T, size, batches
    windows = -(-(len(run.data.validation) - 1) // T)
    return run.data.train, T, size, batches or -(-windows // size)


def perplexity(loss: float) -> float:
    """How many tokens the model wavers between: e to the loss."""
    return math.exp(min(loss, 700.0))


def bits_per_byte(loss: float, run: Run) -> float:
    """The loss in bits, for each byte of the validation text: comparable
    between tokenizers."""
    return loss / math.log(2) * (len(run.data.validation) - 1) / run.data.validation_bytes


# what a run leaves behind


def save(path: Path, run: Run, trainer, step: int) -> None:
    params = trainer.numpy(trainer.params)
    bad = first_not_finite(params)
    if bad:
        raise Diverged(f"the weight {bad} is not finite after step {step}{last_good(run)}")
    state = trainer.numpy(trainer.state())
    training = {"step": step, "best": run.best, "optimizer": state}
    check_files(run.path, run.files)
    save_params(path, run, params, training)


def save_best(run: Run, trainer, step: int) -> None:
    check_files(run.path, run.files)
    best = run.path / "best"
    if not best.is_dir() or not any(best.iterdir()):
        create_run(best, run.config, run.data.tokenizer, read_settings(run.path),
                   family=run.model, files=inherited_files(run.path))
    save(best, run, trainer, step)
