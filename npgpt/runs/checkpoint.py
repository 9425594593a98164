"""A run's directory, read and written: the family's names, safetensors, never pickle.

    run.json                every setting, the versions, the data's SHA-256
    config.json             the sizes, as `transformers` reads them
    tokenizer.json, tokenizer_config.json
    model.safetensors       the weights under the family's names
    training.safetensors    weights and moments under ours, the step in the metadata
    best/                   the same files, of the lowest validation loss

The first three appear together, in a new directory by one rename, and never
change. The weights are written aside, flushed to the disk and renamed: whoever
looks, whenever the writer was killed, finds the old state or the new one. The
training state is written last: steps that it does not know of are taken again.
"""

import json
import math
import os
import re
import shutil
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.families import BY_TYPE
from npgpt.files import errors_about, name_beside, sync_directory, write_atomically
from npgpt.text import load_tokenizer, tokenizer_config
from npgpt.tree import nest, tree_leaves, tree_map_with_path

KINDS = {"F64": np.float64, "F32": np.float32, "F16": np.float32}


@dataclass
class Checkpoint:
    """What a directory holds; `tokenizer`, `settings` (run.json) and
    `training` are None where it has none. `family`: whose model it is."""

    path: Path
    config: Any
    params: dict
    tokenizer: Any
    settings: dict | None
    family: Any

    @cached_property
    def training(self) -> dict | None:
        """{"step", "params", "optimizer", "best"}, read when first asked for."""
        return load_training(self.path, self.config, self.family)


def save_checkpoint(
    path: str | Path,
    config: Any,
    params: dict,
    tokenizer: Any = None,
    training: dict | None = None,
    family: Any = None,
) -> None:
    """Write `params` (NumPy, nested) to a directory, new or of the same model.

    `training`: {"step": int, "best": the lowest validation loss or None,
    "optimizer": AdamW's state}; it is what a resumed run starts from. `family`:
    the module of the config's class, where it is none of ours.
    """
    path, family = Path(path), family or family_of(config)
    if not path.is_dir() or not any(path.iterdir()):
        create_run(path, config, tokenizer, family=family)
    elif read_config(path, family) != config:
        raise InputError(f"{path} holds a model of other sizes; choose another directory")
    _write_tensors(path / "model.safetensors", to_file(params, family), {"format": "pt"})
    if training is not None:
        state = training["optimizer"]
        moments = {"m": state["m"], "v": state["v"]}
        arrays = dict(tree_leaves({"params": params, "optimizer": moments}))
        facts = {"step": training["step"], "best": training["best"],
                 "optimizer.step": state["step"]}
        _write_tensors(path / "training.safetensors", arrays, {"facts": json.dumps(facts)})


def create_run(
    path: str | Path, config: Any, tokenizer: Any = None, settings: dict | None = None,
    family: Any = None,
) -> None:
    """Make a run's directory, without weights yet; all of it appears at once.

    An empty directory that is there is filled, config.json last: it may be a
    link, a mount, or where the user stands. Raises InputError where `path` holds anything already.
    """
    path = Path(path)
    taken = InputError(
        f"{path} holds another run or other files; choose another directory,"
        " or continue that run with --resume"
    )
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a directory")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{path.parent} is no directory; choose another place") from None
    there = path.is_dir()
    # one name for all who would fill an empty directory: only one gets it
    aside = path / ".new" if there else name_beside(path)
    with errors_about(path):
        try:
            os.mkdir(aside)
        except FileExistsError:
            raise taken from None
        try:
            if there and list(path.iterdir()) != [aside]:
                raise taken
            _write_static(aside, config, tokenizer, settings, family or family_of(config))
            if there:
                for file in sorted(aside.iterdir(), key=lambda file: file.name == "config.json"):
                    os.replace(file, path / file.name)
                aside.rmdir()
                sync_directory(path)
            else:
                try:
                    os.rename(aside, path)
                except OSError:
                    if path.is_dir():  # another was quicker
                        raise taken from None
                    raise
                sync_directory(path.parent)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def _write_static(
    path: Path, config: Any, tokenizer: Any, settings: dict | None, family: Any
) -> None:
    """What never changes in a run."""
    if settings is not None:
        write_atomically(path / "run.json", json.dumps(settings, indent=2) + "\n")
    sizes = json.dumps(config_fields(config, family), indent=2)
    write_atomically(path / "config.json", sizes + "\n")
    if tokenizer is not None:
        check_tokenizer(tokenizer, config, "the tokenizer")
        tokenizer.save(path / "tokenizer.json")
        about = tokenizer_config(tokenizer, config.context_length)
        write_atomically(path / "tokenizer_config.json", json.dumps(about, indent=2) + "\n")


