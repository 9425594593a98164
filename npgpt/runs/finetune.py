"""A fine-tuning run: a model goes on from its weights, with rows of conversations.

Its directory is that of any run, with the model's chat template in it; run.json says under
"finetune" how it is tuned. The trainer and the loop are training's own.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.finetuning.freeze import trained_only
from npgpt.finetuning.rows import fill_rows, packed, padded, take, take_alike
from npgpt.layers.cross_entropy import IGNORE
from npgpt.runs.adapter_run import (
    adapter_to_go_on_with,
    new_adapter,
    params_of,
    restore_adapter,
)
from npgpt.runs.adapters import Adapter
from npgpt.runs.answers import ask, right
from npgpt.runs.chat_data import ChatData, chat_of, open_chats
from npgpt.runs.checkpoint import find_directory, inherited_files
from npgpt.runs.checkpoint import read_settings as read_run_json
from npgpt.runs.data import from_anywhere
from npgpt.runs.preferences import open_pairs
from npgpt.runs.run import Run, check_free, make_directory, restore_model, resume_run
from npgpt.runs.settings import Settings, complete
from npgpt.runs.start_from import fingerprint, model_to_start, read_start
from npgpt.runs.train import model_dtype
from npgpt.training.dropout_masks import draw_dropout_masks

ON_ANSWERS = ("full", "lora")  # by cross-entropy
ON_REWARDS = ("grpo", "dr-grpo")
METHODS = (*ON_ANSWERS, "dpo", *ON_REWARDS)
LORA = {"rank": 8, "alpha": 16.0, "targets": "", "rslora": False, "adapter": ""}
SAMPLES = 4  # questions that are answered every so many steps
AT_ONCE = 16  # conversations of one validation batch


@dataclass(frozen=True)
class Tuning:
    """What run.json says under "finetune". method: what trains; pack: several conversations
    in a row; longest: tokens of a conversation, or of a packed row, at most, 0 for the model's
    context; sample_every: steps between answers to test questions, 0 for none. Of LoRA: rank,
    alpha, the targets' names with commas between them ("": the usual ones), rslora, and the
    adapter to go on with, if any. train: the layers that train, all others frozen; "": all.
    Of DPO: beta, how strongly a distance from the start counts; of GRPO: group, the answers to
    each question."""

    method: str = "full"
    pack: bool = False
    longest: int = 0
    sample_every: int = 200
    rank: int = 8
    alpha: float = 16.0
    targets: str = ""
    rslora: bool = False
    adapter: str = ""
    train: str = ""
    beta: float = 0.1
    group: int = 8

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method is {self.method!r}: give {' or '.join(METHODS)}")
        if self.method != "lora" and self.of_lora() != tuple(LORA.values()):
            raise InputError("--rank, --alpha, --targets, --rslora and --adapter go with"
                             " --method lora")
        if self.train and self.method != "full":
            raise InputError("--train goes with --method full: LoRA has --targets")
        if self.adapter and self.of_lora()[:-1] != tuple(LORA.values())[:-1]:
            raise InputError("--rank, --alpha, --targets and --rslora cannot be given with"
                             " --adapter: the adapter has its own")
        if self.method != "dpo" and self.beta != Tuning.beta:
            raise InputError("--beta goes with --method dpo")
        if self.method not in ON_REWARDS and self.group != Tuning.group:
            raise InputError("--group goes with --method grpo or dr-grpo")
        for name in ("alpha", "beta"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(f"{name} is {getattr(self, name):g}: give a number above 0")
        if self.group < 2:
            raise InputError(f"group is {self.group}: give 2 or more, for an answer is compared"
                             " with others")
        if self.pack and self.method not in ON_ANSWERS:
            raise InputError(f"--pack does not go with --method {self.method}: answers stand in"
                             " rows of their own")
        for name in ("longest", "sample_every"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}: give 0 or more")

    def stored(self) -> dict[str, Any]:
        """What run.json says: of LoRA and of layers that train alone where there are any."""
        without = () if self.method == "lora" else LORA
        return {name: value for name, value in asdict(self).items()
                if name not in without and (name != "train" or value)}

    def of_lora(self) -> tuple:
        return tuple(getattr(self, name) for name in LORA)

    def limit(self, settings: Settings) -> int:
        """Tokens of a conversation, or of a packed row, at most."""
        return min(self.longest or settings.context_length, settings.context_length)


def start_finetune(
    path: str | Path, start: str, given: dict[str, Any], tuning: Tuning, command: str,
    extra: dict[str, Any], by_type: dict[str, Any],
) -> Run:
    """A new run from the weights in `start`, its directory made whole before its first step.
    `given`: the settings that are not left to default, the data as `corpus`."""
    path = Path(path)
    given = {**given, "start_from": str(start)}
    settings = complete(given)
    if settings.dropout and tuning.method not in ON_ANSWERS:
        raise InputError(f"--dropout does not go with --method {tuning.method}: the answers'"
                         " probabilities are compared with those that were measured before")
    check_free(path, command)
    model = model_to_start(given, by_type)
    settings, tokenizer, params = read_start(settings, given, model)
    base = find_directory(start)
    chat, template_of = chat_of(base, tokenizer)
    open_data = open_pairs if tuning.method == "dpo" else open_chats
    data = open_data(settings, tokenizer, chat, template_of, tuning.limit(settings))
    settings = replace(settings, corpus=from_anywhere(settings.corpus))
    config = settings.config(tokenizer.vocab_size, model.Config)
    run = Run(path, settings, config, data, model, params=params)
    begin(run, tuning)
    extra = {**extra, "weights_sha256": fingerprint(params), "finetune": tuning.stored(),
             "template_of": template_of}
    make_directory(run, command, extra,
                   {**inherited_files(base), "chat_template.jinja": chat.template})
    return run


def resume_finetune(path: str | Path, changes: dict[str, Any], by_type: dict[str, Any]) -> Run:
    """A fine-tuning run as its last save left it."""
    def restore(run: Run, run_json: dict[str, Any]) -> None:
        tuning = tuning_of(run.path)
        if tuning.method == "lora":
            restore_adapter(run, run_json, lambda run: first_adapter(run, tuning))
        else:
            run.trains = names_in(tuning.train)
            restore_model(run, run_json)

    return resume_run(path, changes, by_type, same_chats, "finetune", restore)


def begin(run: Run, tuning: Tuning) -> None:
    """What a new run trains. Raises InputError for layers that are not there."""
    if tuning.method == "lora":
        run.adapter = first_adapter(run, tuning)
    if tuning.train:
        run.trains = names_in(tuning.train)
        trained_only(run.params, run.trains)


def names_in(words: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in words.split(",") if name.strip())


def first_adapter(run: Run, tuning: Tuning) -> Adapter:
    """The adapter that a run begins with."""
    if tuning.adapter:
        return adapter_to_go_on_with(run, tuning.adapter)
    return new_adapter(
        run, tuning.rank, tuning.alpha, [*names_in(tuning.targets)], tuning.rslora)


def same_chats(
    path: Path, settings: Settings, tokenizer: Any, recorded: dict[str, Any]
) -> ChatData:
    """The conversations of the run in `path` as they were when it was born; InputError where
    they have changed since."""
    chat, _ = chat_of(path, tokenizer)
    template_of = (read_run_json(path) or {}).get("template_of", "its own")
    tuning = tuning_of(path)
    open_data = open_pairs if tuning.method == "dpo" else open_chats
    data = open_data(settings, tokenizer, chat, template_of, tuning.limit(settings))
    if data.record["ids_sha256"] != recorded["ids_sha256"]:
        raise InputError(
            f"the conversations in {settings.corpus}, by the chat template in {path}, are not"
            " those that the run was trained on: restore them, or start a new run")
    return data


def tuning_of(path: Path) -> Tuning:
    """How the run in `path` is tuned. InputError where run.json does not say so."""
    found = (read_run_json(path) or {}).get("finetune")
    known = asdict(Tuning())
    if isinstance(found, dict):  # what an older run does not say is the default
        found = {**known, **found}
    if not isinstance(found, dict) or any(
            type(found.get(name)) is not type(value) for name, value in known.items()):
        raise InputError(f"{path / 'run.json'} does not say how the model is fine-tuned;"
                         " restore it from a copy")
    return Tuning(**{name: found[name] for name in known})


# what a step reads


def batches(run: Run, tuning: Tuning, draw_masks: bool = True) -> Callable[[int], dict]:
    """-> batch(step): {"inputs", "targets"} (B, T) of the conversations whose turn it is;
    packed, also "mask" and "positions"; where the run has dropout, its masks. NumPy."""
    s, examples = run.settings, run.data.train
    limit = tuning.limit(s)
    lengths = np.array([len(inputs) for inputs, _ in examples])
    rows = fill_rows(lengths.tolist(), limit) if tuning.pack else []

    def batch(step: int) -> dict:
        if tuning.pack:
            found = packed([[examples[i] for i in rows[row]] for row in
                            take(len(rows), s.batch_size, s.seed, step)], limit)
        else:
            found = padded([examples[i] for i in
                            take_alike(lengths, s.batch_size, s.seed, step)])
        if draw_masks and s.dropout:
            found["dropout_masks"] = draw_dropout_masks(
                run.model, run.config, *found["inputs"].shape, s.dropout, s.seed, step,
                model_dtype(s.dtype))
        return found

    return batch


def answers_loss(trainer, run: Run) -> float:
    """Mean loss in nats an answer's token over the validation conversations."""
    total, count = 0.0, 0
    examples = sorted(run.data.validation, key=lambda each: len(each[0]))
    for first in range(0, len(examples), AT_ONCE):
        batch = padded(examples[first:first + AT_ONCE])
        learnt = int((batch["targets"] != IGNORE).sum())
        total += trainer.loss(batch) * learnt
        count += learnt
    return total / count


def answering(run: Run, trainer, tuning: Tuning, engine_of: Callable) -> Callable:
    """-> after(step): from time to time, what the model answers to the first test questions,
    as a record for the log. engine_of(params, run) gives what writes."""

    def after(step: int) -> dict | None:
        every = tuning.sample_every
        if not every or step % every:
            return None
        tests = run.data.chats.test[:SAMPLES]
        engine = engine_of(params_of(run, trainer), run)
        found = ask(engine, run.data.chat, tests, run.path, run.config, run.model)
        return {"step": step, "samples": {
            str(n): {"question": test[-2]["content"].rpartition("\n")[2], "answer": answer,
                     "right": right(answer, test)}
            for n, (test, answer) in enumerate(zip(tests, found), start=1)}}

    return after
