"""loss_and_grads, adamw_step, clip_by_global_norm, warmup_cosine."""

import math

import numpy as np

from npgpt.checking.case import Case, named_grads
from npgpt.checking.cases.composites import model
from npgpt.checking.cases.cross_entropy import IGNORE
from npgpt.checking.cases.softmax import no_step_where_all_is_hidden
from npgpt.tree import leaves, rebuild


def loss_and_grads(draw):
    config, ids, params, options, numbers = model(draw)
    ignored, count = draw("ignored", [False, True]), draw("count", [None, 5])
    targets = numbers.below(config.vocab_size, *ids.shape)
    if ignored:
        targets[numbers.uniform(*ids.shape) < 0.4] = IGNORE
    return Case("loss_and_grads", {}, params,
                {"ids": ids, "targets": targets, "config": config, "count": count, **options},
                np.float64(1.0), laws=(micro_batches_add_up,), nested=True,
                least_scale={"y": 1.0},     # log Σe of a right guess: Σe is near 1, not 0
                no_complex_step=no_step_where_all_is_hidden(options["visible"]),
                call=call_loss, forward=forward_of_loss, covers=("loss_and_grads",))


def call_loss(find, case):
    loss, grads = find("loss_and_grads")(**case.arguments())
    return {"y": loss, **named_grads(case, grads)}


def forward_of_loss(find, case):
    return np.asarray(find("loss_and_grads")(**case.arguments())[0])


def micro_batches_add_up(case, compute):
    """The gradients of two micro-batches, divided by the whole batch's
    count, add up to the whole batch's."""
    options = case.options
    targets, visible, keep = options["targets"], options["visible"], options["keep"]
    if len(targets) < 2:
        return
    count = options["count"] or max(int((targets != IGNORE).sum()), 1)

    def part(rows):
        masks = visible[rows] if visible is not None else None
        kept = rebuild(keep, lambda name, mask: mask[rows]) if keep else None
        return compute(case.with_inputs(ids=options["ids"][rows], targets=targets[rows],
                                        visible=masks, keep=kept, count=count))

    whole, first, rest = compute(case), part(slice(0, 1)), part(slice(1, None))
    for name in whole:
        yield name, first[name] + rest[name], whole[name]


def adamw_step(draw):
    steps, I, O = draw("steps", range(1, 5)), draw("I", range(1, 5)), draw("O", range(1, 5))
    settings = {}
    for name, other in (("betas", (0.8, 0.99)), ("eps", 1e-2), ("weight_decay", 0.0)):
        if draw(name, ["default", other]) != "default":
            settings[name] = other
    size = draw("size", [1.0, 1e-6])
    numbers = draw.numbers()

    def tree(std):
        return {"linear": {"weight": numbers.normal(I, O, std=std),
                           "bias": numbers.normal(O, std=std)},
                "blocks": [{"weight": numbers.normal(I, std=std)}]}

    options = {"weights": tree(1.0), "grads": [tree(size) for _ in range(steps)],
               "lr": 0.1, "settings": settings}
    return Case("adamw_step", options=options, scale=adamw_scale, call=call_adamw,
                expected=adamw_by_definition, covers=("adamw_init", "adamw_step"))


def call_adamw(find, case):
    params = rebuild(case.options["weights"], lambda name, weight: weight * 1)
    state = find("adamw_init")(params)
    for grads in case.options["grads"]:
        find("adamw_step")(params, grads, state, case.options["lr"], **case.options["settings"])
    return {"params": params, "m": state["m"], "v": state["v"], "step": float(state["step"])}


def adamw_by_definition(case):
    """Algorithm 2 of Loshchilov and Hutter, tensor by tensor, the means as
    weighted sums over all gradients so far."""
    beta_1, beta_2 = case.options["settings"].get("betas", (0.9, 0.95))
    eps = case.options["settings"].get("eps", 1e-8)
    decay = case.options["settings"].get("weight_decay", 0.1)
    lr, rows = case.options["lr"], [dict(leaves(g)) for g in case.options["grads"]]
    results = {"step": float(len(rows))}
    for name, weight in leaves(case.options["weights"]):
        for t in range(1, len(rows) + 1):
            ages = np.arange(t)[::-1].reshape(-1, *[1] * weight.ndim)
            seen = np.stack([row[name] for row in rows[:t]])
            m = ((1 - beta_1) * beta_1 ** ages * seen).sum(axis=0)
            v = ((1 - beta_2) * beta_2 ** ages * seen ** 2).sum(axis=0)
            towards = m / (1 - beta_1 ** t) / (np.sqrt(v / (1 - beta_2 ** t)) + eps)
            weight = weight - lr * towards - lr * decay * weight * (weight.ndim >= 2)
        results |= {f"params.{name}": weight, f"m.{name}": m, f"v.{name}": v}
    return results


def adamw_scale(case):
    """Each step adds terms of the weight's size and of lr · 10: the means'
    quotient is below 10 for these rates. 1 − β cancels: u / (1 − β)."""
    settings = case.options["settings"]
    beta_1, beta_2 = settings.get("betas", (0.9, 0.95))
    lost = 1 / (1 - max(beta_1, beta_2))
    sizes = {"step": 0.0}
    for name, weight in leaves(case.options["weights"]):
        grads = [np.abs(dict(leaves(g))[name]).max() for g in case.options["grads"]]
        steps = len(grads)
        sizes[f"params.{name}"] = steps * (np.abs(weight).max() + 10 * case.options["lr"] * lost)
        sizes[f"m.{name}"] = steps * max(grads) * lost
        sizes[f"v.{name}"] = steps * max(grads) ** 2 * lost
    return sizes


def clip_by_global_norm(draw):
    I, O = draw("I", range(1, 5)), draw("O", range(1, 5))
    limit, size = draw("limit", [1.0, 0.1, 1e6]), draw("size", [1.0, 1e-3, 0.0])
    numbers = draw.numbers()
    grads = {"linear": {"weight": numbers.normal(I, O, std=size),
                        "bias": numbers.normal(O, std=size)},
             "blocks": [{"weight": numbers.normal(I, std=10 * size)}]}
    return Case("clip_by_global_norm", options={"grads": grads, "limit": limit},
                scale=clip_scale, call=call_clip, expected=clip_by_definition, views=True,
                covers=("clip_by_global_norm",))


def call_clip(find, case):
    grads, norm = find("clip_by_global_norm")(case.options["grads"], case.options["limit"])
    return {"grads": grads, "norm": norm}


def clip_by_definition(case):
    grads = dict(leaves(case.options["grads"]))
    norm = math.sqrt(sum(float(x) ** 2 for grad in grads.values() for x in grad.flat))
    factor = min(1.0, case.options["limit"] / norm) if norm else 1.0
    return {"norm": norm, **{f"grads.{name}": grad * factor for name, grad in grads.items()}}


def clip_scale(case):
    expected = clip_by_definition(case)
    return {name: 2 * np.abs(value) for name, value in expected.items()}


def warmup_cosine(draw):
    step, warmup = draw("step", range(13)), draw("warmup", range(5))
    decay = draw("decay", [8, 11, 4])
    min_lr = draw("min_lr", [None, 0.01])
    options = {"step": step, "lr": 0.5, "warmup_steps": warmup, "decay_steps": decay}
    if min_lr is not None:
        options["min_lr"] = min_lr
    return Case("warmup_cosine", options=options, scale=lambda case: {"rate": case.options["lr"]},
                call=lambda find, case: {"rate": find("warmup_cosine")(**case.options)},
                expected=schedule_by_definition, covers=("warmup_cosine",))


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
