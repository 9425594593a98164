"""Runs: settings, data, log and checkpoints around a training."""
