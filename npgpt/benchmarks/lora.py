"""A training step of LoRA on a model out of a file: beside `transformers` and `peft`."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.benchmarks import timing
from npgpt.benchmarks.machine import describe, machine
from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError
from npgpt.layers.cross_entropy import IGNORE

TARGETS, RANK, ALPHA, RATE = ["q", "v"], 8, 16, 1e-3
DATA = "stories:chat:500"
WANTED = {"of_peft": 1.3, "accepted": 1.6, "memory": 1.15}
# float32's unit round-off times the constant of a whole model: see npgpt.checking.budgets
ROUNDING = 64 * 2.0 ** -24
NAMES = ("npgpt", "npgpt, compiled", "torchgpt, by hand", "torchgpt.modules", "transformers + peft")
CHILD = "from npgpt.benchmarks.lora import print_peak; print_peak()"


class Task:
    """A model, new adapters of it and the batches of each step, equal for all contenders:
    conversations of which the answers are learned, padded to so many tokens. The weights are
    read when first asked for: `peft` reads them itself."""

    def __init__(self, model: str, batch_size: int, tokens: int):
        from npgpt.finetuning import init_adapters
        from npgpt.models import BY_TYPE
        from npgpt.runs.checkpoint import family_in, find_directory, read_config, read_tokenizer
        from npgpt.runs.settings import complete

        self.path = find_directory(model)
        self.family = BY_TYPE[family_in(self.path).FILES["model_type"]]
        self.config = read_config(self.path)
        self.tokenizer = read_tokenizer(self.path, self.config)
        limit = self.config.context_length
        if limit is not None and tokens > limit:
            raise InputError(f"tokens is {tokens}: the model in {model} has a context of {limit}")
        self.adapters = init_adapters(self.family, self.config, TARGETS, RANK, 1)
        self.settings = complete({"batch_size": batch_size, "weight_decay": 0.01})
        self.examples = self.read_chats(tokens)
        self.shape = (batch_size, tokens)

    @cached_property
    def params(self) -> dict:
        from npgpt.runs.checkpoint import load_checkpoint

        return load_checkpoint(self.path, as_stored=True).params

    def read_chats(self, tokens: int) -> list:
        """Inputs and targets of the conversations that are no longer."""
        from npgpt.runs.chat_data import chat_of, encoded
        from npgpt.text.corpora.chats import load_chats

        if self.tokenizer is None:
            raise InputError(f"{self.path} has no tokenizer: the batches are conversations")
        chat, _ = chat_of(self.path, self.tokenizer)
        _, examples = encoded(load_chats(DATA).train, chat, tokens, Counter())
        if not examples:
            raise InputError(f"tokens is {tokens}: no conversation is so short; give more, as in"
                             " --tokens 256")
        return examples

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Inputs and targets (B, T) of a step, 0, 1, …"""
        from npgpt.finetuning.rows import padded

        B, T = self.shape
        rows = padded([self.examples[(step * B + i) % len(self.examples)] for i in range(B)])
        free = ((0, 0), (0, T - rows["inputs"].shape[1]))
        return {"inputs": np.pad(rows["inputs"], free),
                "targets": np.pad(rows["targets"], free, constant_values=IGNORE)}


def contender(name: str, task: Task) -> Callable[[int], float]:
    """-> step(number): one training step -> its loss."""
    if name == "transformers + peft":
        return with_peft(task)
    return with_ours(name, task)


def with_ours(name: str, task: Task) -> Callable[[int], float]:
    from npgpt.finetuning import lora_adapters

    params, family = task.params, task.family.FILES["model_type"]
    if name.startswith("npgpt"):
        from npgpt.speed import counted_rows, tune_allocator
        from npgpt.training import Trainer

        tune_allocator()
        model: Any = task.family
        more: dict[str, Any] = {"loss_and_grads": counted_rows.loss_and_grads}
        if name == "npgpt, compiled":
            from npgpt.speed import compiled

            model = compiled.on_loops(model)
            more = {"loss_and_grads": compiled.on_loops(counted_rows.loss_and_grads),
                    "clip": compiled.clip_by_global_norm, "update": compiled.adamw_step,
                    "by_columns": compiled.by_columns}
        trainer: Any = Trainer(model, task.config, params, task.settings, **more,
                          adapters=lora_adapters(params, task.adapters, ALPHA))
    elif name == "torchgpt, by hand":
        import torchgpt.finetuning
        import torchgpt.models
        import torchgpt.training
        from torchgpt.speed import counted_rows as torch_rows

        adapters = torchgpt.finetuning.lora_adapters(params, task.adapters, ALPHA)
        trainer = torchgpt.training.Trainer(
            torchgpt.models.BY_TYPE[family], task.config, params, task.settings,
            adapters=adapters, loss_and_grads=torch_rows.loss_and_grads, device="cpu")
    else:
        from torchgpt.modules import BY_TYPE
        from torchgpt.training.module_trainer import ModuleTrainer

        trainer = ModuleTrainer(BY_TYPE[family], task.config, params, task.settings, device="cpu",
                                adapters=lora_adapters(params, task.adapters, ALPHA))
    return lambda number: trainer.step(task.batch(number), RATE)[0]


