"""Step 7: a tokenizer for the training documents, and every document's ids."""

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from npgpt.files import write_atomically
from npgpt.text.prepare.chunk import chunk
from npgpt.text.prepare.reasons import add
from npgpt.text.prepare.settings import Settings
from npgpt.text.prepare.token_files import JOINT, token_dtype
from npgpt.text.prepare.work import SIDES, TRAIN, VALIDATION, Work, digest_of, put
from npgpt.text.tokenizers.characters import CharacterTokenizer
from npgpt.text.tokenizers.loading import Tokenizer, is_named, load_tokenizer, train_named
from npgpt.text.tokenizers.special_tokens import END_OF_TEXT, end_id

SAMPLE = 20_000_000  # characters that a tokenizer is trained on, about


def train_tokenizer(work: Work, stage: Path) -> None:
    """tokenizer.json: given, or trained on a sample of the training documents.

    Characters are trained on all there are, validation included, since there is no
    token for one that is missing.
    """
    path, name = stage / "tokenizer.json", work.settings.tokenizer
    if path.exists():
        return
    special = (END_OF_TEXT,) if work.settings.end_of_text else ()
    if name == "characters":
        alphabets = [about["alphabet"] for _, about, _ in work.portions()]
        made: Tokenizer = CharacterTokenizer.train(
            ["".join(sorted(set("".join(alphabets)) | {"\n"}))], special_tokens=special
        )
    elif is_named(name):
        size = sum((work.cleaned / f"{i:06}.jsonl").stat().st_size for i in range(len(work.counts)))
        texts = _training_texts(work, stage, 1 + size // SAMPLE)
        made = train_named(name, texts, special)
    else:
        made = load_tokenizer(name)
    if work.settings.end_of_text:
        end_id(made.special_ids)  # InputError where it has none
    write_atomically(path, made.to_json())


def _training_texts(work: Work, stage: Path, every: int = 1) -> Iterator[str]:
    """The training documents' texts, or each `every`-th of them."""
    verdicts, _ = work.verdicts(stage)
    between = "" if work.settings.end_of_text else JOINT
    number = passed = 0
    for portion in range(len(work.counts)):
        with (work.cleaned / f"{portion:06}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                if verdicts[number] == TRAIN:
                    if passed % every == 0:
                        yield json.loads(line)["text"] + between
                    passed += 1
                number += 1


@lru_cache(1)
def _tokenizer(path: Path) -> Tokenizer:
    return load_tokenizer(path)


def encode_portion(
    cleaned: Path, stage: Path, settings: Settings, job: tuple[int, np.ndarray]
) -> None:
    """Write a portion's documents and ids, a file for each side, and last what they are."""
    portion, verdicts = job
    about_path = stage / f"{portion:06}.json"
    if is_finished(about_path):
        return
    tokenizer = _tokenizer(stage / "tokenizer.json")
    dtype = token_dtype(tokenizer.vocab_size)
    between, end = JOINT, []
    if settings.end_of_text:
        between, end = "", [end_id(tokenizer.special_ids)]
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
            encoded = np.array(tokenizer.encode(text + between) + end, dtype)
            lines[verdict].append(json.dumps(document, ensure_ascii=False).encode() + b"\n")
            ids[verdict].append(encoded)
            keys[verdict].append(_text_key(text))
            lengths.append(len(text))
            add(
                counts[verdict],
                {
                    "documents": 1,
                    "characters": len(text),
                    "bytes": len(text.encode()) + len(between),
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
    """A hash of a document's text, letter case aside."""
    digest = hashlib.blake2b(text.casefold().encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def is_finished(path: Path) -> bool:
    try:
        files = json.loads(path.read_bytes())["files"]
        return all(digest_of(path.parent / name) == digest for name, digest in files.items())
    except (OSError, ValueError):
        return False
