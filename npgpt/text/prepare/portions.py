"""Steps 1 to 4, and each document's signature, for a portion of the source, in whatever process.

A portion's files are written, and last one that describes them with their
digests; what is there already, whole and from the same input, is taken as it is.
"""

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.text.prepare import dedup
from npgpt.text.prepare.clean import clean_document
from npgpt.text.prepare.document import Document, Dropped
from npgpt.text.prepare.documents import documents
from npgpt.text.prepare.filter import filter_document, scripts
from npgpt.text.prepare.personal import first_examples, mask_document
from npgpt.text.prepare.reasons import Reasons, add
from npgpt.text.prepare.settings import Settings
from npgpt.text.prepare.sources import Piece
from npgpt.text.prepare.split import split_key
from npgpt.text.prepare.strip import strip_document
from npgpt.text.prepare.work import digest_of, put

STEPS = (strip_document, clean_document, filter_document, mask_document, dedup.signature_document)


def through_the_steps(document: Document | Dropped, settings: Settings) -> Document | Dropped:
    """A document as the last step leaves it, or as the step leaves it that drops it."""
    for step in STEPS:
        if isinstance(document, Dropped):
            break
        document = step(document, settings)
    return document


def clean_portion(
    folder: Path, settings: Settings, job: tuple[int, list[Piece], str]
) -> tuple[int, int]:
    """Clean some pieces and write what passes; returns how many documents, of how many bytes."""
    number, pieces, digest = job
    texts_path, arrays_path = folder / f"{number:06}.jsonl", folder / f"{number:06}.npz"
    about = read_about(arrays_path)
    if about and about["digest"] == digest and digest_of(texts_path) == about["texts"]:
        return about["count"], about["bytes"]
    passed: list[Document] = []
    reasons = Reasons(settings.kinds if settings.mask else ())
    size = 0
    for piece in pieces:
        for read in documents(piece, settings.field):
            document = through_the_steps(read, settings)
            size += document.size
            if isinstance(document, Dropped):
                reasons.add(document)
            else:
                passed.append(document)
    texts = "".join(_line(document) for document in passed).encode()
    put(texts_path, texts)
    words = np.concatenate([np.zeros(0, np.uint64), *(document.words for document in passed)])
    new_words, positions = np.unique(words.astype(np.uint32), return_index=True)
    about = {
        "digest": digest,
        "texts": hashlib.blake2b(texts, digest_size=16).hexdigest(),
        "count": len(passed),
        "bytes": size,
        "seen": len(passed) + sum(reasons.counts.values()),
        "dropped": reasons.counts,
        "examples": reasons.examples,
        "masked": _sum(document.masked for document in passed),
        "masked_examples": first_examples(document.masked_examples for document in passed),
        "letters": _sum(scripts(document.text) for document in passed),
        "alphabet": "".join(sorted({c for document in passed for c in set(document.text)})),
        "words": len(words),
    }
    digests = b"".join(hashlib.sha1(document.text.encode()).digest() for document in passed)
    signatures = [document.signature for document in passed]
    arrays = io.BytesIO()
    np.savez(
        arrays,
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        digests=np.frombuffer(digests, np.uint8).reshape(-1, 20),
        keys=np.array([split_key(d.text, settings.seed) for d in passed], np.uint64),
        sizes=np.array([len(d.text) for d in passed], np.int64),
        signatures=np.array(signatures, np.uint32).reshape(-1, dedup.PERMUTATIONS),
        new_words=new_words,
        places=positions.astype(np.uint32),
    )
    put(arrays_path, arrays.getvalue())
    return len(passed), size


def _line(document: Document) -> str:
    """A line of a cleaned portion's JSONL file."""
    name = f"{document.source}:{document.start}"
    line = {"id": name, "source": document.source, "start": document.start, "text": document.text}
    return json.dumps(line, ensure_ascii=False) + "\n"


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        add(total, each)
    return total


def read_about(path: Path) -> dict[str, Any] | None:
    """What a portion says of itself, or None where it is missing or cut off."""
    try:
        with np.load(path) as arrays:
            for name in arrays.files:  # each is checked by its CRC
                arrays[name]
            return dict(json.loads(arrays["about"].tobytes()))
    except Exception:
        return None
