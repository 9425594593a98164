"""Speed: what is done for speed alone, tested equal to the readable code."""

from npgpt.speed.allocator import tune_allocator

__all__ = ["tune_allocator"]