def load_checkpoint(path: str | Path, family: Any = None) -> Checkpoint:
    """Read a run, or a directory of `transformers`, its cache included. `family`:
    whose model it is, by default what its model_type says."""
    path = find_directory(path)
    family = family or family_in(path)
    config = read_config(path, family)
    params = from_file(path, config, family)
    tokenizer = read_tokenizer(path, config)
    settings = read_settings(path)
    trained = (settings or {}).get("settings")
    heads = getattr(config, "heads", None)  # no tensor's shape shows them
    if isinstance(trained, dict) and heads and trained.get("heads", heads) != heads:
        raise InputError(f"{path} was trained with {trained['heads']} heads, but its config.json"
                         f" names {heads}; restore it from a copy")
    return Checkpoint(path, config, params, tokenizer, settings, family)


def saved_step(path: str | Path) -> int | None:
    """The step of the last save, or None before the first."""
    file = Path(path) / "training.safetensors"
    if not file.exists():
        return None
    with _open(file) as source:
        return _facts(file, source)["step"]


def load_training(path: str | Path, config: Any, family: Any = None) -> dict | None:
    """What `training.safetensors` holds, or None before the first save."""
    file = Path(path) / "training.safetensors"
    if not file.exists():
        return None
    with _open(file) as source:
        names = set(source.keys())
        facts = _facts(file, source)
        family = family or family_of(config)
        wanted = dict(tree_leaves(shapes(within(config, len(names)), family)))
        expected = {f"{tree}.{name}": shape
                    for tree in ("params", "optimizer.m", "optimizer.v")
                    for name, shape in wanted.items()}
        _check_names(file, expected, names)
        _check_shapes(file, {name: (source, name) for name in expected}, expected)
        parts = [(name, source.get_tensor(name)) for name in expected]
    parts.append(("optimizer.step", facts.pop("optimizer.step")))
    return {**facts, **nest(parts)}


def _facts(file: Path, source) -> dict:
    """What a training state says besides its arrays: both steps, the best loss."""
    try:
        facts = json.loads((source.metadata() or {}).get("facts", "null"))
        whole = [type(facts[name]) is int and facts[name] >= 0
                 for name in ("step", "optimizer.step")]
        best = facts["best"] is None or math.isfinite(facts["best"])
    except (ValueError, KeyError, TypeError):
        whole, best = [False], False
    if not (all(whole) and best):
        raise InputError(f"{file} is not a training state of npgpt; restore it from a copy")
    return facts


def find_directory(path: str | Path) -> Path:
    """The directory with config.json: `path`, or the snapshot that `transformers` has
    downloaded of a model of this name, such as openai-community/gpt2."""
    name, path = str(path), Path(path)
    if not path.exists():
        path = next((folder for folder in hub_folders(name) if folder.is_dir()), path)
    if not path.exists():
        raise InputError(
            f"there is no checkpoint at {path}, and no model of this name in {hub_cache()}"
        )
    if path.is_file():
        raise InputError(f"{path} is a file; give the directory that holds it and its config.json")
    main = path / "refs" / "main"
    if main.is_file() and (path / "snapshots").is_dir():
        path = path / "snapshots" / Path(main.read_text().strip()).name
    if not (path / "config.json").is_file():
        raise InputError(f"{path} holds no checkpoint: there is no config.json in it")
    return path


def hub_cache() -> Path:
    """Where `transformers` keeps what it has downloaded."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()


def hub_folders(name: str) -> list[Path]:
    """The folders in which it would keep this model; "gpt2" is short for OpenAI's."""
    names = [name] if "/" in name else [name, f"openai-community/{name}"]
    return [hub_cache() / f"models--{each.replace('/', '--')}" for each in names]


def read_settings(path: str | Path) -> dict | None:
    """run.json, or None."""
    file = Path(path) / "run.json"
    return _read_json(file) if file.exists() else None


