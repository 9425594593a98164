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
from npgpt.runs.chat_data import (
    ChatData,
    Example,
    answer_tokens,
    digest_of_ids,
    encoded,
    longer,
)
from npgpt.runs.run import Run
from npgpt.runs.settings import Settings
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


def references(run: Run, params: Any) -> dict[str, np.ndarray]:
    """-> {"train", "validation"}: (pairs, 2), the sums of the answers' log-probabilities under
    the model at the start, whose weights are `params` then: computed once, and read again when
    the run goes on."""
    from safetensors.numpy import load_file, save

    path = Path(run.path) / FILE
    if not path.exists():
        if run.step:
            raise InputError(f"{path} is gone: it says how likely the answers were before the"
                             " first step; restore it, or start a new run")
        found = {name: sums_of(run, params, getattr(run.data, name))
                 for name in ("train", "validation")}
        write_atomically(path, save(found))
    return load_file(path)


def sums_of(run: Run, params: Any, pairs: list) -> np.ndarray:
    """(pairs, 2), float32."""
    sums = []
    for first in range(0, len(pairs), AT_ONCE):
        rows = grouped(pairs[first:first + AT_ONCE])
        log_probs = answer_log_probs(
            run.model, params, rows["inputs"], rows["targets"], run.config)
        sums.append(log_probs.sum(axis=-1))
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
