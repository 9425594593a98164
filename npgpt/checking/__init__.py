"""The gradient checker: cases made from a seed, budgets, witnesses.

It needs neither torch nor Hypothesis: `torchgpt.checking` adds the torch
witnesses, the test suite draws the cases with Hypothesis."""
