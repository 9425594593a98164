"""From raw text to tokens; nothing here knows of layers or tensors."""

from .byte_pairs import BytePairTokenizer
from .characters import CharacterTokenizer
from .corpora import Corpus, load_corpus
from .stop_strings import StopStrings
from .tokenizer_json import tokenizer_config
from .tokenizers import load_tokenizer
from .words import WordTokenizer

__all__ = [
    "BytePairTokenizer",
    "CharacterTokenizer",
    "Corpus",
    "StopStrings",
    "WordTokenizer",
    "load_corpus",
    "load_tokenizer",
    "tokenizer_config",
]
