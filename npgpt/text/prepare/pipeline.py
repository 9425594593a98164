"""From raw text to what training reads: `npgpt prepare SOURCE --out DIR`.

The steps, in order:

1. read   documents from files, a directory, a pattern, JSONL, a corpus' name
2. clean  strip HTML, normalise Unicode, tidy spaces
3. filter by length, symbols, repetition, script
4. mask   personal data
5. dedup  exact (SHA-1), then near (MinHash-LSH): the first stays
6. split  by a hash of the document's words, close to the ratio asked for, then check that
          nothing leaks
7. encode with a tokenizer trained on the training documents

Steps 1 to 4 look at one document alone and run in several processes, so they
come first: duplicates are looked for among what passes, and no
text is lost to a copy that is dropped itself.

The directory then holds

    manifest.json       counts, settings, licence, the other files' SHA-256
    tokenizer.json      as `npgpt.text.load_tokenizer` reads it
    train.tokens        ids of all training documents, each followed by an empty line, or by
    validation.tokens     the id of <|endoftext|>; a .npy file, see `npgpt.text.prepare.token_files`
    train.jsonl         one document a line: id, source, start (its first byte there),
    validation.jsonl      text, chunks ([start, end] in characters, overlapping)
    report.md           counts, examples of what was dropped and why, and
    report.json           the figures in lengths.png and vocabulary.png

manifest.json is written last: a directory without it is not ready. Until then
finished portions lie in DIR/.work, so that a run that was killed goes on where
it was, and ends with the same bytes. The bytes depend on the input, the
settings and the libraries' versions, not on the number of processes.

Memory: a process holds one portion of about a megabyte (one HTML page or JSONL line may
have 8, a JSON file 64); the index of near duplicates holds 40,000 documents; some 30 bytes of
every document stay (its digest, its verdict, its size).
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import locked
from npgpt.text.prepare import dedup
from npgpt.text.prepare.encode import encode_portion, train_tokenizer
from npgpt.text.prepare.finish import finish
from npgpt.text.prepare.inputs import (
    check_settings,
    open_source,
    portion_digest,
    tokenizer_digest,
    whole_digest,
)
from npgpt.text.prepare.leaks import check_leaks
from npgpt.text.prepare.personal.libraries import load_for
from npgpt.text.prepare.portions import clean_portion
from npgpt.text.prepare.prepared import FORMAT, open_prepared
from npgpt.text.prepare.settings import Settings
from npgpt.text.prepare.sources import Piece
from npgpt.text.prepare.verdicts import Progress, decide
from npgpt.text.prepare.work import Work
from npgpt.text.prepare.workers import Pool


def prepare(
    settings: Settings, out: str | Path, workers: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Prepare a source in `out` and return the manifest; a run that was cut short goes on.

    An `out` that is ready is left as it is, where source and settings are
    the same, and is an InputError where they are not.
    """
    out, tell = Path(out), progress or (lambda stage, done, total: None)
    check_settings(settings, workers)
    portions, licence, origin = open_source(settings, out)
    if settings.near:
        dedup.load_datasketch()  # is it there?
    if settings.mask:
        load_for(settings.kinds)
    about = json.dumps({"settings": asdict(settings), "tokenizer": tokenizer_digest(settings)})
    if (out / "manifest.json").exists():
        return _check_ready(out, about, portions)
    try:
        work = Work(out, settings, about)
        with locked(out, ".work/lock", "prepared"), closing(Pool(workers)) as pool:
            if (out / "manifest.json").exists():  # another process has just finished it
                return _check_ready(out, about, portions)
            input_digest = _clean_all(work, portions, pool, tell)
            stage = work.stage(input_digest)
            decide(work, stage, tell)
            tell("training the tokenizer", 0, 0)
            train_tokenizer(work, stage)
            _encode_all(work, stage, pool, tell)
            check_leaks(work, stage)
            tell("writing", 0, 0)
            manifest = finish(work, stage, input_digest, licence, origin)
            shutil.rmtree(work.folder, ignore_errors=True)
            return manifest
    except OSError as error:
        raise InputError(
            f"cannot write in {out}: {error.strerror or error}; what is done stays there, so "
            "run it again when this is fixed"
        ) from None
    except BrokenProcessPool:
        raise InputError(
            "a worker process was killed, perhaps for want of memory; what is done stays there, so "
            "run it again with fewer --workers"
        ) from None


def _check_ready(out: Path, about: str, portions: Iterator[list[Piece]]) -> dict[str, Any]:
    """The manifest of a directory that is ready, if it is of this very input and settings."""
    manifest = open_prepared(out).manifest
    whole = whole_digest(about)
    for pieces in portions:
        whole.update(portion_digest(pieces))
    if manifest["input"] != whole.hexdigest():
        raise InputError(
            f"{out} was prepared from other text or with other settings; remove it, or give "
            "another --out"
        )
    shutil.rmtree(out / ".work", ignore_errors=True)
    return manifest


def _clean_all(work: Work, portions: Iterator[list[Piece]], pool: Pool, tell: Progress) -> str:
    """Clean what is not cleaned yet; returns a digest of the whole input and the settings."""
    whole = whole_digest(work.about)
    chosen = work.settings
    relevant = repr(
        (FORMAT, chosen.form, chosen.limits, chosen.mask, chosen.kinds, bool(chosen.near),
         chosen.seed, chosen.field)
    ).encode()

    def jobs() -> Iterator[tuple[int, list[Piece], str]]:
        for number, pieces in enumerate(portions):
            digest = portion_digest(pieces)
            whole.update(digest)
            yield number, pieces, hashlib.blake2b(digest + relevant, digest_size=16).hexdigest()

    done = 0
    for count, size in pool.each(partial(clean_portion, work.cleaned, work.settings), jobs()):
        work.counts.append(count)
        done += size
        tell("cleaning", done // 1_000_000, 0)
    return whole.hexdigest()


def _encode_all(work: Work, stage: Path, pool: Pool, tell: Progress) -> None:
    verdicts, _ = work.verdicts(stage)
    starts = np.concatenate([[0], np.cumsum(work.counts)]).tolist()
    jobs = (
        (portion, verdicts[start : start + count])
        for portion, (start, count) in enumerate(zip(starts, work.counts))
    )
    encode = partial(encode_portion, work.cleaned, stage, work.settings)
    for done, _ in enumerate(pool.each(encode, jobs), 1):
        tell("encoding", done, len(work.counts))
