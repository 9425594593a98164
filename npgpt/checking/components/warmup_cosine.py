import numpy as np

from npgpt.checking.case import FunctionCase


def warmup_cosine(draw):
    step, warmup = draw("step", range(13)), draw("warmup", range(5))
    decay = draw("decay", [8, 11, 4])
    min_lr = draw("min_lr", [None, 0.01])
    options = {"step": step, "lr": 0.5, "warmup_steps": warmup, "decay_steps": decay}
    if min_lr is not None:
        options["min_lr"] = min_lr
    return FunctionCase(
        component="warmup_cosine", options=options,
        scale=lambda case: {"rate": case.options["lr"]},
        call=lambda find, case: {"rate": find("warmup_cosine")(**case.options)},
        expected=schedule_by_definition)


def schedule_by_definition(case):
    """The three pieces: a line through (−1, 0) and (warmup − 1, lr), half a
    cosine from (warmup, lr) to (decay, min_lr), and min_lr from there on."""
    step, lr = case.options["step"], case.options["lr"]
    warmup, decay = case.options["warmup_steps"], case.options["decay_steps"]
    low = case.options.get("min_lr", 0.0)
    line = np.interp(step, [-1, warmup - 1], [0.0, lr]) if warmup else lr
    phase = np.interp(step, [warmup, decay], [0.0, np.pi]) if decay > warmup else np.pi
    cosine = low + (lr - low) * np.cos(phase / 2) ** 2
    return {"rate": line if step < warmup else cosine}
