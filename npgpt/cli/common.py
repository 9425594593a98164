"""What the commands of both halves share: options, errors, progress."""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.errors import InputError
from npgpt.runs.settings import Settings

INSTALL = {
    "torch": "pip install 'npgpt[torch]', or the CPU build that pytorch.org/get-started names",
    "datasketch": "pip install 'npgpt[data]'",
    "numba": "pip install 'npgpt[compile]'",
    "transformers": "pip install 'npgpt[test]'",
}
PLAIN_EVERY = 50  # steps between two lines where there is no terminal


# options


def option(
    flag: str, text: str, metavar: str | None = "N", default: Any = None, *also: str
) -> Any:
    """An option that is None unless given; its default stands in `text`."""
    if default is not None:
        text = f"{text} [{default:g}]" if isinstance(default, float) else f"{text} [{default}]"
    return typer.Option(flag, *also, help=text, metavar=metavar, show_default=False)


D = Settings()
Whole = int | None
Real = float | None
Text = str | None

Corpus = Annotated[
    Text, option("--corpus", "A name, file, or prepared DIR.", "NAME", D.corpus, "--data")
]
TokenizerFile = Annotated[
    Text, option("--tokenizer", "A file, words, or bpe:SIZE.", "NAME", "its characters")
]
Out = Annotated[Path | None, option("--out", "The run's directory.", "DIR", "runs/…-1, -2, …")]
Resume = Annotated[bool, option("--resume", "Continue the run in --out.", None)]
Steps = Annotated[Whole, option("--steps", "Updates in all.", default=D.steps)]
Seed = Annotated[Whole, option("--seed", "Of every random draw.", default=D.seed)]
Layers = Annotated[Whole, option("--layers", "Blocks.", default=D.layers)]
Heads = Annotated[Whole, option("--heads", "Attention heads a block.", default=D.heads)]
Channels = Annotated[Whole, option("--channels", "Width of the stream.", default=D.channels)]
ContextLength = Annotated[
    Whole, option("--context-length", "Tokens it sees at once.", default=D.context_length)
]
Tied = Annotated[
    bool | None, option("--tied/--untied", "Share head and embedding. [untied]", None)
]
Dtype = Annotated[Text, option("--dtype", "float32 or float64.", "NAME", D.dtype)]
BatchSize = Annotated[Whole, option("--batch-size", "Windows a step.", default=D.batch_size)]
Accumulate = Annotated[
    Whole, option("--accumulate", "Parts a batch is computed in.", default=D.accumulate)
]
Dropout = Annotated[Real, option("--dropout", "Share that is dropped.", "P", D.dropout)]
LearningRate = Annotated[
    Real, option("--learning-rate", "The highest rate.", "X", D.learning_rate)
]
MinimumRate = Annotated[
    Real, option("--minimum-rate", "The last rate.", "X", "a tenth of the highest")
]
WarmupSteps = Annotated[
    Whole, option("--warmup-steps", "Steps up to it.", default="a twentieth of --steps")
]
DecaySteps = Annotated[
    Whole, option("--decay-steps", "Steps down to the minimum.", default="--steps")
]
WeightDecay = Annotated[Real, option("--weight-decay", "AdamW's.", "X", D.weight_decay)]
Beta1 = Annotated[Real, option("--beta-1", "AdamW's, of the mean.", "X", D.beta_1)]
Beta2 = Annotated[Real, option("--beta-2", "AdamW's, of the square.", "X", D.beta_2)]
Clip = Annotated[Real, option("--clip", "Longest gradient.", "X", D.clip)]
EvaluateEvery = Annotated[
    Whole, option("--evaluate-every", "Steps between validations.", default=D.evaluate_every)
]
EvaluateBatches = Annotated[
    Whole, option("--evaluate-batches", "Batches of a validation.", default="all the text")
]
SaveEvery = Annotated[
    Whole, option("--save-every", "Steps between checkpoints.", default=D.save_every)
]
Check = Annotated[bool, option("--check", "Check the model first; train nothing.", None)]
AsJson = Annotated[bool, option("--json", "Print one JSON object.", None)]
Device = Annotated[Text, option("--device", "auto, cpu, cuda or mps.", "NAME", "auto")]

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run's directory, or its best/.")]
Prompts = Annotated[
    list[str] | None,
    typer.Option("--prompt", help="The text to continue; repeat. [a line end]", metavar="TEXT",
                 show_default=False),
]
Ids = Annotated[Text, option("--ids", "Or its token ids: 1,2,3.", "LIST")]
Tokens = Annotated[int, typer.Option(help="Tokens to add.", metavar="N")]
Temperature = Annotated[float, typer.Option(help="0: always the likeliest.", metavar="X")]
TopK = Annotated[Whole, option("--top-k", "Only the K likeliest.", "K")]
TopP = Annotated[Real, option("--top-p", "Only those that make up P.", "P")]
Penalty = Annotated[
    float, typer.Option("--repetition-penalty", help="Above 1: repeat less.", metavar="X")
]
Stop = Annotated[
    list[str] | None,
    typer.Option("--stop", help="End before this text; repeat.", metavar="TEXT",
                 show_default=False),
]
LogProbs = Annotated[
    bool, typer.Option("--logprobs", help="A line a token, with its log-probability.")
]
Stream = Annotated[bool, typer.Option("--stream", help="With --json: an object a token, too.")]
SampleSeed = Annotated[int, typer.Option("--seed", help="Of the draws.", metavar="N")]


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The settings among a command's arguments that were given."""
    names = [field.name for field in fields(Settings)]
    return {name: values[name] for name in names if values.get(name) is not None}


