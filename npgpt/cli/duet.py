"""npgpt duet: both halves trained side by side, on the same batches."""

import sys
import warnings
from collections import deque
from typing import Annotated, Any

from npgpt.cli import options
from npgpt.cli.options import option, with_settings
from npgpt.cli.output import free_directory, print_json
from npgpt.cli.progress import PLAIN_EVERY, memory_used, stop_flag, while_heard
from npgpt.cli.run import fail, let_threads_sleep
from npgpt.errors import InputError
from npgpt.files import shell_quote

SAMPLED = 200  # tokens of the text at the end
TEMPERATURE = 0.8
# settings that the duet leaves at their defaults
ALONE = ("minimum_rate", "decay_steps", "beta_1", "beta_2", "evaluate_every")
SHOWN = 5  # gradient tensors in the table
Device = Annotated[
    str | None, option("--device", "PyTorch's device: auto, cpu, cuda or mps.", "NAME", "auto")
]


@with_settings(without=ALONE)
def duet(
    *,
    out: options.Out = None,
    device: Device = None,
    settings: dict[str, Any],
    as_json: options.AsJson = False,
) -> int:
    """Train the NumPy and the PyTorch GPT side by side, both by hand.

    Same weights, same batches: one model, written twice. Leaves with status
    1, and says where, if they part beyond rounding.

    \b
    npgpt duet
    npgpt duet --dtype float64 --steps 200 --dropout 0.1
    """
    if settings.get("dtype", "float32") not in ("float32", "float64"):
        raise InputError(f"dtype is {settings['dtype']!r}: the duet plays in float32 or float64")
    let_threads_sleep()
    import torch

    from npgpt.models import gpt2
    from npgpt.runs.diverged import Diverged
    from npgpt.runs.duet import duet as play
    from npgpt.runs.run import start_run
    from npgpt.runs.trainers import numpy_trainer
    from torchgpt.device import pick_device, pick_dtype, use_exact_arithmetic
    from torchgpt.runs.trainers import by_hand_trainer

    use_exact_arithmetic()
    place = pick_device(device or "auto")
    pick_dtype(settings.get("dtype", "float32"), place)
    extra = {"half": "both, by hand", "torch": {
        "version": torch.__version__, "device": str(place),
        "threads": torch.get_num_threads()}}
    out = out or free_directory("duet")
    run = start_run(out, settings, "npgpt duet", extra, gpt2)
    trainers = numpy_trainer(run), by_hand_trainer(run, place)
    warnings.filterwarnings("ignore", category=RuntimeWarning)  # what overflows is reported once
    with stop_flag() as stopped, Table(run.settings.steps) as table:
        try:
            summary = play(run, *trainers, while_heard(table), stopped)
        except Diverged as error:
            return fail(str(error), status=1)
    params = summary.pop("params")
    if summary["status"] == "interrupted":
        if as_json:
            print_json(summary)
        print(f"stopped and saved at step {summary['step']}; NumPy alone goes on with:"
              f"\n  npgpt train --out {shell_quote(run.path)} --resume", file=sys.stderr)
        return 130
    summary["text"] = sing(params, run, trainers[1])
    summary["peak_memory_gb"] = round(memory_used(), 3)
    if as_json:
        print_json(summary)
    else:
        tell(summary, run)
    return verdict(summary)


def sing(params, run, torch_trainer) -> dict:
    """One text by both halves, from NumPy's final weights."""
    from npgpt.generation import generate
    from npgpt.generation.prompt import opening
    from npgpt.runs.duet import compare_texts
    from torchgpt.generation import generate as torch_generate

    start = opening(run.data.tokenizer)
    seed = run.settings.seed
    how = {"max_new_tokens": SAMPLED, "temperature": TEMPERATURE, "seed": seed}
    one = generate(run.model, params, run.config, start, **how)
    other = torch_generate(
        torch_trainer.model, torch_trainer.tensors(params), run.config, start, **how)
    found = compare_texts(one, other, run.model, params, run.config, start, seed, TEMPERATURE)
    found["text"] = run.data.tokenizer.decode(found["ids"])
    return found


