"""What a run of `npgpt prepare` reads: its settings, checked, and its source, opened."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.text.corpora.locate import is_url, locate, stories_size
from npgpt.text.corpora.python_docs import PYTHON_LICENCE, python_docs, python_source
from npgpt.text.corpora.stories import story_count
from npgpt.text.prepare.chunk import chunk
from npgpt.text.prepare.filter import SCRIPTS
from npgpt.text.prepare.prepared import FORMAT, is_prepared
from npgpt.text.prepare.settings import FORMS, KINDS, Settings
from npgpt.text.prepare.sources import Piece, blocks, read_pieces
from npgpt.text.tokenizers.loading import is_named, load_tokenizer

STORIES = 512  # stories in a portion


def check_settings(settings: Settings, workers: int) -> None:
    """InputError for the first setting that makes no sense."""
    limits = settings.limits
    if settings.form not in FORMS:
        raise InputError(f"{settings.form!r} is not a form: {' or '.join(FORMS)}")
    if limits.script and limits.script not in SCRIPTS:
        raise InputError(f"{limits.script!r} is not a script: {', '.join(SCRIPTS)}")
    if not 0 < settings.validation < 1:
        raise InputError(
            f"a validation ratio of {settings.validation}: give more than 0 and less than 1"
        )
    if settings.near and not 0.7 <= settings.near <= 1:
        raise InputError(f"near duplicates of {settings.near}: from 0.7 to 1, or 0 for none")
    if settings.seed < 0:
        raise InputError(f"seed {settings.seed}: 0 or more")
    if workers < 1:
        raise InputError(f"{workers} workers: at least 1")
    if settings.chunk < 1:
        raise InputError(f"chunks of {settings.chunk} characters: at least 1")
    if settings.sha256 and not is_url(settings.source):
        raise InputError(f"a SHA-256 is given with a URL, and {settings.source!r} is no URL")
    chunk("", settings.chunk, settings.overlap)
    for kind in settings.kinds:
        if kind not in KINDS:
            raise InputError(f"{kind!r} is no kind of personal data: {', '.join(KINDS)}")
    is_named(settings.tokenizer)


def open_source(settings: Settings, out: Path) -> tuple[Iterator[list[Piece]], str, str]:
    """(portions of pieces, licence, where it is from)."""
    name = settings.source
    if name == "python-docs":
        texts = enumerate(python_docs())
        pieces = (Piece(name, "document", i, text.encode()) for i, text in texts)
        found = blocks(pieces), PYTHON_LICENCE, python_source()
    elif name == "stories" or name.startswith("stories:"):
        count = story_count(stories_size(name))
        found = (
            ([_stories(i, count, settings.seed)] for i in range(0, count, STORIES)),
            "CC0-1.0",
            f"npgpt.text.stories, seed {settings.seed}",
        )
    else:
        path, licence, origin = locate(name, settings.sha256 or None)
        if is_prepared(path):
            raise InputError(
                f"{path} is prepared already; give its source, which its manifest names"
            )
        # Path.resolve does not take a link to itself
        if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(path)):
            raise InputError(f"{out} lies in {path}, which is to be read; give another --out")
        found = blocks(read_pieces(path, settings.end_of_text)), licence, origin
    return found[0], settings.licence or found[1], found[2]


def _stories(start: int, count: int, seed: int) -> Piece:
    return Piece("stories", "stories", start, b"%d %d" % (min(STORIES, count - start), seed))


def tokenizer_digest(settings: Settings) -> str:
    name = settings.tokenizer
    if is_named(name):
        return name
    return hashlib.sha256(load_tokenizer(name).to_json().encode()).hexdigest()


def whole_digest(about: str) -> Any:
    return hashlib.blake2b((FORMAT + about).encode(), digest_size=32)


def portion_digest(pieces: list[Piece]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        about = (piece.source, piece.kind, piece.start, piece.problem, len(piece.data))
        digest.update(json.dumps(about).encode())
        digest.update(piece.data)
    return digest.digest()