def read_tokenizer(path: Path, config: Any) -> Any:
    """The directory's tokenizer, or None; one that does not fit is an InputError."""
    file = path / "tokenizer.json"
    if file.exists():
        tokenizer = load_tokenizer(file)
    elif (path / "merges.txt").exists() and (path / "vocab.json").exists():
        from npgpt.text import BytePairTokenizer

        file = path / "vocab.json"
        tokenizer = BytePairTokenizer.from_gpt2(path / "merges.txt", file)
    else:
        return None
    check_tokenizer(tokenizer, config, str(file))
    return tokenizer


def check_tokenizer(tokenizer: Any, config: Any, name: str) -> None:
    if tokenizer.vocab_size != config.vocab_size:
        raise InputError(
            f"{name} has {tokenizer.vocab_size} tokens, but the model's vocabulary has"
            f" {config.vocab_size}: this is not the tokenizer that it was trained with"
        )


# config.json


def family_of(config: Any) -> Any:
    """The family among ours that a config is of."""
    found = [family for family in BY_TYPE.values() if isinstance(config, family.Config)]
    if not found:
        raise InputError(f"{type(config).__module__} is no family known here: name it, family=...")
    return found[0]


def family_in(path: str | Path, by_type: dict[str, Any] = BY_TYPE) -> Any:
    """The family, or model, of those that a directory's config.json names; GPT-2's
    where it names none."""
    file = Path(path) / "config.json"
    kind = _read_json(file).get("model_type", "gpt2")
    if not isinstance(kind, str) or kind not in by_type:
        known = " and ".join(map(repr, by_type))
        raise InputError(f"{file}: model_type is {kind!r}; only {known} is known here")
    return by_type[kind]


def config_fields(config: Any, family: Any) -> dict:
    """The fields by which `transformers` builds the same model."""
    files = family.FILES
    names = files.get("fields") or {field.name: field.name for field in fields(config)}
    found = {"architectures": files.get("architectures", []), "model_type": files["model_type"]}
    found |= {theirs: getattr(config, ours) for ours, theirs in names.items()}
    found |= {theirs: getattr(config, ours) for theirs, ours in files.get("derived", {}).items()}
    return found | files.get("written", {})


def read_config(path: str | Path, family: Any = None) -> Any:
    """The Config in a directory's config.json; what we cannot compute is an InputError."""
    file = Path(path) / "config.json"
    if not file.exists():
        raise InputError(f"{path} holds no checkpoint: there is no config.json in it")
    found, family = _read_json(file), family or family_in(path)
    files = family.FILES
    known = {"model_type": (files["model_type"],), **files.get("known", {})}
    for name, allowed in known.items():
        value = found.get(name, allowed[0])
        if value not in allowed:
            raise InputError(f"{file}: {name} is {value!r}; only {allowed[0]!r} is known here")
    names = files.get("fields") or {field.name: field.name for field in fields(family.Config)}
    defaults = files.get("defaults", {})
    missing = [theirs for ours, theirs in names.items()
               if theirs not in found and ours not in defaults]
    if missing:
        raise InputError(f"{file} does not describe a {files['model_type']} model:"
                         f" it lacks {_some(missing)}")
    given = {ours: found.get(theirs, defaults.get(ours)) for ours, theirs in names.items()}
    given |= {name: bool(given[name]) for name, value in defaults.items() if value is True}
    try:
        config = family.Config(**given)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    for theirs, ours in files.get("derived", {}).items():
        if found.get(theirs) not in (None, getattr(config, ours)):
            raise InputError(f"{file}: {theirs} is {found[theirs]!r}; only"
                             f" {getattr(config, ours)}, our {ours}, is known here")
    return config


# model.safetensors


def shapes(config: Any, family: Any) -> dict:
    """The parameters' tree, with a shape where each array goes."""
    return tree_map_with_path(lambda path, weight: weight.shape, family.weights(config))


def within(config: Any, tensors: int) -> Any:
    """The Config, but with no more layers than show that so many tensors are too few."""
    if not hasattr(config, "layers"):
        return config
    return replace(config, layers=min(config.layers, tensors + 1))


def file_name(path: str, family: Any) -> str:
    """ "blocks.0.attention.qkv.weight" -> "transformer.h.0.attn.c_attn.weight"."""
    for ours, theirs in family.FILES.get("names", ()):
        path = re.sub(ours, theirs, path)
    return path


def to_file(params: dict, family: Any) -> dict[str, np.ndarray]:
    """Weights under the file's names, those that it stores so transposed."""
    transposed = family.FILES.get("transposed", ())
    return {file_name(path, family): array.T if path in transposed else array
            for path, array in tree_leaves(params)}


