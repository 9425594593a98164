"""A training step on compiled loops: for who has read the other.

`npgpt train --compile` runs it. `on_loops` gives a model, and the function
that trains it, the layers of `layers`, whose loops are in `loops`; clipping
and AdamW are in `adamw`. The readable functions are their reference, and
the tests hold them to it. Needs numba (pip install 'npgpt[compile]')."""

from npgpt.speed.compiled.adamw import adamw_step, clip_by_global_norm
from npgpt.speed.compiled.model import by_columns, on_loops

__all__ = ["adamw_step", "by_columns", "clip_by_global_norm", "on_loops"]
