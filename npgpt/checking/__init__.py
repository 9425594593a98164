"""The gradient checker: cases made from a seed, witnesses, one verdict.

`components` draws a case of each component; `verdict.verdict(case,
implementations)` says whether all that must hold does; `trace` names the
first value in which two implementations differ.

It needs neither torch nor Hypothesis: `torchgpt.checking` adds the torch
witnesses, the test suite draws the cases with Hypothesis."""
