"""Progress on stderr, and a Ctrl-C that takes effect between two steps."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

EVERY_STEPS, MOST_SECONDS = 50, 60  # between two lines where there is no terminal
EVERY_SECONDS = 5


@contextmanager
def stop_flag() -> Iterator[Callable[[], bool]]:
    """Ctrl-C sets a flag that is read between steps; a second one stops at once."""
    pressed = False

    def press(number, frame):
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        with suppress(OSError):
            print("\nstopping after this step; Ctrl-C again: at once, unsaved", file=sys.stderr)

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


class Bar:
    """A progress bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self.label, self.began, self.start = "", time.perf_counter(), 0
        self.live = make_bar() if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
            self.task = self.live.add_task("", total=None, text="")
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def begin(self, label: str, start: int = 0) -> None:
        """Another kind of work, of which `start` is done."""
        self.label, self.began, self.start = label, time.perf_counter(), start
        if self.live:
            self.live.reset(self.task, completed=start)

    def show(self, done: int, total: int | None, text: str, due: bool, unit: str = "") -> None:
        """`done` of `total` (None: nobody knows); without a terminal, only what is due."""
        count = self.label
        if done or total:
            count += f" {done:,}{f'/{total:,}' if total else ''}{unit}"
        if self.live:
            self.live.update(
                self.task, completed=done, total=total, description=count, text=text)
        elif due:
            new = done - self.start
            left = ""
            if total and new and done < total:
                left = f"{clock(self.seconds / new * (total - done))} left"
            print("  ".join(filter(None, (count, text, left))), file=sys.stderr, flush=True)

    @property
    def seconds(self) -> float:
        """Since this work began."""
        return time.perf_counter() - self.began


def make_bar():
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    def text(template: str, **how):
        column = Column(no_wrap=True, **how)
        return TextColumn(template, markup=False, table_column=column)

    return Progress(
        text("{task.description}", min_width=12), BarColumn(bar_width=None),
        text("{task.fields[text]}", ratio=2), TimeRemainingColumn(compact=True),
        console=Console(stderr=True))


class TrainingProgress(Bar):
    """The steps of a run, from the records of its log."""

    def __init__(self, start: int, steps: int) -> None:
        super().__init__()
        self.first, self.steps, self.told = start, steps, time.perf_counter()
        self.validation: float | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        self.begin("step", self.first)
        return self

    def __call__(self, record: dict) -> None:
        step, measured = record["step"], "validation_loss" in record
        self.validation = record.get("validation_loss", self.validation)
        parts = []
        if "train_loss" in record:
            parts += [f"loss {record['train_loss']:.3f}",
                      f"{record['tokens_per_second']:,.0f} tokens/s"]
        if self.validation is not None and (measured or self.live):
            parts.append(f"validation {self.validation:.3f}")
        if self.live:
            parts.append(f"{memory_used():.2f} GB")
        now = time.perf_counter()
        self.began = now if step == self.first else self.began  # a first validation is no step
        due = step % EVERY_STEPS == 0 or measured or now - self.told >= MOST_SECONDS
        self.told = now if due else self.told
        self.show(step, self.steps, "  ".join(parts), due)


def clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"


def memory_used() -> float:
    """The peak memory of this process, in GB; 0 where the system does not say."""
    from npgpt.runs.log import peak_memory

    return (peak_memory() or 0.0) / 1000
