"""Two trainers side by side: same weights, same batches, same masks.

Nothing is carried from one to the other after step 0, so what the losses
differ by is what rounding has added up to.
"""

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from npgpt.files import locked
from npgpt.generation import generate
from npgpt.generation.prompt import opening
from npgpt.generation.sample import token_probs
from npgpt.random_stream import uniforms
from npgpt.runs.checkpoint import clear_leftovers, files_of
from npgpt.runs.curves import draw_duet
from npgpt.runs.diverged import Diverged, last_good
from npgpt.runs.log import flush, write_line
from npgpt.runs.run import Run
from npgpt.runs.train import batches, evaluate, save
from npgpt.speed.allocator import tune_allocator
from npgpt.training.schedule import warmup_cosine
from npgpt.tree import tree_leaves

# how far the losses, in nats, and the gradients, as max|a−b| / max|b| of a
# tensor, may lie apart: rounding, grown over the steps of a run
LOSS_BUDGET = {"float32": 5e-3, "float64": 1e-9}
GRADIENT_BUDGET = {"float32": 1e-3, "float64": 1e-9}
# the step at which gradients are compared, at the latest: later ones say more
# of how a small difference grows than of where it comes from
COMPARED_AT = 500
SAMPLED = 200  # tokens of the text that both write at the end
TEMPERATURE = 0.8


def duet(
    run: Run,
    numpy_trainer,
    torch_trainer,
    report: Callable[[dict], None] = lambda record: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict:
    """Train both to `run.settings.steps`; save NumPy's weights, log.jsonl and
    duet.png; say how far apart they came. `report` gets each line."""
    tune_allocator()
    settings = run.settings
    trainers = {"numpy": numpy_trainer, "torch": torch_trainer}
    batch = batches(run)
    budget = LOSS_BUDGET[settings.dtype]
    parted, step, worst, first_loss, compared_at = None, 0, 0.0, None, None
    gradients: dict[str, float] = {}
    with locked(run.path), open(run.path / "log.jsonl", "a", encoding="utf-8") as log:
        clear_leftovers(run.path)
        run.files = files_of(run.path)
        while step < settings.steps and not stopped() and parted is None:
            step += 1
            rate = warmup_cosine(
                step - 1, settings.learning_rate, settings.warmup_steps, settings.decay_steps,
                settings.minimum_rate)
            record: dict[str, Any] = {"step": step, "learning_rate": rate}
            both = batch(step)
            for name, trainer in trainers.items():
                began = time.perf_counter()
                loss, norm = trainer.step(both, rate)
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    raise Diverged(f"the {trainer.name} loss is {loss} at step {step}, its"
                                   f" gradient's norm {norm}{last_good(run)}")
                record[f"{name}_loss"], record["grad_norm"] = loss, norm
                record[f"{name}_ms"] = (time.perf_counter() - began) * 1e3
            record["difference"] = abs(record["numpy_loss"] - record["torch_loss"])
            worst = max(worst, record["difference"])
            first_loss = first_loss or record["numpy_loss"]
            if not record["difference"] <= budget:
                parted = step
            if step == min(settings.steps, COMPARED_AT) or parted:
                gradients = gradient_differences(
                    *[trainer.numpy(trainer.grads) for trainer in trainers.values()])
                record["gradient_differences"], compared_at = gradients, step
            if step == settings.steps or parted:
                record["validation_loss"] = {
                    name: evaluate(trainer, run) for name, trainer in trainers.items()}
            write_line(log, record)
            report(record)
            if step % settings.save_every == 0 or step == settings.steps:
                flush(log)
                save(run.path, run, numpy_trainer, step)
        if step and step % settings.save_every and step != settings.steps:
            flush(log)
            save(run.path, run, numpy_trainer, step)
    draw_duet(run.path, budget)
    largest = max(gradients, key=gradients.__getitem__, default=None)
    if parted is None and largest and not gradients[largest] <= GRADIENT_BUDGET[settings.dtype]:
        parted = compared_at
    finished = step == settings.steps
    return {
        "status": "parted" if parted else "finished" if finished else "interrupted",
        "out": str(run.path),
        "step": step,
        "parted_at": parted,
        "first_loss": first_loss,
        "largest_difference": worst,
        "loss_budget": budget,
        "gradient_differences": gradients,
        "gradients_of_step": compared_at,
        "gradient_budget": GRADIENT_BUDGET[settings.dtype],
        "validation_loss": record["validation_loss"] if finished or parted else None,
        "params": numpy_trainer.numpy(numpy_trainer.params),
    }


def gradient_differences(one, other) -> dict[str, float]:
    """max|a−b| / max|b| of each tensor."""
    differences = {}
    others = dict(tree_leaves(other))
    for name, a in tree_leaves(one):
        a, b = a.astype(np.float64), others[name].astype(np.float64)
        size = float(np.abs(b).max())
        apart = float(np.abs(a - b).max())
        differences[name] = apart / size if size else apart
    return differences


def parting(summary: dict) -> str | None:
    """What a summary, with its "text", says against the two being one model; None where
    they are."""
    if summary["parted_at"]:
        gradients = summary["gradient_differences"]
        worst = max(gradients, key=gradients.__getitem__)
        return (f"the halves part at step {summary['parted_at']}: losses"
                f" {summary['largest_difference']:.1e} apart (budget {summary['loss_budget']:g}),"
                f" the gradient of {worst} {gradients[worst]:.1e}"
                f" (budget {summary['gradient_budget']:g})")
    text = summary["text"]
    if not text["equal"] and not text["tie"]:
        return f"the halves write different texts from token {text['place'] + 1} on"
    return None


# one text, sampled twice


def sample_both(run: Run, params: dict, torch_trainer, torch_generate: Callable) -> dict:
    """One text by both packages from NumPy's final weights, compared. torch_generate:
    torchgpt's `generate`."""
    start, seed = opening(run.data.tokenizer), run.settings.seed
    how = {"max_new_tokens": SAMPLED, "temperature": TEMPERATURE, "seed": seed}
    one = generate(run.model, params, run.config, start, **how)
    other = torch_generate(
        torch_trainer.model, torch_trainer.tensors(params), run.config, start, **how)
    found = compare_texts(one, other, run.model, params, run.config, start, seed, TEMPERATURE)
    found["text"] = run.data.tokenizer.decode(found["ids"])
    return found


def compare_texts(
    one: Iterable[int], other: Iterable[int], model, params, config, start: list[int],
    seed: int, temperature: float,
) -> dict:
    """Walk along two samples; where they part, how far the draw lay from the
    boundary between the two tokens, as a fraction of the whole."""
    ids = list(start)
    for place, (a, b) in enumerate(zip(one, other)):
        if a != b:
            u = float(uniforms((place + 1,), seed, 0, "sample")[-1])
            window = ids[window_start(len(start), len(ids), config.context_length):]
            logits, _ = model.forward(params, np.array([window]), config)
            reached = np.cumsum(token_probs(logits[0, -1], temperature))
            distance = float(np.abs(reached / reached[-1] - u).min())
            return {"equal": False, "place": place, "numpy": a, "torch": b,
                    "distance": distance, "tie": distance < 1e-5, "ids": ids}
        ids.append(a)
    return {"equal": True, "ids": ids}


def window_start(first: int, length: int, context_length: int | None) -> int:
    """Where the window of `generate` begins when `length` ids are there."""
    start = 0 if context_length is None else max(first - context_length, 0)
    for end in range(first, length + 1):
        if context_length is not None and end - start > context_length:
            start = end - max(context_length // 2, 1)
    return start
