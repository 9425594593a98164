import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call


def rslora_alpha(draw):
    # never as large as the rank: one could stand for the other
    alpha, rank = draw("alpha", [16.0, 0.5, 6.0]), draw("rank", [1, 2, 3, 8, 64])
    return FunctionCase(
        component="rslora_alpha", options={"alpha": alpha, "rank": rank},
        scale=lambda case: {"alpha": by_definition(case)["alpha"]},
        call=lambda find, case: {"alpha": find("rslora_alpha")(**case.options)},
        expected=by_definition, edges=(divided_by_the_rank,))


def by_definition(case):
    """What, divided by the rank, is alpha / √r."""
    alpha, rank = case.options["alpha"], case.options["rank"]
    return {"alpha": np.exp(np.log(alpha) + np.log(rank) / 2)}


def divided_by_the_rank(package):
    yield "the scale", call(package, "rslora_alpha", 16.0, 4) / 4, 8.0
