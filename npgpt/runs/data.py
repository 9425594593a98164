"""A run's data: its corpus as ids, and the tokenizer that made them."""

import glob
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.runs.settings import Settings
from npgpt.text import CharacterTokenizer, Corpus, load_corpus, load_tokenizer
from npgpt.text.corpora.locate import is_path
from npgpt.text.prepare.prepared import Prepared, is_prepared, open_prepared
from npgpt.text.prepare.token_files import token_dtype
from npgpt.text.tokenizers.loading import is_named, train_named
from npgpt.text.tokenizers.special_tokens import END_OF_TEXT, end_id


@dataclass
class Data:
    """The ids to learn from and to be judged by, and what they came from."""

    tokenizer: Any
    train: np.ndarray
    validation: np.ndarray
    validation_bytes: int
    record: dict[str, Any]


def open_source(
    settings: Settings, tokenizer: Any = None, earlier: bool = False
) -> tuple[Corpus | Prepared, Any]:
    """Where the ids come from, and the tokenizer: `tokenizer`, or the one that the
    settings ask for. What `npgpt prepare` has encoded with it is not read as text.
    `earlier`: a text as `load_corpus` gave it to older runs."""
    directory, corpus = prepared_directory(settings.corpus), None
    prepared = open_prepared(directory) if directory else None
    if prepared and tokenizer is None and settings.tokenizer is None:
        tokenizer = prepared.tokenizer

    def load() -> Corpus:
        return load_corpus(settings.corpus, field=settings.field,
                           end_of_text=settings.end_of_text, earlier=earlier)

    if tokenizer is None:
        corpus = load()
        tokenizer = make_tokenizer(settings, corpus)
    if prepared and tokenizer.to_json() == prepared.tokenizer.to_json():
        if settings.end_of_text and not prepared.manifest["settings"].get("end_of_text"):
            raise InputError(f"{settings.corpus} was prepared without --end-of-text: leave it out,"
                             " or prepare the text again with it")
        return prepared, tokenizer
    return corpus or load(), tokenizer


def make_tokenizer(settings: Settings, corpus: Corpus) -> Any:
    """The one in a file, one trained here by name, or one for the characters of the corpus."""
    special = (END_OF_TEXT,) if settings.end_of_text else ()
    if settings.tokenizer in (None, "characters"):
        return CharacterTokenizer.train([*corpus.documents, "\n"], special_tokens=special)
    if is_named(settings.tokenizer):
        return train_named(settings.tokenizer, corpus.train, special)
    if not Path(settings.tokenizer).exists():
        raise InputError(f"no tokenizer at {settings.tokenizer}: give a tokenizer.json, "
                         "or characters, words, bpe or bpe:SIZE")
    return load_tokenizer(settings.tokenizer)


def prepared_directory(corpus: str) -> Path | None:
    """Where the corpus lies that `npgpt prepare` wrote, if it is one."""
    path = Path(corpus)
    return path if is_path(corpus) and is_prepared(path) else None


def encode_source(source: Corpus | Prepared, tokenizer: Any, settings: Settings) -> Data:
    """Both parts as ids, mapped where they are prepared; InputError where one is
    shorter than a context."""
    if isinstance(source, Prepared):
        train, validation = source.train, source.validation
        validation_bytes = source.validation_bytes
    else:
        if not source.validation:
            raise InputError(nothing_held_out(source))
        kind = token_dtype(tokenizer.vocab_size)
        if settings.end_of_text:
            ids = (ended(part, tokenizer) for part in (source.train, source.validation))
            text = "".join(source.validation)
        else:
            text = source.validation_text
            ids = map(tokenizer.encode, (source.train_text, text))
        train, validation = (np.array(part, dtype=kind) for part in ids)
        validation_bytes = len(text.encode())
    check_length(train, settings.context_length, f"the training part of {source.name}")
    check_length(validation, settings.context_length, f"the validation part of {source.name}")
    ids_sha256 = hashlib.sha256(train)  # no copy: the tokens may be mapped
    ids_sha256.update(validation)
    record = {
        "name": source.name,
        "source": source.source,
        "licence": source.licence,
        "sha256": source.sha256,
        "ids_sha256": ids_sha256.hexdigest(),
        "train_tokens": len(train),
        "validation_tokens": len(validation),
    }
    return Data(tokenizer, train, validation, validation_bytes, record)


def same_data(
    path: Path, settings: Settings, tokenizer: Any, recorded: dict[str, Any]
) -> Data:
    """The data of the run in `path` as they were when it was born; InputError where they
    have changed since."""
    source, _ = open_source(settings, tokenizer)
    same_text = source.sha256 == recorded["sha256"]
    if same_text:
        data = encode_source(source, tokenizer, settings)
        if data.record["ids_sha256"] == recorded["ids_sha256"]:
            return data
    if not isinstance(source, Prepared):
        older, _ = open_source(settings, tokenizer, earlier=True)
        if older.sha256 == recorded["sha256"] and older.train_text != source.train_text:
            data = encode_source(older, tokenizer, settings)
            if data.record["ids_sha256"] == recorded["ids_sha256"]:
                return data
    if not same_text:
        raise InputError(
            f"the corpus {settings.corpus} is not the one that {path} was trained on"
            f" (SHA-256 {source.sha256[:12]}…, not {str(recorded['sha256'])[:12]}…):"
            " restore it, or start a new run"
        )
    mapped = isinstance(source, Prepared)
    what = f"the token files in {settings.corpus}" if mapped else path / "tokenizer.json"
    raise InputError(
        f"{what}: it gives other ids than {path} was trained on;"
        " restore it, or start a new run"
    )


def ended(documents: list[str], tokenizer: Any) -> list[int]:
    """The ids of whole documents, the id that ends one after each."""
    end = end_id(tokenizer.special_ids)
    return [id for document in documents for id in [*tokenizer.encode(document), end]]


def nothing_held_out(corpus: Corpus) -> str:
    """Why a corpus has no validation part, and what to do."""
    if len(corpus.documents) > 1:
        what = "holds one piece of text again and again"
    else:
        what = f"is one piece of {len(corpus.text):,} characters"
    return (f"{corpus.name} {what}, so nothing can be held out for validation that is not"
            " trained on: give other text besides")


def check_length(ids, context_length: int, what: str) -> None:
    """InputError unless one window and its last target fit in."""
    if len(ids) <= context_length:
        raise InputError(
            f"{what} has {len(ids)} tokens, too few for a context of"
            f" {context_length}: give more text or a shorter context")


def from_anywhere(corpus: str) -> str:
    """A corpus' name, or the absolute path or pattern of its files."""
    if not is_path(corpus):
        return corpus
    if os.path.lexists(corpus):
        return os.path.abspath(corpus)
    return os.path.join(glob.escape(os.getcwd()), corpus)
