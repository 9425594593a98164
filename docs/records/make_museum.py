"""The record docs/records/museum.json: what famous mistakes cost on a real model.

    python docs/records/make_museum.py        some minutes on one processor

Each mistake is planted in our NumPy code as a change of its text; SmolLM2 then reads one
English text in float32. Beside the loss stand how far the logits have moved, and which of
the checks see the mistake on the small cases of the test suite.
"""

import importlib
import sys

import numpy as np
import torch
import torchgpt.models
from npgpt.checking.blame import locate
from npgpt.checking.components import make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.verdict import Verdict, agreement, laws, observed, scales
from npgpt.generation import empty_cache
from npgpt.layers import cross_entropy
from npgpt.models import llama
from npgpt.tree import tree_map_with_path
from smollm2 import HERE, ids_of, model, write
from torchgpt import to_torch
from torchgpt.checking import witnesses

TEXTS = [       # the first is the one that all figures are of
    "The heart is a muscle that pumps blood through the body. It beats about seventy times a"
    " minute, and faster when we run or climb stairs. The blood carries oxygen from the lungs to"
    " all other parts, and brings back carbon dioxide, which we breathe out. Doctors listen to"
    " the heart to find out whether its valves open and close as they should.",
    "The library on the corner opens at nine. An old man reads the newspaper by the window, and"
    " two children look for a book about whales. When it begins to rain, more people come in,"
    " shake their umbrellas and pretend to read. Nobody talks. At six the lights go out, and the"
    " books have the room to themselves until the morning.",
    "To make bread, mix flour, water, salt and a little yeast in a large bowl. Knead the dough"
    " for ten minutes, cover it with a cloth, and let it rise in a warm place until it is twice"
    " as large. Then shape a loaf, let it rest for half an hour, and bake it until the crust is"
    " brown.",
    "Dear Anna, thank you for your letter and for the photographs of the garden. We arrived on"
    " Sunday after a long journey, and the house was cold, but the neighbours had left wood by"
    " the door. Tomorrow we will go to the market and look for a table. Please write soon and"
    " tell me how your mother is.",
]
PROMPT = 20         # the tokens that are read at once where a cache goes on
CASES, MORE = 8, {"read": 30}   # drawn cases that the checks get, by component
N, A, L = "npgpt/layers/", "npgpt/blocks/grouped_query_attention", "npgpt/models/llama"
GGUF = "npgpt/runs/fetch/from_gguf"
RIGHT_EPS = "inv_rms = 1 / np.sqrt(mean_square + float(eps))"
CUT = "first, second = np.split(x, 2, axis=-1)"
# name -> file, the right text, the wrong one
MISTAKES = {
    "no last norm": (L, "logits, saved_head = linear(normed, **head(params, config))",
                     "logits, saved_head = linear(x, **head(params, config))"),
    "gate and up": (N + "swiglu", "activated, saved_silu = silu(gate)",
                    "gate, up = up, gate\n    activated, saved_silu = silu(gate)"),
    "1 + weight": (N + "rms_norm", "y = normed * weight ", "y = normed * (1 + weight) "),
    "tiled heads": (N + "heads", "y = np.repeat(x, heads // K, axis=1)",
                    "y = np.tile(x, (1, heads // K, 1, 1))"),
    "no root of D": (N + "flash_attention",
                     "scores = scores / math.sqrt(D)                    # (B, H, R, W)\n"
                     "    if causal", "if causal"),
    "no rotation": (N + "rope", "angles = rows * frequencies ", "angles = 0 * rows * frequencies "),
    "minus the angle": (N + "rope", "sin = np.sin(angles).astype(like.real.dtype)",
                        "sin = np.sin(-angles).astype(like.real.dtype)"),
    "rows not reordered": (GGUF, "value = split_pairs(value, heads[part])", "pass"),
    "other pairs": (N + "rope", CUT, "first, second = x[..., ::2], x[..., 1::2]"),
    "GELU for SiLU": (N + "silu", "gate = 0.5 * np.tanh(0.5 * x) + 0.5",
                      "gate = 0.5 * np.tanh(0.7978845608 * (x + 0.044715 * x**3)) + 0.5"),
    "keys one late": (A, "k, saved_rope_k = rope(k, cos, sin)",
                      "k, saved_rope_k = rope(rope(k, cos[:, :, 1:2], sin[:, :, 1:2])[0],"
                      " cos, sin)"),
    "cache one late": (L, "positions = padded_positions([0], T, start + T, x)",
                       "positions = padded_positions([0], T, start + T + (start > 0), x)"),
    "eps 1e-6": (N + "rms_norm", RIGHT_EPS, "inv_rms = 1 / np.sqrt(mean_square + 1e-6)"),
    "eps outside": (N + "rms_norm", RIGHT_EPS,
                    "inv_rms = 1 / (np.sqrt(mean_square) + float(eps))"),
    "float16 angles": (N + "rope",
                       "cos = np.cos(angles).astype(like.real.dtype)      # (B, 1, T, D/2)\n"
                       "    sin = np.sin(angles).astype(like.real.dtype)",
                       "cos = np.cos(angles).astype(np.float16).astype(like.real.dtype)\n"
                       "    sin = np.sin(angles).astype(np.float16).astype(like.real.dtype)"),
    "theta 1e4": (L, "positions, config.head_size, config.theta, x)",
                  "positions, config.head_size, 1e4, x)"),
    "layer norm": (N + "rms_norm", "mean_square = (x * x).mean(axis=-1, keepdims=True)",
                   "x = x - x.mean(axis=-1, keepdims=True)\n"
                   "    mean_square = (x * x).mean(axis=-1, keepdims=True)"),
    "one token leaks": (N + "flash_attention", "offset = S - T + first - start",
                        "offset = S - T + first - start + 1"),
    "all one later": (L, "positions = padded_positions([0], T, start + T, x)",
                      "positions = padded_positions([0], T, start + T + 1, x)"),
}
CACHED = ("cache one late",)
COMPONENTS = {"cache one late": "read"}
SIDES = {"torch": "the other half", "torch-autograd": "autograd", "torch-module": "the module",
         "expected": "the formula"}


