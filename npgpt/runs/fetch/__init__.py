"""Models from elsewhere, made into directories that every command reads."""

from npgpt.runs.fetch.gguf import Gguf, read_gguf
from npgpt.runs.fetch.models import MODELS, cached, fetch

__all__ = ["MODELS", "Gguf", "cached", "fetch", "read_gguf"]
