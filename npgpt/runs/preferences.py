"""Training on preferences: pairs of answers, and how likely the model found each of them
before its first step."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import write_atomically
from npgpt.finetuning import answer_log_probs, dpo
from npgpt.finetuning.rows import grouped, take
from npgpt.runs.adapter_run import params_of
from npgpt.runs.chat_data import (
    ChatData,
    Example,
    answer_tokens,
    digest_of_ids,
    encoded,
    longer,
)
from npgpt.runs.checkpoint import read_settings
from npgpt.runs.run import Run
from npgpt.runs.settings import Settings
from npgpt.runs.start_from import read_again
from npgpt.text.chat import Chat
from npgpt.text.corpora.pairs import Pair, load_pairs

FILE = "reference.safetensors"
AT_ONCE = 8  # pairs of one forward pass


def open_pairs(
    settings: Settings, tokenizer: Any, chat: Chat, template_of: str, limit: int | None
) -> ChatData:
    """The pairs that `settings.corpus` names, as ids: of `train` and `validation` each is
    (chosen, rejected). A pair of which one is too long or refused is left out and counted.
    InputError where none is left."""
    pairs = load_pairs(settings.corpus)
    dropped = Counter(pairs.dropped)
    train = encoded_pairs(pairs.train, chat, limit, dropped)
    validation = encoded_pairs(pairs.validation, chat, limit, Counter())
    if not train or not validation:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
        raise InputError(f"{settings.corpus} has no pair to learn from"
                         + (f": left out are {reasons}" if reasons else "") + longer(dropped))
    both = [each for pair in train for each in pair]
    record = {
        "name": pairs.chats.name, "source": pairs.chats.source, "licence": pairs.chats.licence,
        "sha256": pairs.sha256,
        "ids_sha256": digest_of_ids([*both, *(each for pair in validation for each in pair)]),
        "conversations": len(both), "validation_conversations": 2 * len(validation),
        "tokens": sum(len(inputs) + 1 for inputs, _ in both),
        "answer_tokens": answer_tokens(both), "dropped": dict(dropped),
    }
    return ChatData(tokenizer, chat, template_of, pairs.chats, train, validation, record)


def encoded_pairs(
    pairs: list[Pair], chat: Chat, limit: int | None, dropped: Counter
) -> list[tuple[Example, Example]]:
    """The examples of those pairs that fit."""
    found = []
    for pair in pairs:
        _, both = encoded(list(pair), chat, limit, dropped)
        if len(both) == 2:
            found.append((both[0], both[1]))
    return found


def references(
    run: Run, trainer: Any, report: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, np.ndarray]:
    """-> {"train", "validation"}: (pairs, 2), the sums of the answers' log-probabilities under
    the model at the start; NaN for a pair that no step of the run reads. Each is computed once,
    in the batch of the first step that reads it, and kept in the run's directory: a run that
    goes on has the same numbers. report(done, total): pairs that are measured."""
    from safetensors.numpy import load_file, save

    path, s = Path(run.path) / FILE, run.settings
    found = load_file(path) if path.exists() else {
        "train": np.full((len(run.data.train), 2), np.nan, np.float32)}
    new = first_read(found["train"], take(
        len(run.data.train), s.steps * s.batch_size, s.seed, 1).reshape(s.steps, s.batch_size))
    if not new and "validation" in found:
        return found
    params = params_at_start(run, trainer)
    validation = 0 if "validation" in found else len(run.data.validation)
    total = validation + sum(len(numbers) for numbers, _ in new)
    if validation:
        found["validation"] = sums_of(run, params, run.data.validation, lambda done: report(
            done, total))
    done = validation
    for numbers, fresh in new:
        sums = sums_of(run, params, [run.data.train[i] for i in numbers])
        found["train"][numbers[fresh]] = sums[fresh]
        done += len(numbers)
        report(done, total)
    write_atomically(path, save(found))
    return found


def first_read(
    sums: np.ndarray, batches: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """sums (pairs, 2), NaN where unknown; batches (steps, B), the pairs of each step -> of the
    batches with pairs that neither `sums` nor an earlier batch has: their pairs (B,), and which
    of them those are."""
    known, found = ~np.isnan(sums).any(axis=-1), []
    for numbers in batches:
        fresh = ~known[numbers]
        if fresh.any():
            found.append((numbers, fresh))
            known[numbers] = True
    return found


def params_at_start(run: Run, trainer: Any) -> Any:
    """The weights before the first step. Raises InputError where the run has taken some, and
    the weights that it started from are others by now."""
    if run.step == 0:
        return params_of(run, trainer)
    return read_again(run.settings, run.config, run.model,
                      str((read_settings(run.path) or {}).get("weights_sha256")))


def sums_of(
    run: Run, params: Any, pairs: Any, report: Callable[[int], None] = lambda done: None
) -> np.ndarray:
    """(pairs, 2), float32. report(done): pairs."""
    sums = []
    for first in range(0, len(pairs), AT_ONCE):
        rows = grouped(pairs[first:first + AT_ONCE])
        log_probs = answer_log_probs(
            run.model, params, rows["inputs"], rows["targets"], run.config)
        sums.append(log_probs.sum(axis=-1))
        report(min(first + AT_ONCE, len(pairs)))
    return np.concatenate(sums).astype(np.float32)


def pair_batches(run: Run, reference: dict[str, np.ndarray]) -> Callable[[int], dict]:
    """-> batch(step): the pairs whose turn it is, as `dpo_loss_and_grads` takes them."""
    s = run.settings

    def batch(step: int) -> dict:
        numbers = take(len(run.data.train), s.batch_size, s.seed, step)
        return {**grouped([run.data.train[i] for i in numbers]),
                "reference": reference["train"][numbers]}

    return batch


def judge_pairs(
    run: Run, params: Any, reference: np.ndarray, beta: float
) -> tuple[float, float]:
    """-> the mean loss over the validation pairs, in nats, and the fraction of them whose
    chosen answer has gained more than the rejected one."""
    sums = sums_of(run, params, run.data.validation)
    loss, _ = dpo(sums[..., None], reference, beta)
    gains = sums - reference
    return float(loss), float((gains[:, 0] > gains[:, 1]).mean())
