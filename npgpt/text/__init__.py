"""From raw text to tokens; nothing here knows of layers or tensors."""

from .corpora import Corpus, load_corpus

__all__ = ["Corpus", "load_corpus"]
