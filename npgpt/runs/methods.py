"""What a fine-tuning's method changes: what a step reads, its loss, and how it is judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from npgpt.runs.adapter_run import params_of
from npgpt.runs.answers import LONGEST
from npgpt.runs.finetune import ON_REWARDS, Tuning, answering, answers_loss, batches
from npgpt.runs.forgetting import measuring
from npgpt.runs.preferences import judge_pairs, pair_batches, references
from npgpt.runs.rewards import Groups, wrong_answers
from npgpt.runs.run import Run


@dataclass
class Parts:
    """batch(step); measure(trainer, run), the validation loss; after(step), one more record for
    the log or None; told, how the loss is told, of its step and its value; note: a line for who
    started the run."""

    batch: Callable[[int], dict]
    measure: Callable[[Any, Run], float]
    after: Callable[[int], dict | None]
    told: str
    note: str = ""


def losses_of(tuning: Tuning, losses: Any, counted_rows: Any) -> dict[str, Callable]:
    """What a Trainer takes for this method: the function that gives loss and gradients, out of
    a package's room `finetuning`; for cross-entropy of answers its `speed.counted_rows`."""
    if tuning.method == "dpo":
        return {"loss_and_grads": partial(losses.dpo_loss_and_grads, beta=tuning.beta)}
    if tuning.method == "grpo":
        return {"loss_and_grads": losses.grpo_loss_and_grads}
    if tuning.method == "dr-grpo":
        return {"loss_and_grads": partial(losses.dr_grpo_loss_and_grads, length=LONGEST)}
    return {"loss_and_grads": counted_rows.loss_and_grads, "mean_loss": counted_rows.mean_loss}


def parts_of(
    run: Run, trainer: Any, tuning: Tuning, engine_of: Callable,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Parts:
    """engine_of(params, run) gives what writes answers; report(done, total): pairs that are
    measured before the first step."""
    parts = of_method(run, trainer, tuning, engine_of, report)
    old_loss, note = measuring(run, trainer)

    def after(step: int) -> dict | None:
        found = {**(parts.after(step) or {}), **old_loss(step)}
        return {"step": step, **found} if found else None

    return replace(parts, after=after, note=note)


def of_method(
    run: Run, trainer: Any, tuning: Tuning, engine_of: Callable, report: Callable
) -> Parts:
    samples = answering(run, trainer, tuning, engine_of)
    if tuning.method == "dpo":
        return of_pairs(run, tuning, references(run, trainer, report), samples)
    if tuning.method in ON_REWARDS:
        return of_rewards(run, trainer, tuning, engine_of, samples)
    return Parts(batches(run, tuning, not trainer.draws_dropout), answers_loss, samples,
                 "validation loss at step {step}: {loss:.4f} nats an answer's token")


def of_pairs(
    run: Run, tuning: Tuning, reference: dict[str, Any], samples: Callable
) -> Parts:
    chosen = [0.0]  # the fraction of validation pairs, when it was measured last

    def measure(trainer: Any, run: Run) -> float:
        loss, chosen[0] = judge_pairs(
            run, params_of(run, trainer), reference["validation"], tuning.beta)
        return loss

    def after(step: int) -> dict | None:
        found = samples(step)
        every = run.settings.evaluate_every
        if step and step % every == 0:  # at the start both are what they were
            found = {"step": step, **(found or {}), "chosen": chosen[0]}
        return found

    return Parts(pair_batches(run, reference), measure, after,
                 "validation loss at step {step}: {loss:.4f} nats a pair")


def of_rewards(
    run: Run, trainer: Any, tuning: Tuning, engine_of: Callable, samples: Callable
) -> Parts:
    groups = Groups(run, trainer, engine_of, tuning.group, divide=tuning.method == "grpo")

    def measure(trainer: Any, run: Run) -> float:
        return wrong_answers(run, engine_of(params_of(run, trainer), run))

    def after(step: int) -> dict:
        rewards = {"reward": groups.mean} if step else {}
        return {"step": step, **(samples(step) or {}), **rewards}

    return Parts(groups.batch, measure, after, "wrong answers at step {step}: {loss:.1%}")
