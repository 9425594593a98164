"""What happens to a portion of the documents, in whatever process: cleaned, and later encoded.

Each function writes a portion's files and last one that tells of them with
their digests; what is there already, whole and from the same input, is taken as it is.
"""

import hashlib
import io
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.text import corpora, dedup
from npgpt.text.chunk import chunk
from npgpt.text.clean import clean, looks_like_html, strip_html
from npgpt.text.filter import scripts, why_not
from npgpt.text.personal import mask_personal
from npgpt.text.prepared import Settings
from npgpt.text.sources import Piece, documents
from npgpt.text.split import split_key
from npgpt.text.token_files import token_dtype
from npgpt.text.tokenizers import Tokenizer, load_tokenizer

SIDES = ("train", "validation")
TRAIN, VALIDATION, EXACT_DUPLICATE, NEAR_DUPLICATE = range(4)
EXAMPLES = 3  # of dropped documents, kept for each reason


def clean_portion(
    folder: Path, settings: Settings, job: tuple[int, list[Piece], str]
) -> tuple[int, int]:
    """Clean some pieces and write what passes; returns how many documents, of how many bytes."""
    number, pieces, digest = job
    texts_path, arrays_path = folder / f"{number:06}.jsonl", folder / f"{number:06}.npz"
    about = read_about(arrays_path)
    if about and about["digest"] == digest and digest_of(texts_path) == about["texts"]:
        return about["count"], about["bytes"]
    reasons = Reasons()
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
            size += len(text.encode("utf-8", "surrogatepass"))
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
                add(masked, counts)
                if counts:
                    found, _ = dedup.shingles(dedup.word_hashes(text))
            if settings.near:
                signatures.append(dedup.sign(found))
            encoded = text.encode()
            digests.append(hashlib.sha1(encoded).digest())
            keys.append(split_key(text, settings.seed))
            words.append(hashes)
            alphabet |= set(text)
            add(letters, scripts(text))
            line = {"id": f"{piece.source}:{start}", "source": piece.source, "start": start}
            lines.append(json.dumps({**line, "text": text}, ensure_ascii=False))
    texts = "".join(line + "\n" for line in lines).encode()
    put(texts_path, texts)
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
    put(arrays_path, arrays.getvalue())
    return len(lines), size


def _strip(page: str) -> tuple[str, str]:
    try:
        return strip_html(page), ""
    except (AssertionError, ValueError, RecursionError):
        return "", "broken HTML"


class Reasons:
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
        add(self.counts, counts)
        for reason, theirs in examples.items():
            kept = self.examples.setdefault(reason, [])
            kept.extend(theirs[: EXAMPLES - len(kept)])


def add(total: dict[str, int], more: dict[str, int]) -> None:
    for key, count in more.items():
        total[key] = total.get(key, 0) + count


def put(path: Path, data: bytes) -> None:
    """Write a file whole, in `.work`: it is checked by its digest, so it need not be flushed."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(data)
    os.replace(aside, path)


def digest_of(path: Path) -> str:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""


def read_about(path: Path) -> dict[str, Any] | None:
    """What a portion says of itself, or None where it is missing or cut off."""
    try:
        with np.load(path) as arrays:
            for name in arrays.files:  # each is checked by its CRC
                arrays[name]
            return dict(json.loads(arrays["about"].tobytes()))
    except Exception:
        return None


@lru_cache(1)
def _tokenizer(path: Path) -> Tokenizer:
    return load_tokenizer(path)


def encode_portion(
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
            add(
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
            put(stage / file, data)
            files[file] = hashlib.blake2b(data, digest_size=16).hexdigest()
    about = {"counts": counts, "keys": keys, "lengths": lengths, "files": files}
    put(about_path, json.dumps(about).encode())


def _text_key(text: str) -> int:
    """A hash of what stands in a document, letter case aside."""
    digest = hashlib.blake2b(text.casefold().encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _finished(path: Path) -> bool:
    try:
        files = json.loads(path.read_bytes())["files"]
        return all(digest_of(path.parent / name) == digest for name, digest in files.items())
    except (OSError, ValueError):
        return False