def planting():
    """The tests' own way to plant a mistake."""
    root = str(HERE.parents[1])
    if root not in sys.path:
        sys.path.append(root)
    return importlib.import_module("parity_tests.mutants.planting")


def mutant(name):
    file, right, wrong = MISTAKES[name]
    return planting().Mutant(file, name, right, wrong, component=COMPONENTS.get(name))


def rows_of_the_file(params):
    """The weights of queries and keys as a GGUF holds them: 2i and 2i + 1 are a pair."""
    D = model().config.head_size

    def reordered(name, weight):
        if not name.endswith(("attention.q.weight", "attention.k.weight")):
            return weight
        C, width = weight.shape
        return weight.reshape(C, width // D, 2, D // 2).swapaxes(2, 3).reshape(C, width)

    return tree_map_with_path(reordered, params)


def logits_of(text, name=None):
    params, config, ids = model().params, model().config, ids_of(text)[:, :-1]
    if name == "rows not reordered":
        params = rows_of_the_file(params)
    if name not in CACHED:
        return llama.forward(params, ids, config)[0][0]
    rows = [llama.forward(params, ids[:, :PROMPT], config)[0][0]]     # without a cache: all rows
    _, cache = llama.forward(
        params, ids[:, :PROMPT], config, cache=empty_cache(llama, config, 1, params))
    for at in range(PROMPT, ids.shape[1]):
        logits, cache = llama.forward(params, ids[:, at:at + 1], config, cache=cache)
        rows.append(logits[0])
    return np.concatenate(rows)


def loss_of(logits, text):
    return round(float(cross_entropy(logits, ids_of(text)[0, 1:])[0]), 4)


def checks_that_see(each):
    """-> the kinds of checks that find it in drawn cases, the step that is named."""
    kinds, step = set(), None
    component = each.component or each.place()[0]
    with planting().planted(each):
        for seed in range(MORE.get(component, CASES)):
            case = make_case(component, seeded_draw(seed))
            involved = witnesses(case)
            found = Verdict(case)
            try:
                for one in involved:
                    found.values[one.name], _, _ = observed(case, one)
            except ValueError:      # it stops here: a number is to tell, by another case
                continue
            found.size = scales(case, involved[0], found.values[involved[0].name])
            _, wrong = agreement(found, involved, False)
            for finding in wrong:
                if "numpy" in finding.about:
                    kinds |= {SIDES.get(other, other) for other in finding.about} - {"numpy"}
            _, broken = laws(found, involved[0], involved[:1])
            kinds |= {f"the law: {finding.brief.split('the law ')[1].replace('_', ' ')}"
                      for finding in broken}
            if (wrong or broken) and step is None:
                place = locate(wrong + broken, involved)
                step = place and {"function": place.key.function, "step": place.key.step,
                                  "words": place.key.words}
    return sorted(kinds), step


def exhibit(name, truths):
    """truths: the right logits of each text."""
    file, good, bad = MISTAKES[name]
    each = mutant(name)
    each.sources()                                  # the right line stands in the file, once
    if file == GGUF:
        found, kinds, step = [logits_of(text, name) for text in TEXTS], ["the other reader"], None
    else:
        kinds, step = checks_that_see(each)
        with planting().planted(each):
            found = [logits_of(text, name) for text in TEXTS]
    losses = [loss_of(logits, text) for logits, text in zip(found, TEXTS)]
    print(name, losses, kinds, step, flush=True)
    return {"name": name, "file": f"{file}.py", "right": good, "wrong": bad, "losses": losses,
            "logits": float(f"{np.abs(found[0] - truths[0]).max():.3g}"), "checks": kinds,
            "step": step}


def main():
    right = [logits_of(text) for text in TEXTS]
    cached = [logits_of(text, "cache one late") for text in TEXTS]
    with torch.no_grad():
        other, _ = torchgpt.models.llama.forward(
            to_torch(model().params), torch.from_numpy(ids_of(TEXTS[0])[:, :-1]), model().config)
    write("museum", {
        "texts": TEXTS, "tokens": [ids_of(text).shape[1] for text in TEXTS], "prompt": PROMPT,
        "losses": [loss_of(*pair) for pair in zip(right, TEXTS)],
        "loss_torch": loss_of(other[0].numpy(), TEXTS[0]),
        "rounding": float(f"{np.abs(right[0] - other[0].numpy()).max():.3g}"),
        "rounding_cached": float(f"{np.abs(right[0] - cached[0]).max():.3g}"),
        "exhibits": [exhibit(name, cached if name in CACHED else right) for name in MISTAKES]})


if __name__ == "__main__":
    main()
