import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.draw import REGIMES
from npgpt.checking.edges import call


def advantages(draw):
    B, G, regime = draw("B", range(1, 4)), draw("G", range(2, 6)), draw("regime", REGIMES)
    numbers = draw.numbers()
    rewards = numbers.normal(B, G, std=10.0) if regime == "stress" else numbers.uniform(B, G)
    return FunctionCase(
        component="advantages", functions=("advantages", "centred_rewards"),
        options={"rewards": rewards, "eps": draw("eps", [1e-4, 1e-2])},
        scale=advantages_scale, call=both, expected=by_sums, edges=(equal_rewards,))


def both(find, case):
    return {"advantages": find("advantages")(**case.options),
            "centred": find("centred_rewards")(case.options["rewards"])}


def by_sums(case):
    """Each group alone, by NumPy's own standard deviation."""
    rows = [(row - row.mean(), row.std() + case.options["eps"]) for row in case.options["rewards"]]
    return {"advantages": np.array([centred / std for centred, std in rows]),
            "centred": np.array([centred for centred, _ in rows])}


def advantages_scale(case):
    rewards = case.options["rewards"]
    size = np.abs(rewards).max(axis=-1, keepdims=True) * np.ones_like(rewards)
    std = rewards.std(axis=-1, keepdims=True) + case.options["eps"]
    return {"advantages": size / std * (1 + size / std), "centred": 2 * size}


def equal_rewards(package):
    """Nothing is better than anything else."""
    rewards = np.full((2, 3), 0.5)
    yield "advantages", call(package, "advantages", rewards), np.zeros((2, 3))
    yield "centred", call(package, "centred_rewards", rewards), np.zeros((2, 3))
