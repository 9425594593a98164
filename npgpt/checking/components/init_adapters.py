import math

import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call, is_ours, stops
from npgpt.errors import InputError
from npgpt.families import gpt2, llama
from npgpt.random_stream import uniforms
from npgpt.tree import tree_leaves

TARGETS = {"gpt2": ["qkv", "attention.out"], "llama": ["q", "v"]}
NAMED = {"gpt2": ("attention.qkv", "attention.out"), "llama": ("attention.q", "attention.v")}
FAMILIES = {"gpt2": gpt2, "llama": llama}


def init_adapters(draw):
    kind, C = draw("family", list(FAMILIES)), draw("C", [4, 6])
    rank, own_seed = draw("rank", [1, 2, 3]), draw("own_seed", [False, True])
    layers, numbers = draw("layers", [1, 2]), draw.numbers()
    config = FAMILIES[kind].Config(vocab_size=3, layers=layers, heads=1, channels=C)
    options = {"kind": kind, "config": config, "rank": rank, "like": numbers.normal(2)}
    if own_seed:
        options["seed"] = 7
    return FunctionCase(
        component="init_adapters", options=options,
        scale=lambda case: dict.fromkeys(by_definition(case), 1.0), call=call_init_adapters,
        expected=by_definition, edges=(what_is_refused,))


def call_init_adapters(find, case):
    """In the number format of `like`."""
    options = case.options
    seed = {"seed": options["seed"]} if "seed" in options else {}
    return {"adapters": find("init_adapters")(
        find(f"models.{options['kind']}"), options["config"], TARGETS[options["kind"]],
        options["rank"], dtype=options["like"].dtype, **seed)}


def by_definition(case):
    """A by Kaiming's rule with a = √5, whose bound is √(6 / ((1 + a²) · I)); B is 0."""
    options, found = case.options, {}
    family, config, rank = FAMILIES[options["kind"]], options["config"], options["rank"]
    for path, weight in tree_leaves(family.weights(config)):
        layer = path.removesuffix(".weight")
        if layer.endswith(NAMED[options["kind"]]):
            (I, O), name = weight.shape, f"adapters.{layer}"
            bound = math.sqrt(6 / ((1 + math.sqrt(5) ** 2) * I))
            draws = uniforms((I, rank), options.get("seed", 1), 0, f"init.{layer}.A")
            found |= {f"{name}.A": bound * (2 * draws - 1), f"{name}.B": np.zeros((rank, O))}
    return found


def what_is_refused(package):
    """No layer of that name, no layers, and no rank that fits."""
    if is_ours(package):
        model, config = package.find("models.gpt2"), gpt2.Config(3, 4, 1, 1, 4)
        for targets, rank in ((["q"], 1), (["tokens"], 1), ([], 1), (["qkv"], 5), (["qkv"], 0)):
            refused = stops(InputError, call, package, "init_adapters", model, config, targets,
                            rank)
            yield f"whether {targets} of rank {rank} is refused", refused, True
