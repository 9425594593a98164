import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call


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
        expected=schedule_by_definition, edges=(boundaries, without_warm_up_or_decay))


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


def boundaries(package):
    """Up, with lr when the warm-up ends; down; and min_lr from then on."""
    for step, rate in ((0, 0.1), (1, 0.2), (8, 0.9), (9, 1.0), (10, 1.0), (15, 0.55),
                       (20, 0.1), (21, 0.1), (10**6, 0.1)):
        found = call(package, "warmup_cosine", step, 1.0, 10, 20, 0.1)
        yield f"the rate of step {step}", found, rate, 1e-13


def without_warm_up_or_decay(package):
    yield "no warm-up", call(package, "warmup_cosine", 0, 1.0, 0, 10), 1.0
    yield "neither", call(package, "warmup_cosine", 0, 1.0, 0, 0, 0.3), 0.3
    yield "no decay", call(package, "warmup_cosine", 5, 1.0, 5, 5, 0.3), 0.3
