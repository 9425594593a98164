"""The training loop, the same for both halves.

A step reads a batch, goes forward and backward, clips, and moves the
weights. Step k is the k-th update; its line in log.jsonl holds the loss
before that update and the validation loss after it.
"""

import json
import math
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from npgpt.errors import InputError
from npgpt.files import held, write_atomically
from npgpt.models.gpt2 import gpt
from npgpt.runs.checkpoint import (
    create_run,
    load_training,
    read_settings,
    save_checkpoint,
    saved_step,
)
from npgpt.runs.curves import draw_run, read_log
from npgpt.runs.run import Run
from npgpt.speed.allocator import tune_allocator
from npgpt.training.batches import draw_batch, evaluation_batches, micro_batches
from npgpt.training.dropout_masks import draw_keep, micro_keep
from npgpt.training.init import init_gpt
from npgpt.training.schedule import warmup_cosine
from npgpt.tree import leaves

EVALUATION_TOKENS = 4096


class Diverged(RuntimeError):
    """The loss or a gradient is no longer a number."""


def train(
    run: Run,
    half,
    report: Callable[[dict], None] = lambda record: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict:
    """Train to `run.settings.steps`, or until `stopped()`; save, and say
    how it went. `report` gets each line of the log. `half`: NumpyHalf, or
    what answers the same calls."""
    tune_allocator()
    settings, config = run.settings, run.config
    model, optimizer = load_state(run, half)
    began = time.perf_counter()
    step, last_saved = run.step, run.step
    record = {"step": step}
    with held(run.path), open_log(run.path, step) as log:
        if step == 0:
            record["validation_loss"] = evaluate(model, half, run)
            write_line(log, record)
            report(record)
        while step < settings.steps and not stopped():
            step += 1
            started = time.perf_counter()
            rate = rate_at(step, settings)
            loss, norm = take_step(model, optimizer, half, run, step, rate)
            seconds = time.perf_counter() - started
            record = {
                "step": step,
                "train_loss": loss,
                "learning_rate": rate,
                "grad_norm": norm,
                "tokens_per_second": settings.batch_size * config.context_length / seconds,
            }
            last = step == settings.steps
            if step % settings.evaluate_every == 0 or last:
                record["validation_loss"] = evaluate(model, half, run)
                check_finite(record["validation_loss"], "validation loss", step, run)
            write_line(log, record)
            report(record)
            validation = record.get("validation_loss", math.inf)
            if validation < (math.inf if run.best is None else run.best):
                run.best = validation
                flush(log)
                save_best(run, half, model, optimizer, step)
            if step % settings.save_every == 0 or last:
                flush(log)
                save(run.path, run, half, model, optimizer, step)
                last_saved = step
        if last_saved != step:
            flush(log)
            save(run.path, run, half, model, optimizer, step)
    run.step = step
    draw_run(run.path)
    return {
        "status": "finished" if step == settings.steps else "interrupted",
        "out": str(run.path),
        "half": half.name,
        "step": step,
        "seconds": round(time.perf_counter() - began, 3),
        **last_values(run.path),
        "best_validation_loss": run.best,
    }


def load_state(run: Run, half):
    """The half's model and optimiser, from the last save or newly made."""
    params = run.params
    if params is None:
        params = init_gpt(run.config, run.settings.seed, model_dtype(run.settings.dtype))
    model = half.model(params, run.config)
    optimizer = half.optimizer(model, run.settings, run.optimizer)
    run.params = run.optimizer = None
    return model, optimizer


def model_dtype(name: str):
    """What weights are kept in; bfloat16 is for computing only."""
    return np.float64 if name == "float64" else np.float32


def rate_at(step: int, settings) -> float:
    return warmup_cosine(
        step - 1,
        settings.learning_rate,
        settings.warmup_steps,
        settings.decay_steps,
        settings.minimum_rate,
    )


def take_step(model, optimizer, half, run: Run, step: int, rate: float):
    """-> loss, gradient norm; `model` and `optimizer` move in place."""
    settings = run.settings
    # (1) the batch of this step, and its dropout masks
    draw = partial(step_batch, run, draw_masks=not half.own_dropout)
    inputs, targets, keep = half.batch(draw, step)
    # (2) loss and gradients, part by part
    half.begin_step(model, settings.seed, step)
    loss, grads = accumulate(model, half, run.config, inputs, targets, keep, settings.accumulate)
    # (3) clip
    clipped, norm = half.clip(grads, settings.clip)
    norm = float(norm)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        what = "the loss" if not math.isfinite(loss) else "the gradient's norm"
        culprit = first_bad(half.params(model), half.grads(grads), run.config, inputs)
        value = loss if not math.isfinite(loss) else norm
        raise Diverged(f"{what} is {value} at step {step}: {culprit}{last_good(run)}")
    # (4) move the weights
    half.step(model, clipped, optimizer, rate, settings)
    return loss, norm


def step_batch(run: Run, step: int, draw_masks: bool = True):
    """inputs (B, T), targets (B, T) and `keep` of a step, in NumPy."""
    s, config = run.settings, run.config
    inputs, targets = draw_batch(
        run.data.train, config.context_length, s.batch_size, s.seed, step)
    rate = s.dropout if draw_masks else 0
    keep = draw_keep(
        config, s.batch_size, config.context_length, rate, s.seed, step, model_dtype(s.dtype))
    return inputs, targets, keep


def accumulate(model, half, config, inputs, targets, keep, parts: int):
    """Loss and gradients of the whole batch, from `parts` smaller ones:
    each is divided by the whole batch's count, so they only add up."""
    loss, grads = 0.0, None
    for i, (ids, right) in enumerate(micro_batches(inputs, targets, parts)):
        masks = half.load(micro_keep(keep, i, parts))
        part_loss, part_grads = half.loss_and_grads(
            model, half.load(ids), half.load(right), config, masks, targets.size)
        loss += float(part_loss)
        if grads is None:
            grads = part_grads
        else:
            half.add_grads(grads, part_grads)
    return loss, grads


def evaluate(model, half, run: Run) -> float:
    """Mean loss in nats a token over the validation text, or over
    `evaluate_batches` batches of it."""
    T = run.config.context_length
    ids = run.data.validation
    batches = run.settings.evaluate_batches
    size = run.settings.batch_size if batches else max(1, EVALUATION_TOKENS // T)
    total, count = 0.0, 0
    for inputs, targets in evaluation_batches(ids, T, size, batches):
        valid = int((targets >= 0).sum())
        loss = half.loss(model, half.load(inputs), half.load(targets), run.config)
        total += loss * valid
        count += valid
    return total / count


def perplexity(loss: float) -> float:
    """How many tokens the model wavers between: e to the loss."""
    return math.exp(min(loss, 700.0))


def bits_per_byte(loss: float, run: Run) -> float:
    """The loss in bits, for each byte of the validation text: comparable
    between tokenizers."""
    return loss / math.log(2) * (len(run.data.validation) - 1) / run.data.validation_bytes


# what a run leaves behind


def save(path: Path, run: Run, half, model, optimizer, step: int) -> None:
    params = half.params(model)
    bad = first_not_finite(params)
    if bad:
        raise Diverged(f"the weight {bad} is not finite after step {step}{last_good(run)}")
    state = half.optimizer_state(model, optimizer)
    training = {"step": step, "best": run.best, "optimizer": state}
    save_checkpoint(path, run.config, params, training=training)


def save_best(run: Run, half, model, optimizer, step: int) -> None:
    best = run.path / "best"
    if not best.is_dir() or not any(best.iterdir()):
        create_run(best, run.config, run.data.tokenizer, read_settings(run.path))
    save(best, run, half, model, optimizer, step)


def open_log(path: Path, step: int):
    """The log, without the lines beyond `step`: they are about to be made again."""
    if saved_step(path) not in (None, step):
        raise InputError(f"{path} was trained on meanwhile; give the same command again")
    best = path / "best"
    whole = best.is_dir() and ((best / "config.json").is_file() or not any(best.iterdir()))
    if best.exists() and not whole:
        raise InputError(f"{best} is damaged: remove it, and give the same command again")
    kept = [json.dumps(line) for line in read_log(path) if line["step"] <= step and step > 0]
    write_atomically(path / "log.jsonl", "".join(line + "\n" for line in kept))
    return open(path / "log.jsonl", "a", encoding="utf-8")


def write_line(log, record: dict) -> None:
    log.write(json.dumps(record) + "\n")
    log.flush()


def flush(log) -> None:
    """Before a save: no log may be shorter than the run that was saved."""
    os.fsync(log.fileno())


def last_values(path: Path) -> dict:
    """The last losses of the log, and the step of the validation."""
    values: dict = {"train_loss": None, "validation_loss": None, "validation_step": None}
    for line in read_log(path):
        values.update({name: line[name] for name in values if name in line})
        if "validation_loss" in line:
            values["validation_step"] = line["step"]
            if isinstance(line["validation_loss"], dict):  # a duet's
                values["validation_loss"] = line["validation_loss"].get("numpy")
    return values


# when it goes wrong


def check_finite(value: float, what: str, step: int, run: Run) -> None:
    if not math.isfinite(value):
        raise Diverged(f"the {what} is {value} after step {step}{last_good(run)}")


def last_good(run: Run) -> str:
    where = "there is no good checkpoint yet"
    for path in sorted((run.path / "best", run.path), key=lambda path: saved_step(path) or 0):
        training = load_training(path, run.config)
        if training is not None and not first_not_finite(training["params"]):
            where = f"the last good checkpoint is {path}, step {training['step']}"
    return f"; {where}. Start anew with a lower --learning-rate or --clip"


def first_not_finite(tree) -> str | None:
    return next((name for name, array in leaves(tree) if not np.isfinite(array).all()), None)


def first_bad(params, grads, config, inputs) -> str:
    """Which went bad first: a weight, a block's output, a gradient. All in
    NumPy, whichever half was training."""
    bad = first_not_finite(params)
    if bad:
        return f"the weight {bad} went bad first"
    with np.errstate(all="ignore"):
        for count in range(config.layers + 1):
            shorter = {**params, "blocks": params["blocks"][:count]}
            logits, _ = gpt(shorter, inputs, config)
            if not np.isfinite(logits).all():
                where = f"blocks.{count - 1}" if count else "the embedding"
                return f"the output of {where} went bad first"
    for name, array in reversed(list(leaves(grads))):
        if not np.isfinite(array).all():
            return f"the gradient of {name} went bad first"
    with np.errstate(over="ignore"):
        for name, array in reversed(list(leaves(grads))):
            if not np.isfinite((array * array).sum()):
                return f"the gradient of {name} is too large to be squared"
    return "no tensor is bad without this step's dropout"
