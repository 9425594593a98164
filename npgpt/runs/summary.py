"""What a finished run says of its losses."""

import numpy as np

from npgpt.runs.expected import compare
from npgpt.runs.run import Run
from npgpt.runs.train import bits_per_byte, evaluate, evaluated, perplexity
from npgpt.training.batches import evaluation_batches


def with_measures(summary: dict, run: Run, trainer) -> dict:
    """The summary of `npgpt.runs.train.train` with the validation loss in other units, the
    loss on as much of the training text, and where the run lies against a recorded curve."""
    found, loss = dict(summary), summary["validation_loss"]
    if loss is not None:
        found["perplexity"] = perplexity(loss)
        found["bits_per_byte"] = bits_per_byte(loss, run)
        if summary["status"] == "finished":
            found |= of_training_text(run, trainer, loss)
    return {**found, "expected": compare(run)}


def of_training_text(run: Run, trainer, validation_loss: float) -> dict:
    """The loss on as much of the training text as of the validation text, by the same
    function, and what to make of it where the validation loss is the lower one."""
    loss = evaluate(trainer, run, "train")
    return {"training_text_loss": loss,
            "easier": easier(run) if validation_loss < loss else None}


def easier(run: Run) -> str:
    """Why a model may do better on the validation text than on what it learns from."""
    counts = {part: token_counts(run, part) for part in ("train", "validation")}
    if entropy(counts["validation"]) >= entropy(counts["train"]):
        return "the validation text is the easier one for this model"
    often = int(counts["validation"].argmax())
    fraction = {part: found[often] / found.sum() for part, found in counts.items()}
    token = run.data.tokenizer.decode([often])
    return (f"the validation text is the easier one: token frequencies alone predict it to"
            f" {entropy(counts['validation']):.2f} nats a token, the training text to"
            f" {entropy(counts['train']):.2f}; {fraction['validation']:.0%} of it, and"
            f" {fraction['train']:.0%} of the training text, is {token!r}")


def token_counts(run: Run, part: str) -> np.ndarray:
    """How often each token is a target of `evaluate`."""
    counts = np.zeros(run.config.vocab_size, np.int64)
    for _, targets in evaluation_batches(*evaluated(run, part)):
        counts += np.bincount(targets[targets >= 0], minlength=len(counts))
    return counts


def entropy(counts: np.ndarray) -> float:
    """In nats, of draws in these proportions."""
    probs = counts[counts > 0] / counts.sum()
    return float(-(probs * np.log(probs)).sum())
