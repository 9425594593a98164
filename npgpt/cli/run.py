"""Run a command line: what the user can fix comes as one line on stderr and status 2."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import typer

from npgpt.errors import InputError

INSTALL = {
    "torch": "pip install 'npgpt[torch]', or the CPU build that pytorch.org/get-started names",
    "datasketch": "pip install 'npgpt[data]'",
    "numba": "pip install 'npgpt[compile]'",
    "transformers": "pip install 'npgpt[test]'",
}
# what takes less memory, by command
SMALLER = {
    "train": "make the model (--channels, --layers), the --context-length or the --batch-size"
             " smaller, or compute each batch in parts with --accumulate",
    "duet": "make the model (--channels, --layers), the --context-length or the --batch-size"
            " smaller, or compute each batch in parts with --accumulate",
    "sample": "ask for fewer --tokens, or give a shorter prompt",
}
# libraries' words for sizes that no machine has
TOO_LARGE = (
    "can't allocate memory",  # torch, on the processor
    "Maximum allowed dimension exceeded", "array is too big", "Maximum allowed size exceeded",
    "Storage size calculation overflowed", "integer multiplication overflow",
    "too large to convert to C", "int too big to convert", "Overflow when unpacking long",
)


def run(app: typer.Typer, name: str, argv: list[str] | None = None) -> int:
    """Run the command line; the exit status. What the user can fix comes as
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
        with command.make_context(name, list(argv or ["--help"])) as context, quiet():
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
            smaller = SMALLER.get(argv[0] if argv else "", "give it less to do at once")
            return fail(f"not enough memory ({error}): {smaller}")
        if not hasattr(error, "format_message"):  # click's own
            raise
        where = getattr(error, "ctx", None)
        path = where.command_path if where else name
        return fail(f"{error.format_message().rstrip('.')}: see {path} --help")


@contextmanager
def quiet() -> Iterator[None]:
    """Without NumPy's warnings of numbers that overflow: what it means is reported once,
    and a terminal or a pipe gets nothing else."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        yield


def is_out_of_memory(error: Exception) -> bool:
    """NumPy's, or torch's on a GPU or the processor; also for what exceeds any memory."""
    return (isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
            or (isinstance(error, RuntimeError | ValueError | OverflowError | TypeError)
                and any(words in str(error) for words in TOO_LARGE)))


def fail(message: str, status: int = 2) -> int:
    with suppress(OSError):  # where nobody can be told, the status tells
        print("error: " + " ".join(message.split()), file=sys.stderr, flush=True)
    return status


def let_threads_sleep() -> None:
    """Call before torch is loaded: its idle threads then sleep instead of
    spinning, which on a busy machine makes a step three times as fast, and
    in the duet leaves the processors to NumPy."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
