"""From a trained model to text."""

from npgpt.generation.rows_of_cache import rows_of_cache
from npgpt.generation.sampling_settings import SamplingSettings
from torchgpt.generation.beam_search import beam_search
from torchgpt.generation.cache import empty_cache, read
from torchgpt.generation.engine import Engine
from torchgpt.generation.generate import generate
from torchgpt.generation.generate_batch import generate_batch
from torchgpt.generation.sample import (
    draw_token,
    log_prob,
    penalise_repeats,
    sample_token,
    token_probs,
)

__all__ = [
    "Engine", "SamplingSettings", "beam_search", "draw_token",
    "empty_cache", "generate", "generate_batch", "log_prob",
    "penalise_repeats", "read", "rows_of_cache", "sample_token",
    "token_probs",
]
