"""What npgpt finetune prints, meanwhile and at its end."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from npgpt.cli.progress import EVERY_SECONDS, Bar, clock


def tell(summary: dict, run, began: int, told: str) -> None:
    """How the fine-tuning went. began: the step it started after; told: as its method has it."""
    print(f"{run.path}: steps {began + 1} to {summary['step']} in {clock(summary['seconds'])}")
    if summary["validation_loss"] is not None:
        print(told.format(step=summary["validation_step"], loss=summary["validation_loss"]))
    print(f"picture: {run.path / 'loss.png'}")


@contextmanager
def measuring() -> Iterator[Callable[[int, int], None]]:
    """-> report(done, total) of pairs, whose bar begins with the first of them."""
    bar, printed = None, 0.0

    def report(done: int, total: int) -> None:
        nonlocal bar, printed
        if bar is None:
            bar = stack.enter_context(Bar())
            bar.begin("log-probabilities at the start, pair")
        due = not printed or time.perf_counter() - printed >= EVERY_SECONDS
        printed = time.perf_counter() if due else printed
        bar.show(done, total, "", due)

    with ExitStack() as stack:
        yield report


def engine_of(params, run):
    """What answers test questions meanwhile, in NumPy."""
    from npgpt.generation import Engine
    from npgpt.models import BY_TYPE

    return Engine(BY_TYPE[run.model.FILES["model_type"]], params, run.config,
                  run.data.tokenizer)


def reporting(progress):
    """Progress, and the answers to test questions as they come."""

    def report(record: dict) -> None:
        if "chosen" in record:
            print(f"  chosen over rejected: {record['chosen']:.1%} of the validation pairs",
                  file=sys.stderr)
        if record.get("step", 0) % 50 == 0 and "reward" in record:
            print(f"  mean reward of the last answers: {record['reward']:.2f}", file=sys.stderr)
        if "old_loss" in record:
            from npgpt.runs.train import perplexity

            print(f"  perplexity on the old text: {perplexity(record['old_loss']):.2f}",
                  file=sys.stderr)
        if not {"samples", "chosen", "reward", "old_loss"} & set(record):
            return progress(record)
        for each in record.get("samples", {}).values():
            mark = "right" if each["right"] else "wrong"
            print(f"  {mark}: {each['question']} {each['answer']}", file=sys.stderr)

    return report