# running a command


def run(app: typer.Typer, name: str, argv: list[str] | None = None) -> int:
    """Run the command line; the exit status. What the user can mend comes as
    one line on stderr and status 2."""
    argv = sys.argv[1:] if argv is None else argv
    for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, stream) is None:  # closed by the caller
            setattr(sys, stream, open(os.devnull, mode))  # noqa: SIM115
    for output in (sys.stdout, sys.stderr):
        if hasattr(output, "reconfigure"):
            output.reconfigure(errors="replace")
    try:
        # not app(…), which answers an interrupt and a closed pipe itself
        command = typer.main.get_command(app)
        with command.make_context(name, list(argv or ["--help"])) as context:
            status = command.invoke(context)
            sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except InputError as error:
        return fail(str(error))
    except OSError as error:
        parts = (error.filename, error.strerror or error)
        return fail(": ".join(str(part) for part in parts if part))
    except ModuleNotFoundError as error:
        if error.name not in INSTALL:
            raise
        return fail(f"{error.name} is not installed: {INSTALL[error.name]}")
    except Exception as error:
        if is_out_of_memory(error):
            return fail(f"not enough memory ({error}): make the batch, the context or the"
                        " model smaller; training takes a batch in parts with --accumulate")
        if not hasattr(error, "format_message"):  # click's own
            raise
        where = getattr(error, "ctx", None)
        path = where.command_path if where else name
        return fail(f"{error.format_message().rstrip('.')}: see {path} --help")


def is_out_of_memory(error: Exception) -> bool:
    """NumPy's, or torch's on a GPU or the processor."""
    return (isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
            or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error)))


def fail(message: str, status: int = 2) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return status


def free_directory(name: str) -> Path:
    """runs/NAME-1, or the first number that is not taken."""
    number = 1
    while Path("runs", f"{name}-{number}").exists():
        number += 1
    return Path("runs", f"{name}-{number}")


def print_json(value: dict) -> None:
    print(json.dumps(for_json(value), ensure_ascii=False, allow_nan=False))


def clean_stdout(as_json: bool):
    """What others print meanwhile goes to stderr where stdout is to hold one object."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def for_json(value: Any) -> Any:
    """The same, with None where a number is not finite, which JSON cannot say."""
    if isinstance(value, dict):
        return {name: for_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [for_json(part) for part in value]
    if hasattr(value, "item"):  # NumPy's
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_file(file: Path | None, suffix: str) -> None:
    """InputError unless a file of this kind can be written there: said before the
    work, and a slip must not cost another file."""
    if file is None:
        return
    if file.is_dir():
        raise InputError(f"{file} is a directory; give a file, such as {file / f'name{suffix}'}")
    if file.suffix.lower() != suffix:
        raise InputError(f"{file} does not end in {suffix}: give a name that does")
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no directory {file.parent}; make it first")
    if not os.access(file.parent, os.W_OK):
        raise InputError(f"{file}: {file.parent} may not be written to")


def let_threads_sleep() -> None:
    """Call before torch is loaded: its idle threads then sleep instead of
    spinning, which on a busy machine makes a step three times as fast, and
    in the duet leaves the processors to NumPy."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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


# progress, on stderr


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
