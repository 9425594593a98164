"""From raw text to tokens; nothing here knows of layers or tensors."""

from .characters import CharacterTokenizer
from .corpora import Corpus, load_corpus
from .tokenizer_json import tokenizer_config
from .tokenizers import load_tokenizer

__all__ = [
    "CharacterTokenizer",
    "Corpus",
    "load_corpus",
    "load_tokenizer",
    "tokenizer_config",
]