def tell(summary: dict, run) -> None:
    """What the duet showed."""
    import math

    V = run.config.vocab_size
    print(f"\nlargest |Δ| of the losses: {summary['largest_difference']:.1e}"
          f" (budget {summary['loss_budget']:g})")
    print(f"first loss {summary['first_loss']:.3f}; knowing nothing is ln {V} = {math.log(V):.3f}")
    for name, loss in summary["validation_loss"].items():
        print(f"validation loss, {name + ':':<7} {loss:.4f} nats a token")
    gradients = summary["gradient_differences"]
    print(f"\ngradients of step {summary['gradients_of_step']}, the {SHOWN} of"
          f" {len(gradients)} tensors that differ most, max|a−b| / max|b|:")
    for name in sorted(gradients, key=gradients.__getitem__, reverse=True)[:SHOWN]:
        print(f"  {gradients[name]:.1e}  {name}")
    text = summary["text"]
    same = "token for token the same" if text["equal"] else "the same up to where they part"
    print(f"\nsampled by both from the same weights, {same}:\n")
    print("  " + text["text"].strip("\n").replace("\n", "\n  "))
    if not text["equal"]:
        print(f"\nat token {text['place'] + 1} NumPy drew {text['numpy']}, PyTorch {text['torch']};"
              f" the draw lay {text['distance']:.1e} from the boundary"
              + (": a rounding tie" if text["tie"] else ""))
    print(f"\npicture: {run.path / 'duet.png'}\ntry it:  npgpt sample"
          f" {shell_quote(run.path)}")


def verdict(summary: dict) -> int:
    """0 where they are one model; else 1, and where they part, on stderr."""
    if summary["parted_at"]:
        gradients = summary["gradient_differences"]
        worst = max(gradients, key=gradients.__getitem__)
        return fail(
            f"the halves part at step {summary['parted_at']}: losses"
            f" {summary['largest_difference']:.1e} apart (budget {summary['loss_budget']:g}),"
            f" the gradient of {worst} {gradients[worst]:.1e}"
            f" (budget {summary['gradient_budget']:g})", status=1)
    if not summary["text"]["equal"] and not summary["text"]["tie"]:
        return fail(
            f"the halves write different texts from token {summary['text']['place'] + 1} on", 1)
    return 0


class Table:
    """step | NumPy loss | PyTorch loss | |Δ| | ms a step of each. Live on a
    terminal; one plain line every 50 steps elsewhere. On stderr."""

    HEAD = ("step", "NumPy loss", "PyTorch loss", "|Δ|", "NumPy ms", "PyTorch ms")

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.times: deque = deque(maxlen=PLAIN_EVERY)
        self.rows: list[tuple] = []
        self.live = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self.live = Live(console=Console(stderr=True), refresh_per_second=8)

    def __enter__(self) -> "Table":
        if self.live:
            self.live.start()
        else:
            print(" ".join(f"{word:>12}" for word in self.HEAD), file=sys.stderr, flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def __call__(self, record: dict) -> None:
        step = record["step"]
        self.times.append((record["numpy_ms"], record["torch_ms"]))
        numpy_ms, torch_ms = (sorted(times)[len(times) // 2] for times in zip(*self.times))
        row = (f"{step}/{self.steps}", f"{record['numpy_loss']:.6f}", f"{record['torch_loss']:.6f}",
               f"{record['difference']:.1e}", f"{numpy_ms:.1f}", f"{torch_ms:.1f}")
        keep = step == 1 or step % PLAIN_EVERY == 0 or step == self.steps
        if self.live:
            self.live.update(self.table([*self.rows, row]))
        elif keep:
            print(" ".join(f"{cell:>12}" for cell in row), file=sys.stderr, flush=True)
        if keep:
            self.rows.append(row)

    def table(self, rows: list[tuple]):
        from rich.table import Table as RichTable

        table = RichTable()
        for name in self.HEAD:
            table.add_column(name, justify="right")
        for row in rows[-14:]:
            table.add_row(*row)
        return table