def from_file(path: Path, config: Any, family: Any) -> dict:
    """The weights in a directory: one file, or shards with an index."""
    index = path / "model.safetensors.index.json"
    single = path / "model.safetensors"
    if single.exists():
        files = [single]
    elif index.exists():
        shards = _read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise InputError(f"{index} names no files of weights; restore it from a copy")
        files = sorted({path / Path(str(shard)).name for shard in shards.values()})
    else:
        raise InputError(f"{path} holds no weights yet: there is no model.safetensors in it")
    about = family.FILES
    ignored, transposed = about.get("ignored"), about.get("transposed", ())
    sources = {}
    for file in files:
        source = _open(file)
        for name in source.keys():  # noqa: SIM118 (it is no dict)
            if not (ignored and re.search(ignored, name)):
                sources[_with_prefix(name, about)] = (source, name)
    expected = {
        file_name(name, family): shape[::-1] if name in transposed else shape
        for name, shape in tree_leaves(shapes(within(config, len(sources)), family))
    }
    head = about.get("head")
    tied = sources.pop(head, None) if head not in expected else None
    _check_names(files[0], expected, set(sources))
    _check_shapes(files[0], sources, expected)
    if tied and not np.array_equal(_tensor(*tied), _tensor(*sources[about["embedding"]])):
        raise InputError(
            f"{files[0]}: {head} differs from the token embedding,"
            " but config.json says that they are tied"
        )

    def read(name, _weight):
        array = _tensor(*sources[file_name(name, family)])
        return np.ascontiguousarray(array.T) if name in transposed else array

    return tree_map_with_path(read, family.weights(config))


def _with_prefix(name: str, about: dict) -> str:
    prefix = about.get("prefix", "")
    return name if name == about.get("head") or name.startswith(prefix) else prefix + name


def _tensor(source, name: str) -> np.ndarray:
    kind = source.get_slice(name).get_dtype()
    # a copy: NumPy asks for large pages, from which a product reads a weight faster
    return source.get_tensor(name).astype(KINDS[kind], copy=True)


def _check_names(file: Path, expected: dict, found: set[str]) -> None:
    missing = [name for name in expected if name not in found]
    foreign = sorted(found - set(expected))
    if missing or foreign:
        what = [f"lacks {_some(missing)}"] * bool(missing)
        what += [f"has the unknown {_some(foreign)}"] * bool(foreign)
        raise InputError(f"{file} does not fit its config.json: it {' and '.join(what)}")


def _check_shapes(file: Path, sources: dict, expected: dict) -> None:
    for name, shape in expected.items():
        source, stored_name = sources[name]
        stored = source.get_slice(stored_name)
        if tuple(stored.get_shape()) != tuple(shape):
            raise InputError(
                f"{file}: {name} is {tuple(stored.get_shape())}, expected {tuple(shape)}"
            )
        if stored.get_dtype() not in KINDS:
            raise InputError(
                f"{file}: {name} is stored as {stored.get_dtype()};"
                " save the model as float32, float16 or float64"
            )


def _open(file: Path):
    from safetensors import SafetensorError, safe_open

    if not file.exists():
        raise InputError(f"{file} is missing")
    if file.is_dir():
        raise InputError(f"{file} is a directory, not a file; restore it from a copy")
    try:
        return safe_open(file, framework="numpy")
    except SafetensorError as error:
        raise InputError(
            f"{file} is cut off, or no safetensors file ({error}); restore it from a copy"
        ) from None


def _write_tensors(file: Path, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Aside, flush, rename, flush the directory. Errors name `file`."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    aside = file.with_name(f".{file.name}.part")
    try:
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()},
            aside,
            metadata=metadata,
        )
        with errors_about(file):
            with open(aside, "rb+") as handle:
                os.fsync(handle.fileno())
            # safetensors lets only its user read a file
            os.chmod(aside, file.with_name("config.json").stat().st_mode & 0o666)
            os.replace(aside, file)
            sync_directory(file.parent)
    except SafetensorError as error:
        aside.unlink(missing_ok=True)
        raise InputError(f"cannot write {file}: {error}") from None
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _read_json(file: Path) -> dict:
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise InputError(f"{file} is not JSON; restore it from a copy") from None
    if not isinstance(fields, dict):
        raise InputError(f"{file} holds no JSON object; restore it from a copy")
    return fields


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
