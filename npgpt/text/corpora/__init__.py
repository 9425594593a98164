"""Corpora: what `--corpus` names, from a name to documents for training and validation."""
