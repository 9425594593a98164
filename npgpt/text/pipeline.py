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
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import locked, write_atomically
from npgpt.text import corpora, dedup, report
from npgpt.text.characters import CharacterTokenizer
from npgpt.text.chunk import chunk
from npgpt.text.clean import FORMS
from npgpt.text.figures import figures_of
from npgpt.text.filter import SCRIPTS
from npgpt.text.portions import (
    EXACT_DUPLICATE,
    NEAR_DUPLICATE,
    SIDES,
    TRAIN,
    VALIDATION,
    Reasons,
    clean_portion,
    encode_portion,
    put,
)
from npgpt.text.prepared import FORMAT, Settings, is_prepared, open_prepared
from npgpt.text.sources import Piece, blocks, read_pieces, shown
from npgpt.text.split import near_leaks
from npgpt.text.stories import story_count
from npgpt.text.token_files import token_dtype, write_tokens
from npgpt.text.tokenizers import Tokenizer, is_named, load_tokenizer, train_named
from npgpt.text.work import Work
from npgpt.text.workers import Pool

STORIES = 512  # stories in a portion
SAMPLE = 20_000_000  # characters that a tokenizer is trained on, about

Progress = Callable[[str, int, int], None]
"""(stage, megabytes or portions done, of how many; 0 where nobody knows)"""


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
        work = Work(out, settings, about)
        with locked(out, ".work/lock", "prepared"), closing(Pool(workers)) as pool:
            if (out / "manifest.json").exists():  # another process has just finished it
                return _check_ready(out, about, portions)
            input_digest = _clean_all(work, portions, pool, tell)
            stage = work.stage(input_digest)
            _decide(work, stage, tell)
            _train_tokenizer(work, stage, tell)
            _encode_all(work, stage, pool, tell)
            _check_leaks(work, stage)
            manifest = _finish(work, stage, input_digest, licence, origin, tell)
            shutil.rmtree(work.folder, ignore_errors=True)
            return manifest
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
    if settings.sha256 and not corpora.is_url(settings.source):
        raise InputError(f"a SHA-256 is given with a URL, and {settings.source!r} is no URL")
    chunk("", settings.chunk, settings.overlap)
    is_named(settings.tokenizer)


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
        if is_prepared(path):
            raise InputError(
                f"{path} is prepared already; give its source, which its manifest names"
            )
        # Path.resolve does not take a link to itself
        if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(path)):
            raise InputError(f"{out} lies in {path}, which is to be read; give another --out")
        found = blocks(read_pieces(path)), licence, origin
    return found[0], settings.licence or found[1], found[2]


def _stories(start: int, count: int, seed: int) -> Piece:
    return Piece("stories", "stories", start, b"%d %d" % (min(STORIES, count - start), seed))


def _tokenizer_digest(settings: Settings) -> str:
    name = settings.tokenizer
    if is_named(name):
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


def _clean_all(work: Work, portions: Iterator[list[Piece]], pool: Pool, tell: Progress) -> str:
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
    for count, size in pool.each(partial(clean_portion, work.cleaned, work.settings), jobs()):
        work.counts.append(count)
        done += size
        tell("cleaning", done // 1_000_000, 0)
    return whole.hexdigest()


def _decide(work: Work, stage: Path, tell: Progress) -> None:
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
    put(stage / "verdicts.npz", data.getvalue())


def _signatures(work: Work, tell: Progress, start: int) -> Iterator[tuple[int, np.ndarray]]:
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


def _why(work: Work) -> str:
    reasons = Reasons()
    for _, about, _ in work.portions():
        reasons.join(about["dropped"], {})
    return ", ".join(f"{count} × {reason}" for reason, count in reasons.counts.items()) or "empty"


def _readable(path: Path) -> bool:
    try:
        with np.load(path) as arrays:
            return all(arrays[name] is not None for name in arrays.files)
    except Exception:
        return False


def _kept(work: Work, stage: Path, every: int = 1) -> Iterator[str]:
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


def _train_tokenizer(work: Work, stage: Path, tell: Progress) -> None:
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
    elif is_named(name):
        size = sum((work.cleaned / f"{i:06}.jsonl").stat().st_size for i in range(len(work.counts)))
        texts = _kept(work, stage, 1 + size // SAMPLE)
        made = train_named(name, texts)
    else:
        made = load_tokenizer(name)
    write_atomically(path, made.to_json())


def _encode_all(work: Work, stage: Path, pool: Pool, tell: Progress) -> None:
    with np.load(stage / "verdicts.npz") as arrays:
        verdicts = arrays["verdicts"]
    starts = np.concatenate([[0], np.cumsum(work.counts)]).tolist()
    jobs = (
        (portion, verdicts[start : start + count])
        for portion, (start, count) in enumerate(zip(starts, work.counts))
    )
    encode = partial(encode_portion, work.cleaned, stage, work.settings)
    for done, _ in enumerate(pool.each(encode, jobs), 1):
        tell("encoding", done, len(work.counts))


def _check_leaks(work: Work, stage: Path) -> None:
    """Fail where a validation document equals, or nearly equals, a training document.

    Equal: by the documents as they were written, letter case aside. Nearly: by
    their signatures, compared without the index that dropped the others.
    """
    keys: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for about in work.encoded(stage):
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


def _finish(
    work: Work, stage: Path, input_digest: str, licence: str, origin: str, tell: Progress
) -> dict[str, Any]:
    """Join the portions, draw the report, and write the manifest last."""
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
    figures = figures_of(work, stage)
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
    manifest = json.loads(shown(json.dumps(manifest, ensure_ascii=False)))  # it has names
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
