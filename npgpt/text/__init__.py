"""From raw text to tokens; nothing here knows of layers or tensors."""

from .corpora.load import Corpus, load_corpus
from .tokenizers.byte_pairs import BytePairTokenizer
from .tokenizers.characters import CharacterTokenizer
from .tokenizers.loading import load_tokenizer
from .tokenizers.stop_strings import StopStrings
from .tokenizers.tokenizer_json import tokenizer_config
from .tokenizers.words import WordTokenizer

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
