"""From raw text to what training reads: `npgpt prepare SOURCE --out DIR`.

The steps, in order:

1. read   documents from files, a directory, a pattern, JSONL, a corpus' name
2. clean  strip HTML, normalise Unicode, tidy blanks
3. filter by length, symbols, repetition, script
4. mask   personal data
5. dedup  exact (SHA-1), then near (MinHash-LSH): the first is kept
6. split  by a hash of the document's words, then check that nothing leaks
7. encode with a tokenizer trained on the training documents

Steps 1 to 4 look at one document alone and run in several processes, so they
come first: duplicates are looked for among what is fit to be kept, and no
text is lost to a copy that is dropped itself.

The directory then holds

    manifest.json       counts, settings, licence, the other files' SHA-256
    tokenizer.json      as `npgpt.text.load_tokenizer` reads it
    train.tokens        ids of all training documents, each followed by a blank
    validation.tokens     line; a .npy file, see `npgpt.text.token_files`
    train.jsonl         one document a line: id, source, start (its first byte there),
    validation.jsonl      text, chunks ([start, end] in characters, overlapping)
    report.md           counts, examples of what was dropped and why, and
    report.json           the figures in lengths.png and vocabulary.png

manifest.json is written last: a directory without it is not ready. Until then
finished portions lie in DIR/.work, so that a run that was killed goes on where
it was, and ends with the same bytes. The bytes depend on the input, the
settings and the libraries' versions, not on the number of processes.

Memory: a process holds one portion of about a megabyte (one HTML page or JSONL line may
have 8); the index of near duplicates holds 40,000 documents; of every document
some 30 bytes stay (digest places, verdicts, sizes).
"""

import hashlib
import io
import json
import multiprocessing
import os
import shutil
import signal
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import write_atomically
from npgpt.text import corpora, dedup
from npgpt.text.byte_pairs import BytePairTokenizer
from npgpt.text.characters import CharacterTokenizer
from npgpt.text.chunk import chunk
from npgpt.text.clean import FORMS, Form, clean, looks_like_html, strip_html
from npgpt.text.filter import SCRIPTS, Limits, scripts, why_not
from npgpt.text.personal import mask_personal
from npgpt.text.sources import Piece, blocks, documents, read_pieces
from npgpt.text.split import near_leaks, split_key
from npgpt.text.stories import story_count
from npgpt.text.token_files import open_tokens, token_dtype, write_tokens
from npgpt.text.tokenizers import Tokenizer, load_tokenizer
from npgpt.text.words import WordTokenizer

FORMAT = "npgpt prepared text, 1"
SIDES = ("train", "validation")
DUPLICATE, NEAR = "exact duplicate", "near duplicate"
STORIES = 512  # stories in a portion
SAMPLE = 20_000_000  # characters that a tokenizer is trained on, about
EXAMPLES = 3  # kept for each reason
BITMAP = 1 << 24  # of the vocabulary curve, which counts words by their hashes

Progress = Callable[[str, int, int], None]
"""(stage, megabytes or portions done, of how many; 0 where nobody knows)"""


