"""Runs in PyTorch: their trainers, alone and one of several processes."""
