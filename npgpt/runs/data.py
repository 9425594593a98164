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


@dataclass
class Data:
    """The ids to learn from and to be judged by, and what they came from."""

    tokenizer: Any
    train: np.ndarray
    validation: np.ndarray
    validation_bytes: int
    record: dict[str, Any]


def open_source(settings: Settings, tokenizer: Any = None) -> tuple[Corpus | Prepared, Any]:
    """Where the ids come from, and the tokenizer: `tokenizer`, or the one that the
    settings ask for. What `npgpt prepare` has encoded with it is not read as text."""
    directory, corpus = prepared_directory(settings.corpus), None
    prepared = open_prepared(directory) if directory else None
    if prepared and tokenizer is None and settings.tokenizer is None:
        tokenizer = prepared.tokenizer
    if tokenizer is None:
        corpus = load_corpus(settings.corpus)
        tokenizer = make_tokenizer(settings, corpus)
    if prepared and tokenizer.to_json() == prepared.tokenizer.to_json():
        return prepared, tokenizer
    return corpus or load_corpus(settings.corpus), tokenizer


def make_tokenizer(settings: Settings, corpus: Corpus) -> Any:
    """The one in a file, one trained here by name, or one for the characters of the corpus."""
    if settings.tokenizer in (None, "characters"):
        return CharacterTokenizer.train([*corpus.documents, "\n"])
    if is_named(settings.tokenizer):
        return train_named(settings.tokenizer, corpus.train)
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
        kind = token_dtype(tokenizer.vocab_size)
        train, validation = (
            np.array(tokenizer.encode(text), dtype=kind)
            for text in (source.train_text, source.validation_text)
        )
        validation_bytes = len(source.validation_text.encode())
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
