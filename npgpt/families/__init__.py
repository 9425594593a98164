"""Families: what a model is, without arithmetic and without arrays."""

from npgpt.families import gpt2

BY_TYPE = {"gpt2": gpt2}

__all__ = ["BY_TYPE", "gpt2"]