def with_peft(task: Task) -> Callable[[int], float]:
    """As their users write it: the library's model, loss, clipping and AdamW."""
    import tempfile
    import warnings

    import peft
    import torch
    import transformers

    from npgpt.runs.adapters import Adapter, save_adapter

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    base = transformers.AutoModelForCausalLM.from_pretrained(task.path, dtype=torch.float32)
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what they themselves still call
        ours = Adapter(task.adapters, RANK, float(ALPHA))
        save_adapter(directory, ours, task.config, task.family)
        model = peft.PeftModel.from_pretrained(base, directory, is_trainable=True)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    settings = task.settings
    optimizer = torch.optim.AdamW(
        weights, lr=RATE, betas=(settings.beta_1, settings.beta_2),
        weight_decay=settings.weight_decay)

    def step(number: int) -> float:
        batch = task.batch(number)
        logits = model(input_ids=torch.from_numpy(batch["inputs"])).logits
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), torch.from_numpy(batch["targets"]).flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, settings.clip)
        optimizer.step()
        return loss.item()

    return step


def measure(
    model: str, batch_size: int, tokens: int, rounds: int, steps: int = 0, memory: bool = True,
    names: tuple[str, ...] = NAMES,
) -> tuple[dict[str, Any], dict[str, dict[str, list[float]]]]:
    """The record, and each contender's seconds under a picture's title. steps: at least so
    many are taken by each, for their losses. InputError where `peft` is not installed."""
    from importlib.util import find_spec

    for library, extra in {"torch": "torch", "numba": "compile", "transformers": "test",
                           "peft": "witness"}.items():
        if find_spec(library) is None:
            raise InputError(f"{library} is not installed: pip install 'npgpt[{extra}]'")
    # first, for a child's peak begins at what its parent had
    peaks: dict[str, float] = {}
    for name in names if memory else ():
        print(f"peak memory: {name}", file=sys.stderr)
        peaks[name] = peak_of(name, model, batch_size, tokens)
    print("the model is read, and every contender made ready", file=sys.stderr)
    task = Task(model, batch_size, tokens)
    runs = {name: contender(name, task) for name in names}
    losses: dict[str, list[float]] = {name: [] for name in names}

    def one_step(name: str) -> Callable[[], None]:
        return lambda: losses[name].append(runs[name](len(losses[name])))

    seconds = timing.interleave({name: one_step(name) for name in names}, rounds)
    for name in names:
        if len(losses[name]) < steps:
            print(f"steps up to {steps}: {name}", file=sys.stderr)
        while len(losses[name]) < steps:
            one_step(name)()
    theirs = names[-1]
    result = {
        "bench": "lora", "model": Path(model).name, "data": DATA,
        "batch_size": batch_size, "tokens": tokens, "rounds": rounds,
        "rank": RANK, "alpha": ALPHA, "targets": TARGETS,
        "trained": sum(each[kind].size for each in task.adapters.values() for kind in "AB"),
        "contenders": {name: {
            **timing.summary(row), "tokens_per_second": batch_size * tokens / (
                timing.summary(row)["median_ms"] / 1e3),
            "of_peft": timing.ratio(seconds, name, theirs)} for name, row in seconds.items()},
        "losses": losses, "loss_difference": loss_difference(losses, theirs),
        "loss_budget": loss_budget(task), "wanted": WANTED, "machine": machine(),
    }
    if memory:
        result["peak_mb"] = peaks
    return result, {f"a step of LoRA, {result['model']}": seconds}