@dataclass(frozen=True)
class Settings:
    """Everything that the prepared bytes depend on, but for the source's own."""

    source: str
    tokenizer: str = "characters"
    form: Form = "NFC"
    limits: Limits = field(default_factory=Limits)
    near: float = 0.8
    mask: bool = True
    validation: float = 0.1
    chunk: int = 1000
    overlap: int = 100
    seed: int = 0
    licence: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Prepared:
    """A prepared directory: its manifest, its tokenizer, and ids as memory maps."""

    directory: Path
    manifest: dict[str, Any]
    tokenizer: Tokenizer
    train: np.ndarray
    validation: np.ndarray

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes of validation text a token: loss / (ln 2 × this) is in bits per byte."""
        return float(self.manifest["validation"]["bytes_per_token"])


def prepare(
    settings: Settings, out: str | Path, workers: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Prepare a source in `out` and return the manifest; a run that was cut short goes on.

    An `out` that is ready is left as it is, where source and settings are
    the same, and is an InputError where they are not.
    """
    out, tell = Path(out), progress or (lambda stage, done, total: None)
    _check(settings, workers)
    portions, licence, origin = _open_source(settings, out)
    if settings.near:
        dedup.load_datasketch()  # is it there?
    about = json.dumps({"settings": asdict(settings), "tokenizer": _tokenizer_digest(settings)})
    if (out / "manifest.json").exists():
        return _check_ready(out, about, portions)
    try:
        work = _Work(out, settings, about)
        with closing(_Pool(workers)) as pool:
            input_digest = _clean_all(work, portions, pool, tell)
            stage = work.stage(input_digest)
            _decide(work, stage, tell)
            _train_tokenizer(work, stage, tell)
            _encode_all(work, stage, pool, tell)
            _check_leaks(work, stage)
            manifest = _finish(work, stage, input_digest, licence, origin, tell)
    except OSError as error:
        raise InputError(
            f"cannot write in {out}: {error.strerror or error}; what is done is kept, so run it "
            "again when this is mended"
        ) from None
    except BrokenProcessPool:
        raise InputError(
            "a worker process was killed, perhaps for want of memory; what is done is kept, so "
            "run it again with fewer --workers"
        ) from None
    shutil.rmtree(work.folder, ignore_errors=True)
    return manifest


