"""npgpt duet: both packages trained side by side, on the same batches."""

import math
import sys
from collections import deque
from typing import Annotated, Any

from npgpt.cli import options
from npgpt.cli.options import option, with_settings
from npgpt.cli.output import free_directory, print_json
from npgpt.cli.progress import EVERY_STEPS, memory_used, stop_flag, while_heard
from npgpt.cli.run import fail, let_threads_sleep
from npgpt.cli.tables import GrowingTable, print_table
from npgpt.cli.train_output import tell_of_training_text
from npgpt.errors import InputError
from npgpt.files import shell_quote

GRADIENTS = 5  # tensors in the table at the end
# settings that the duet leaves at their defaults
LEFT = ("start_from", "minimum_rate", "decay_steps", "beta_1", "beta_2", "evaluate_every")
Device = Annotated[
    str | None, option("--device", "PyTorch's device: auto, cpu, cuda or mps.", "NAME", "auto")
]


@with_settings(without=LEFT)
def duet(
    *,
    out: options.Out = None,
    model: options.Model = None,
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
    npgpt duet --model llama
    """
    if settings.get("dtype", "float32") not in ("float32", "float64"):
        raise InputError(f"dtype is {settings['dtype']!r}: the duet plays in float32 or float64")
    let_threads_sleep()
    import torch

    from npgpt.models import BY_TYPE
    from npgpt.runs.diverged import Diverged
    from npgpt.runs.duet import duet as play
    from npgpt.runs.duet import parting, sample_both
    from npgpt.runs.run import cleared_unless_started, start_run
    from npgpt.runs.start_from import named_model
    from npgpt.runs.summary import of_training_text
    from npgpt.runs.trainers import numpy_trainer
    from torchgpt.device import pick_device, pick_dtype, use_exact_arithmetic
    from torchgpt.generation import generate
    from torchgpt.runs.trainers import by_hand_trainer

    use_exact_arithmetic()
    chosen = pick_device(device or "auto")
    pick_dtype(settings.get("dtype", "float32"), chosen)
    extra = {"half": "both, by hand", "torch": {
        "version": torch.__version__, "device": str(chosen),
        "threads": torch.get_num_threads()}}
    out = out or free_directory("duet")
    family = named_model(model or "gpt2", BY_TYPE)
    run = start_run(out, settings, "npgpt duet", extra, family)
    with cleared_unless_started(run):
        trainers = numpy_trainer(run), by_hand_trainer(run, chosen)
        with stop_flag() as stopped, LossTable(run.settings.steps) as table:
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
    if summary["status"] == "finished":
        summary |= of_training_text(run, trainers[0], summary["validation_loss"]["numpy"])
    summary["text"] = sample_both(run, params, trainers[1], generate)
    summary["peak_memory_gb"] = round(memory_used(), 3)
    if as_json:
        print_json(summary)
    else:
        tell(summary, run)
    wrong = parting(summary)
    return fail(wrong, status=1) if wrong else 0


def tell(summary: dict, run) -> None:
    """What the duet found."""
    V = run.config.vocab_size
    print(f"\nlargest |Δ| of the losses: {summary['largest_difference']:.1e}"
          f" (budget {summary['loss_budget']:g})")
    print(f"first loss {summary['first_loss']:.3f}; knowing nothing is ln {V} = {math.log(V):.3f}")
    for name, loss in summary["validation_loss"].items():
        print(f"validation loss, {name + ':':<7} {loss:.4f} nats a token")
    tell_of_training_text(summary)
    gradients = summary["gradient_differences"]
    most = sorted(gradients, key=gradients.__getitem__, reverse=True)[:GRADIENTS]
    print(f"\ngradients of step {summary['gradients_of_step']}, the {len(most)} of"
          f" {len(gradients)} tensors that differ most:")
    rows = [(name, f"{gradients[name]:.1e}") for name in most]
    print_table(("tensor", "max|a−b| / max|b|"), rows)
    text = summary["text"]
    same = "token for token the same" if text["equal"] else "the same up to where they part"
    print(f"sampled by both from the same weights, {same}:\n")
    print("  " + text["text"].strip("\n").replace("\n", "\n  "))
    if not text["equal"]:
        print(f"\nat token {text['place'] + 1} NumPy drew {text['numpy']}, PyTorch {text['torch']};"
              f" the draw lay {text['distance']:.1e} from the boundary"
              + (": a rounding tie" if text["tie"] else ""))
    print(f"\npicture: {run.path / 'duet.png'}\ntry it:  npgpt sample"
          f" {shell_quote(run.path)}")


class LossTable(GrowingTable):
    """step | NumPy loss | PyTorch loss | |Δ| | ms a step of each."""

    def __init__(self, steps: int) -> None:
        super().__init__(("step", "NumPy loss", "PyTorch loss", "|Δ|", "NumPy ms", "PyTorch ms"))
        self.steps = steps
        self.times: deque = deque(maxlen=EVERY_STEPS)

    def __call__(self, record: dict) -> None:
        step = record["step"]
        self.times.append((record["numpy_ms"], record["torch_ms"]))
        numpy_ms, torch_ms = (sorted(times)[len(times) // 2] for times in zip(*self.times))
        row = (f"{step}/{self.steps}", f"{record['numpy_loss']:.6f}", f"{record['torch_loss']:.6f}",
               f"{record['difference']:.1e}", f"{numpy_ms:.1f}", f"{torch_ms:.1f}")
        self.add(row, due=step in (1, self.steps) or step % EVERY_STEPS == 0)