def loss_difference(losses: dict[str, list[float]], theirs: str) -> dict[str, float]:
    """The largest difference from theirs, of each other."""
    return {name: max(abs(a - b) for a, b in zip(row, losses[theirs]))
            for name, row in losses.items() if name != theirs}


def loss_budget(task: Task) -> float:
    """How far two right losses may lie apart in float32: by the size of what cross-entropy
    adds up, |max| + |z_y| + log Σe + 1, the mean over a conversation's answers."""
    batch = task.batch(0)
    inputs, targets = batch["inputs"][:1], batch["targets"][0]
    logits = task.family.forward(task.params, inputs, task.config)[0][0]
    logits, targets = logits[targets != IGNORE], targets[targets != IGNORE]
    top = logits.max(axis=-1)
    total = np.log(np.exp(logits - top[:, None]).sum(axis=-1))
    right = logits[np.arange(len(targets)), targets]
    return ROUNDING * float((np.abs(top) + np.abs(right) + total + 1).mean())


def peak_of(name: str, model: str, batch_size: int, tokens: int, steps: int = 3) -> float:
    """The most memory, in MB, that a process of its own takes for a few steps, Python, its
    libraries and the model included."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, name, json.dumps([model, batch_size, tokens, steps])],
        capture_output=True, text=True)
    if child.returncode:
        said = child.stderr.strip().splitlines() or ["memory may be short"]
        raise InputError(f"{name} ended with status {child.returncode}: {said[-1]}")
    return int(child.stdout.split()[-1]) / 1e6


def print_peak() -> None:
    """Print this process's peak in bytes. The command line gives a contender, and the
    model, batch size, tokens and steps as JSON."""
    import resource

    name, (model, batch_size, tokens, steps) = sys.argv[1], json.loads(sys.argv[2])
    task = Task(model, batch_size, tokens)
    step = contender(name, task)
    for number in range(steps):
        step(number)
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def report(result: dict[str, Any]) -> Report:
    peaks, theirs = result.get("peak_mb", {}), list(result["contenders"])[-1]
    rows = [[name, f"{found['median_ms']:,.0f}", f"{found['tokens_per_second']:,.0f}",
             timing.spread(found["of_peft"]), *([] if not peaks else [
                 f"{peaks[name]:,.0f} MB", f"{peaks[name] / peaks[theirs]:.2f}"]),
             f"{result['loss_difference'].get(name, 0.0) / result['loss_budget']:.2f}"]
            for name, found in result["contenders"].items()]
    heads = ["", "ms", "tokens/s", "of theirs", *(["peak", "of theirs"] if peaks else []),
             "loss, of its budget"]
    steps = len(next(iter(result["losses"].values())))
    return [
        describe(result["machine"]),
        Table(heads, rows, f"{result['model']}: LoRA of rank {result['rank']} on"
              f" {' and '.join(result['targets'])}, {result['trained']:,} parameters trained;"
              f" {result['batch_size']} × {result['tokens']} tokens"),
        f"wanted: at most {result['wanted']['of_peft']} times theirs, accepted"
        f" {result['wanted']['accepted']}; memory at most {result['wanted']['memory']} times;"
        f" losses of {steps} steps\n"]


def markdown(result: dict[str, Any]) -> str:
    """A record of `npgpt bench lora` -> the table and its machine."""
    peaks, theirs = result["peak_mb"], list(result["contenders"])[-1]
    lines = [f"| {result['model']}, {result['batch_size']} × {result['tokens']} tokens | a step |"
             " tokens a second | of peft's time | peak memory | of peft's |",
             "|---|---|---|---|---|---|"]
    for who, found in result["contenders"].items():
        lines.append(f"| {who} | {found['median_ms']:,.0f} ms | {found['tokens_per_second']:,.0f}"
                     f" | {timing.spread(found['of_peft'])} | {peaks[who]:,.0f} MB"
                     f" | {peaks[who] / peaks[theirs]:.2f} |")
    worst = max(result["loss_difference"].values()) / result["loss_budget"]
    steps = len(next(iter(result["losses"].values())))
    return ("\n".join(lines) + "\n\n" + describe(result["machine"]) + f"; losses of {steps} steps:"
            f" at most {worst:.2f} of what rounding allows from peft's.")