def open_prepared(directory: str | Path) -> Prepared:
    """What `prepare` wrote, its SHA-256 checked; anything missing or changed is an InputError."""
    directory = Path(directory)
    try:
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise InputError(f"{directory} is of another format: {manifest['format']!r}")
        for name in ("tokenizer.json", "train.tokens", "validation.tokens"):
            with (directory / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != manifest["files"][name]["sha256"]:
                raise InputError(f"{directory / name} has changed since it was prepared")
        return Prepared(
            directory,
            manifest,
            load_tokenizer(directory / "tokenizer.json"),
            open_tokens(directory / "train.tokens"),
            open_tokens(directory / "validation.tokens"),
        )
    except OSError as error:
        missing = error.filename or directory
        raise InputError(
            f"{directory} is not a prepared directory, or not ready: {missing}: {error.strerror}; "
            "run npgpt prepare"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{directory / 'manifest.json'} is damaged: {error!r}") from None


_NAMED = {"characters": CharacterTokenizer, "words": WordTokenizer, "bpe": BytePairTokenizer}


def _check(settings: Settings, workers: int) -> None:
    limits = settings.limits
    if settings.form not in FORMS:
        raise InputError(f"{settings.form!r} is not a form: {' or '.join(FORMS)}")
    if limits.script and limits.script not in SCRIPTS:
        raise InputError(f"{limits.script!r} is not a script: {', '.join(SCRIPTS)}")
    if not 0 < settings.validation < 1:
        raise InputError(f"a validation share of {settings.validation}: more than 0, less than 1")
    if settings.near and not 0.7 <= settings.near <= 1:
        raise InputError(f"near duplicates of {settings.near}: from 0.7 to 1, or 0 for none")
    if settings.seed < 0:
        raise InputError(f"seed {settings.seed}: 0 or more")
    if workers < 1:
        raise InputError(f"{workers} workers: at least 1")
    if settings.chunk < 1:
        raise InputError(f"chunks of {settings.chunk} characters: at least 1")
    chunk("", settings.chunk, settings.overlap)
    if settings.tokenizer.startswith("bpe:"):
        size = settings.tokenizer[4:]
        if not size.isdigit() or int(size) < 257:
            raise InputError(f"a vocabulary of {size!r}: say for example bpe:4096, at least 257")


def _open_source(settings: Settings, out: Path) -> tuple[Iterator[list[Piece]], str, str]:
    """(portions of pieces, licence, where it is from)."""
    name = settings.source
    if name == "python-docs":
        texts = enumerate(corpora.python_docs())
        pieces = (Piece(name, "document", i, text.encode()) for i, text in texts)
        found = blocks(pieces), corpora.PYTHON_LICENCE, corpora.python_source()
    elif name == "stories" or name.startswith("stories:"):
        count = story_count(corpora.stories_size(name))
        found = (
            ([_stories(i, count, settings.seed)] for i in range(0, count, STORIES)),
            "CC0-1.0",
            f"npgpt.text.stories, seed {settings.seed}",
        )
    else:
        path, licence, origin = corpora.locate(name, settings.sha256 or None)
        if out.resolve().is_relative_to(Path(path).resolve()):
            raise InputError(f"{out} lies in {path}, which is to be read; give another --out")
        found = blocks(read_pieces(path)), licence, origin
    return found[0], settings.licence or found[1], found[2]


def _stories(start: int, count: int, seed: int) -> Piece:
    return Piece("stories", "stories", start, b"%d %d" % (min(STORIES, count - start), seed))


def _tokenizer_digest(settings: Settings) -> str:
    name = settings.tokenizer
    if name in _NAMED or name.startswith("bpe:"):
        return name
    return hashlib.sha256(load_tokenizer(name).to_json().encode()).hexdigest()


def _check_ready(out: Path, about: str, portions: Iterator[list[Piece]]) -> dict[str, Any]:
    """The manifest of a directory that is ready, if it is of this very input and settings."""
    manifest = open_prepared(out).manifest
    whole = _whole_digest(about)
    for pieces in portions:
        whole.update(_portion_digest(pieces))
    if manifest["input"] != whole.hexdigest():
        raise InputError(
            f"{out} was prepared from other text or with other settings; remove it, or give "
            "another --out"
        )
    shutil.rmtree(out / ".work", ignore_errors=True)
    return manifest


def _whole_digest(about: str) -> Any:
    return hashlib.blake2b((FORMAT + about).encode(), digest_size=32)


def _portion_digest(pieces: list[Piece]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        place = (piece.source, piece.kind, piece.start, piece.problem, len(piece.data))
        digest.update(json.dumps(place).encode())
        digest.update(piece.data)
    return digest.digest()


class _Work:
    """Where the portions lie while a run is under way."""

    def __init__(self, out: Path, settings: Settings, about: str) -> None:
        self.out, self.settings, self.folder = out, settings, out / ".work"
        self.cleaned = self.folder / "cleaned"
        self.counts: list[int] = []  # documents in each cleaned portion
        self.about = about
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file; --out takes a directory")
        held = [path.name for path in out.iterdir()] if out.exists() else []
        if held and ".work" not in held:
            raise InputError(f"{out} has other files in it; give another --out")
        self.cleaned.mkdir(parents=True, exist_ok=True)

    def stage(self, input_digest: str) -> Path:
        """Where what depends on the whole input lies."""
        folder = self.folder / input_digest[:16]
        folder.mkdir(exist_ok=True)
        return folder

    def portions(self) -> Iterator[tuple[int, dict[str, Any], Any]]:
        """(number, about, arrays) of each cleaned portion."""
        for number in range(len(self.counts)):
            with np.load(self.cleaned / f"{number:06}.npz") as arrays:
                yield number, json.loads(arrays["about"].tobytes()), arrays


# ---- several processes -----------------------------------------------------------------


class _Pool:
    """Runs portions in processes and gives back the results in order, a few ahead at most."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def each(self, function: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
        if self.workers == 1:
            yield from map(function, jobs)
            return
        jobs, waiting = iter(jobs), deque[Any]()
        if self._pool is None:
            first = [job for _, job in zip(range(2), jobs)]
            if len(first) < 2:  # not worth a process
                yield from map(function, first)
                return
            self._pool = ProcessPoolExecutor(
                self.workers, multiprocessing.get_context("spawn"), _leave_with_parent
            )
            waiting.extend(self._pool.submit(function, job) for job in first)
        for job in jobs:
            waiting.append(self._pool.submit(function, job))
            if len(waiting) > 2 * self.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)


def _leave_with_parent() -> None:
    """End a worker whose parent was killed; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


# ---- steps 1 to 4: each document alone -------------------------------------------------


def _clean_all(work: _Work, portions: Iterator[list[Piece]], pool: _Pool, tell: Progress) -> str:
    """Clean what is not cleaned yet; returns a digest of the whole input and the settings."""
    whole = _whole_digest(work.about)
    chosen = work.settings
    relevant = repr(
        (FORMAT, chosen.form, chosen.limits, chosen.mask, bool(chosen.near), chosen.seed)
    ).encode()

    def jobs() -> Iterator[tuple[int, list[Piece], str]]:
        for number, pieces in enumerate(portions):
            digest = _portion_digest(pieces)
            whole.update(digest)
            yield number, pieces, hashlib.blake2b(digest + relevant, digest_size=16).hexdigest()

    done = 0
    for count, size in pool.each(partial(_clean_portion, work.cleaned, work.settings), jobs()):
        work.counts.append(count)
        done += size
        tell("cleaning", done // 1_000_000, 0)
    return whole.hexdigest()


def _clean_portion(
    folder: Path, settings: Settings, job: tuple[int, list[Piece], str]
) -> tuple[int, int]:
    """Clean some pieces and write what passes; returns how many documents, of how many bytes."""
    number, pieces, digest = job
    texts_path, arrays_path = folder / f"{number:06}.jsonl", folder / f"{number:06}.npz"
    about = _read_about(arrays_path)
    if about and about["digest"] == digest and _digest(texts_path) == about["texts"]:
        return about["count"], about["bytes"]
    reasons = _Reasons()
    lines: list[str] = []
    signatures: list[np.ndarray] = []
    digests: list[bytes] = []
    keys: list[int] = []
    words: list[np.ndarray] = []
    masked: dict[str, int] = {}
    letters: dict[str, int] = {}
    alphabet: set[str] = set()
    seen = size = 0
    for piece in pieces:
        for start, text, problem in documents(piece):
            seen += 1
            raw = text
            size += len(text)
            if not problem and (piece.kind == "html" or looks_like_html(text)):
                text, problem = _strip(text)
            if problem:
                reasons.add(problem, piece.source, start, raw)
                continue
            text = clean(text, settings.form)
            short_of = why_not(text, 0.0, settings.limits)
            if not short_of:
                hashes = dedup.word_hashes(text)
                found, repeats = dedup.shingles(hashes)
                short_of = why_not(text, repeats, settings.limits)
            if short_of:
                reasons.add(short_of, piece.source, start, text)
                continue
            if settings.mask:
                text, counts = mask_personal(text)
                _add(masked, counts)
                if counts:
                    found, _ = dedup.shingles(dedup.word_hashes(text))
            if settings.near:
                signatures.append(dedup.sign(found))
            encoded = text.encode()
            digests.append(hashlib.sha1(encoded).digest())
            keys.append(split_key(text, settings.seed))
            words.append(hashes)
            alphabet |= set(text)
            _add(letters, scripts(text))
            line = {"id": f"{piece.source}:{start}", "source": piece.source, "start": start}
            lines.append(json.dumps({**line, "text": text}, ensure_ascii=False))
    texts = "".join(line + "\n" for line in lines).encode()
    _put(texts_path, texts)
    all_words = np.concatenate(words) if words else np.zeros(0, np.uint64)
    new_words, places = np.unique(all_words.astype(np.uint32), return_index=True)
    about = {
        "digest": digest,
        "texts": hashlib.blake2b(texts, digest_size=16).hexdigest(),
        "count": len(lines),
        "bytes": size,
        "seen": seen,
        "dropped": reasons.counts,
        "examples": reasons.examples,
        "masked": masked,
        "letters": letters,
        "alphabet": "".join(sorted(alphabet)),
        "words": len(all_words),
    }
    arrays = io.BytesIO()
    np.savez(
        arrays,
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        digests=np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 20),
        keys=np.array(keys, np.uint64),
        signatures=np.array(signatures, np.uint32).reshape(-1, dedup.PERMUTATIONS),
        new_words=new_words,
        places=places.astype(np.uint32),
    )
    _put(arrays_path, arrays.getvalue())
    return len(lines), size


def _strip(page: str) -> tuple[str, str]:
    try:
        return strip_html(page), ""
    except (AssertionError, ValueError, RecursionError):
        return "", "broken HTML"


class _Reasons:
    """How many documents were dropped why, with the first few as examples."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[dict[str, Any]]] = {}

    def add(self, reason: str, source: str, start: int, text: str, like: str = "") -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1
        kept = self.examples.setdefault(reason, [])
        if len(kept) < EXAMPLES:
            begins = mask_personal(" ".join(text[:200].split()))[0][:80]
            begins = begins.encode("utf-8", "replace").decode()
            kept.append({"source": source, "start": start, "begins": begins})
            if like:
                kept[-1]["like"] = like

    def join(self, counts: dict[str, int], examples: dict[str, list[dict[str, Any]]]) -> None:
        _add(self.counts, counts)
        for reason, theirs in examples.items():
            kept = self.examples.setdefault(reason, [])
            kept.extend(theirs[: EXAMPLES - len(kept)])


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for key, count in more.items():
        total[key] = total.get(key, 0) + count


def _put(path: Path, data: bytes) -> None:
    """Write a file whole, in `.work`: it is checked by its digest, so it need not be flushed."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(data)
    os.replace(aside, path)


def _digest(path: Path) -> str:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""


def _read_about(path: Path) -> dict[str, Any] | None:
    """What a portion says of itself, or None where it is missing or cut off."""
    try:
        with np.load(path) as arrays:
            for name in arrays.files:  # each is checked by its CRC
                arrays[name]
            return dict(json.loads(arrays["about"].tobytes()))
    except Exception:
        return None


# ---- steps 5 and 6: duplicates and split -----------------------------------------------

TRAIN, VALIDATION, EXACT_DUPLICATE, NEAR_DUPLICATE = range(4)


def _decide(work: _Work, stage: Path, tell: Progress) -> None:
    """verdicts.npz: for each cleaned document its verdict, and the one it repeats, or -1."""
    if _readable(stage / "verdicts.npz"):
        return
    total = sum(work.counts)
    if not total:
        raise InputError(f"nothing is left of {work.settings.source}: {_why(work)}")
    tell("finding duplicates", 0, total)

    def digests() -> Iterator[np.ndarray]:
        for _, _, arrays in work.portions():
            yield arrays["digests"]

    twins = dedup.exact_duplicates(digests, total)
    exact = twins != np.arange(total)
    verdicts = np.where(exact, EXACT_DUPLICATE, TRAIN).astype(np.uint8)
    twins[~exact] = -1
    if work.settings.near:
        rows = partial(_signatures, work, tell)
        near = dedup.near_duplicates(rows, ~exact, work.settings.near)
        verdicts[near >= 0] = NEAR_DUPLICATE
        twins = np.where(near >= 0, near, twins)
    keys = np.concatenate([arrays["keys"] for _, _, arrays in work.portions()])
    kept = verdicts == TRAIN
    verdicts[kept & _held_out(keys, kept, work.settings)] = VALIDATION
    data = io.BytesIO()
    np.savez(data, verdicts=verdicts, twins=twins)
    _put(stage / "verdicts.npz", data.getvalue())


def _signatures(work: _Work, tell: Progress, start: int) -> Iterator[tuple[int, np.ndarray]]:
    number = 0
    total = sum(work.counts)
    for portion, count in enumerate(work.counts):
        if number + count > start:
            with np.load(work.cleaned / f"{portion:06}.npz") as arrays:
                rows = arrays["signatures"]
            for row in range(max(0, start - number), count):
                yield number + row, rows[row]
        number += count
        tell("finding duplicates", number, total)


def _held_out(keys: np.ndarray, kept: np.ndarray, settings: Settings) -> np.ndarray:
    """Documents whose key is in the lowest share; the lowest at least, and never all."""
    known = np.unique(keys[kept])
    if len(known) < 2:
        raise InputError(
            f"{settings.source} gives one document only, so none can be held out; give more text"
        )
    limit = np.uint64(int(settings.validation * 2.0**64))
    limit = min(max(limit, known[0]), known[-2])
    return keys <= limit


def _why(work: _Work) -> str:
    reasons = _Reasons()
    for _, about, _ in work.portions():
        reasons.join(about["dropped"], {})
    return ", ".join(f"{count} × {reason}" for reason, count in reasons.counts.items()) or "empty"


def _readable(path: Path) -> bool:
    try:
        with np.load(path) as arrays:
            return all(arrays[name] is not None for name in arrays.files)
    except Exception:
        return False


# ---- step 7: tokens --------------------------------------------------------------------


def _kept(work: _Work, stage: Path, every: int = 1) -> Iterator[str]:
    """The training documents' texts, or each `every`-th of them."""
    with np.load(stage / "verdicts.npz") as arrays:
        verdicts = arrays["verdicts"]
    number = passed = 0
    for portion in range(len(work.counts)):
        with (work.cleaned / f"{portion:06}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                if verdicts[number] == TRAIN:
                    if passed % every == 0:
                        yield json.loads(line)["text"] + corpora.JOINT
                    passed += 1
                number += 1


def _train_tokenizer(work: _Work, stage: Path, tell: Progress) -> None:
    """tokenizer.json: given, or trained on a sample of the training documents.

    Characters are trained on all there are, validation included, since there is no
    token for one that is missing.
    """
    path, name = stage / "tokenizer.json", work.settings.tokenizer
    if path.exists():
        return
    tell("training the tokenizer", 0, 0)
    if name == "characters":
        alphabets = [about["alphabet"] for _, about, _ in work.portions()]
        made: Tokenizer = CharacterTokenizer.train(
            ["".join(sorted(set("".join(alphabets)) | {"\n"}))]
        )
    elif name in _NAMED or name.startswith("bpe:"):
        size = sum((work.cleaned / f"{i:06}.jsonl").stat().st_size for i in range(len(work.counts)))
        texts = _kept(work, stage, 1 + size // SAMPLE)
        made = _train_named(name, texts)
    else:
        made = load_tokenizer(name)
    write_atomically(path, made.to_json())


def _train_named(name: str, texts: Iterator[str]) -> Tokenizer:
    if name == "words":
        return WordTokenizer.train(texts)
    return BytePairTokenizer.train(texts, int(name[4:]) if ":" in name else 4096)


def _encode_all(work: _Work, stage: Path, pool: _Pool, tell: Progress) -> None:
    with np.load(stage / "verdicts.npz") as arrays:
        verdicts = arrays["verdicts"]
    starts = np.concatenate([[0], np.cumsum(work.counts)]).tolist()
    jobs = (
        (portion, verdicts[start : start + count])
        for portion, (start, count) in enumerate(zip(starts, work.counts))
    )
    encode = partial(_encode_portion, work.cleaned, stage, work.settings)
    for done, _ in enumerate(pool.each(encode, jobs), 1):
        tell("encoding", done, len(work.counts))


@lru_cache(1)
def _tokenizer(path: Path) -> Tokenizer:
    return load_tokenizer(path)


def _encode_portion(
    cleaned: Path, stage: Path, settings: Settings, job: tuple[int, np.ndarray]
) -> None:
    """Write a portion's documents and ids, a file for each side, and last what they are."""
    portion, verdicts = job
    about_path = stage / f"{portion:06}.json"
    if _finished(about_path):
        return
    tokenizer = _tokenizer(stage / "tokenizer.json")
    dtype = token_dtype(tokenizer.vocab_size)
    lines: tuple[list[bytes], list[bytes]] = ([], [])
    ids: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    counts = [
        dict.fromkeys(("documents", "characters", "bytes", "tokens", "chunks"), 0) for _ in SIDES
    ]
    keys: tuple[list[int], list[int]] = ([], [])
    lengths: list[int] = []
    with (cleaned / f"{portion:06}.jsonl").open(encoding="utf-8") as texts:
        for line, verdict in zip(texts, verdicts.tolist(), strict=True):
            if verdict not in (TRAIN, VALIDATION):
                continue
            document = json.loads(line)
            text = document["text"]
            document["chunks"] = chunk(text, settings.chunk, settings.overlap)
            encoded = np.array(tokenizer.encode(text + corpora.JOINT), dtype)
            lines[verdict].append(json.dumps(document, ensure_ascii=False).encode() + b"\n")
            ids[verdict].append(encoded)
            keys[verdict].append(_text_key(text))
            lengths.append(len(text))
            _add(
                counts[verdict],
                {
                    "documents": 1,
                    "characters": len(text),
                    "bytes": len(text.encode()) + len(corpora.JOINT),
                    "tokens": len(encoded),
                    "chunks": len(document["chunks"]),
                },
            )
    files = {}
    for side, name in enumerate(SIDES):
        for ending, data in (
            ("jsonl", b"".join(lines[side])),
            ("ids", b"".join(part.tobytes() for part in ids[side])),
        ):
            file = f"{portion:06}.{name}.{ending}"
            _put(stage / file, data)
            files[file] = hashlib.blake2b(data, digest_size=16).hexdigest()
    about = {"counts": counts, "keys": keys, "lengths": lengths, "files": files}
    _put(about_path, json.dumps(about).encode())


def _text_key(text: str) -> int:
    """A hash of what stands in a document, letter case aside."""
    digest = hashlib.blake2b(text.casefold().encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _finished(path: Path) -> bool:
    try:
        files = json.loads(path.read_bytes())["files"]
        return all(_digest(path.parent / name) == digest for name, digest in files.items())
    except (OSError, ValueError):
        return False


def _encoded(work: _Work, stage: Path) -> Iterator[dict[str, Any]]:
    for portion in range(len(work.counts)):
        yield json.loads((stage / f"{portion:06}.json").read_bytes())


def _check_leaks(work: _Work, stage: Path) -> None:
    """Fail where a validation document equals, or nearly equals, a training document.

    Equal: by the documents as they were written, letter case aside. Nearly: by
    their signatures, compared without the index that dropped the others.
    """
    keys: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for about in _encoded(work, stage):
        for side in (TRAIN, VALIDATION):
            keys[side].append(np.array(about["keys"][side], np.uint64))
    same = np.intersect1d(np.concatenate(keys[TRAIN]), np.concatenate(keys[VALIDATION]))
    leaks = len(same)
    if work.settings.near:
        with np.load(stage / "verdicts.npz") as arrays:
            verdicts = arrays["verdicts"]

        def rows(side: int) -> Iterator[np.ndarray]:
            start = 0
            for _, _, arrays in work.portions():
                signatures = arrays["signatures"]
                yield signatures[verdicts[start : start + len(signatures)] == side]
                start += len(signatures)

        index = dedup.empty_index(work.settings.near)
        leaks += near_leaks(rows(TRAIN), rows(VALIDATION), work.settings.near, index.b, index.r)
    if leaks:
        raise InputError(
            f"{leaks} documents stand in both training and validation; nothing was written to "
            f"{work.out}"
        )


# ---- the end ---------------------------------------------------------------------------


def _finish(
    work: _Work, stage: Path, input_digest: str, licence: str, origin: str, tell: Progress
) -> dict[str, Any]:
    """Join the portions, draw the report, and write the manifest last."""
    from npgpt.text import report

    tell("writing", 0, 0)
    final = stage / "final"
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir()
    tokenizer = load_tokenizer(stage / "tokenizer.json")
    shutil.copyfile(stage / "tokenizer.json", final / "tokenizer.json")
    for name in SIDES:
        parts = [stage / f"{portion:06}.{name}" for portion in range(len(work.counts))]
        with (final / f"{name}.jsonl").open("wb") as file:
            for part in parts:
                file.write(part.with_suffix(f".{name}.jsonl").read_bytes())
            file.flush()
            os.fsync(file.fileno())
        dtype = token_dtype(tokenizer.vocab_size)
        pieces = (np.fromfile(part.with_suffix(f".{name}.ids"), dtype) for part in parts)
        write_tokens(final / f"{name}.tokens", pieces, tokenizer.vocab_size)
    figures = _figures(work, stage)
    sides = {}
    for side, name in enumerate(SIDES):
        counts = figures["sides"][side]
        per_token = round(counts["bytes"] / counts["tokens"], 6)
        sides[name] = {**counts, "bytes_per_token": per_token}
    manifest = {
        "format": FORMAT,
        "source": work.settings.source,
        "origin": origin,
        "licence": licence,
        "settings": asdict(work.settings),
        "input": input_digest,
        "documents": figures["documents"],
        "masked": figures["masked"],
        **sides,
        "tokenizer": {"kind": tokenizer.kind, "vocab_size": tokenizer.vocab_size},
        "versions": {"unicode": unicodedata.unidata_version},
    }
    report.write(final, manifest, figures)
    names = sorted(path.name for path in final.iterdir())
    manifest["files"] = {}
    for name in names:
        with (final / name).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        manifest["files"][name] = {"bytes": (final / name).stat().st_size, "sha256": sha256}
    for name in names:
        os.replace(final / name, work.out / name)
    write_atomically(
        work.out / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    )
    return manifest


def _figures(work: _Work, stage: Path) -> dict[str, Any]:
    """All numbers of the report, added up over the portions."""
    reasons = _Reasons()
    masked: dict[str, int] = {}
    letters: dict[str, int] = {}
    seen = size = words = 0
    known = np.zeros(BITMAP, bool)
    curve = [(0, 0)]
    with np.load(stage / "verdicts.npz") as arrays:
        verdicts, twins = arrays["verdicts"], arrays["twins"]
    for _, about, arrays in work.portions():
        seen += about["seen"]
        size += about["bytes"]
        reasons.join(about["dropped"], about["examples"])
        _add(masked, about["masked"])
        _add(letters, about["letters"])
        curve += _vocabulary(known, words, about["words"], arrays["new_words"], arrays["places"])
        words += about["words"]
    _name_duplicates(work, verdicts, twins, reasons)
    kept = int(np.count_nonzero(verdicts <= VALIDATION))
    dropped = dict(sorted(reasons.counts.items(), key=lambda item: (-item[1], item[0])))
    if seen != kept + sum(dropped.values()):
        raise AssertionError(f"{seen} documents seen, {kept} kept, dropped {dropped}")
    sides = [dict[str, int](), dict[str, int]()]
    lengths = np.zeros(64, int)
    for about in _encoded(work, stage):
        for side, counts in zip(sides, about["counts"]):
            _add(side, counts)
        # in bins of half a power of two
        bins = (2 * np.log2(np.maximum(1, about["lengths"]))).astype(int)
        lengths += np.bincount(bins, minlength=64)[:64]
    step = -(-len(curve) // 200)
    return {
        "documents": {"seen": seen, "kept": kept, "dropped": dropped},
        "examples": {reason: reasons.examples[reason] for reason in dropped},
        "characters_seen": size,
        "masked": dict(sorted(masked.items())),
        "letters": dict(sorted(letters.items(), key=lambda item: (-item[1], item[0]))),
        "sides": sides,
        "lengths": lengths.tolist(),
        "vocabulary": curve[::-step][::-1],
    }


def _vocabulary(
    known: np.ndarray, before: int, count: int, new_words: np.ndarray, places: np.ndarray
) -> list[tuple[int, int]]:
    """(words read, distinct words) at five places of a portion; by linear counting
    (Whang et al., 1990), so that words that share a hash are reckoned with."""
    if not count:
        return []
    at = new_words % BITMAP
    fresh = ~known[at]
    used = int(np.count_nonzero(known))
    known[at] = True
    points = []
    for fifth in range(1, 6):
        end = count * fifth // 5
        filled = used + np.unique(at[fresh & (places < end)]).size
        distinct = -BITMAP * np.log1p(-min(filled, BITMAP - 1) / BITMAP)
        points.append((before + end, round(float(distinct))))
    return points


def _name_duplicates(
    work: _Work, verdicts: np.ndarray, twins: np.ndarray, reasons: _Reasons
) -> None:
    """Count the duplicates, and tell of the first few what they are like."""
    for verdict, reason in ((EXACT_DUPLICATE, DUPLICATE), (NEAR_DUPLICATE, NEAR)):
        numbers = np.flatnonzero(verdicts == verdict)
        for number in numbers[:EXAMPLES].tolist():
            document, twin = _document(work, number), _document(work, int(twins[number]))
            reasons.add(reason, document["source"], document["start"], document["text"], twin["id"])
        if len(numbers) > EXAMPLES:
            reasons.counts[reason] = len(numbers)


def _document(work: _Work, number: int) -> dict[str, Any]:
    for portion, count in enumerate(work.counts):
        if number < count:
            with (work.cleaned / f"{portion:06}.jsonl").open(encoding="utf-8") as lines:
                return dict(json.loads(next(line for i, line in enumerate(lines) if i == number)))
        number -= count
    raise IndexError(number)
