"""Run a command line: what the user can fix comes as one line on stderr and status 2."""

import os
import sys

import typer

from npgpt.errors import InputError

INSTALL = {
    "torch": "pip install 'npgpt[torch]', or the CPU build that pytorch.org/get-started names",
    "datasketch": "pip install 'npgpt[data]'",
    "numba": "pip install 'npgpt[compile]'",
    "transformers": "pip install 'npgpt[test]'",
}


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
    """NumPy's, also of an array that no memory could hold, or torch's on a GPU or
    the processor."""
    return (isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
            or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
            or (isinstance(error, ValueError) and "array is too big" in str(error)))


def fail(message: str, status: int = 2) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return status


def let_threads_sleep() -> None:
    """Call before torch is loaded: its idle threads then sleep instead of
    spinning, which on a busy machine makes a step three times as fast, and
    in the duet leaves the processors to NumPy."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
