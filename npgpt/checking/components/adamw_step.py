import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.tree import leaves, rebuild


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
    return FunctionCase(
        component="adamw_step", functions=("adamw_init", "adamw_step"), options=options,
        scale=adamw_scale, call=call_adamw, expected=adamw_by_definition)


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
