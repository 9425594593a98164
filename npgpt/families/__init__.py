"""Families: what a model is, without arithmetic and without arrays."""
