"""Progress on stderr, and a Ctrl-C that is heard between two steps."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PLAIN_EVERY = 50  # steps between two lines where there is no terminal


@contextmanager
def stop_flag() -> Iterator[Callable[[], bool]]:
    """Ctrl-C sets a flag that is read between steps; a second one stops at once."""
    pressed = False

    def press(number, frame):
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def while_heard(report: Callable[[dict], None]) -> Callable[[dict], None]:
    """`report`, until nobody reads it any more: the work then goes on in silence."""
    heard = True

    def tell(record: dict) -> None:
        nonlocal heard
        try:
            if heard:
                report(record)
        except OSError:
            heard = False
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115

    return tell


class Progress:
    """A bar on a terminal, a plain line every 50 steps elsewhere."""

    def __init__(self, start: int, steps: int) -> None:
        self.start, self.steps = start, steps
        self.began = time.perf_counter()
        self.validation: float | None = None
        self.bar = make_bar(steps) if sys.stderr.isatty() else None

    def __enter__(self) -> "Progress":
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("", total=self.steps, completed=self.start, text="")
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def __call__(self, record: dict) -> None:
        step = record["step"]
        measured = "validation_loss" in record
        self.validation = record.get("validation_loss", self.validation)
        text = ""
        if "train_loss" in record:
            text = f"loss {record['train_loss']:.3f}  {record['tokens_per_second']:,.0f} tokens/s"
        if self.validation is not None and (measured or self.bar):
            text += f"  validation {self.validation:.3f}"
        if self.bar:
            self.bar.update(self.task, completed=step, text=f"{text}  {memory_used():.2f} GB")
        elif step % PLAIN_EVERY == 0 or measured:
            done = step - self.start
            left = (time.perf_counter() - self.began) / max(done, 1) * (self.steps - step)
            ending = f"  {clock(left)} left" if done and step < self.steps else ""
            print(f"step {step}/{self.steps}  {text.strip()}{ending}", file=sys.stderr, flush=True)


def make_bar(steps: int):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    return Bar(
        MofNCompleteColumn(
            table_column=Column(no_wrap=True, min_width=2 * len(str(steps)) + 1)),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[text]}", table_column=Column(no_wrap=True, ratio=2)),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )


def clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"


def memory_used() -> float:
    """The most memory this process has held, in GB; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9
