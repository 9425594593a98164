"""npgpt trace … transformers MODEL: a model's layers beside the modules of transformers'."""

import importlib.util

import numpy as np
import typer

from npgpt.cli.output import clean_stdout, print_json
from npgpt.cli.run import INSTALL
from npgpt.errors import InputError

TEXT, TOKENS, LONGEST = "The capital of France is Paris.", 8, 64


def trace_model(first, model, original, text, as_json, implementation_named):
    """Print the first value in which the model, run by `first`, differs from
    transformers'; exit with status 1 if there is one."""
    if first in ("transformers", "torch-autograd"):
        raise InputError(f"{first} cannot be compared with transformers: give numpy, torch or a"
                         " package")
    if model is None:
        raise InputError("give the directory of a model, too, such as:"
                         " npgpt trace numpy transformers smollm2")
    for name in ("transformers", "torch"):
        if not importlib.util.find_spec(name):
            raise InputError(f"trace … transformers needs {name}: {INSTALL[name]}")
    with clean_stdout(as_json):
        found, path, tokens = compared(first, model, original, text, implementation_named)
    difference = found.difference
    if as_json:
        print_json({"model": str(path), "tokens": tokens, "values": found.compared,
                    "largest": found.worst[0], "largest_of": found.worst[1],
                    "difference": as_object(found)})
    else:
        way = "forward and back" if found.back else (
            f"forward, for {first} offers a layer without its backward pass")
        print(f"{path}: {tokens} tokens in float32, {way}")
        if difference is None:
            print(f"{first} and transformers agree in each of {found.compared} values; the largest"
                  f" error, of\n{told(found.worst[1])}, is {found.worst[0]:.2g} of its budget")
        else:
            print(f"{first} differs from transformers: {difference}\n"
                  f"  it is {told(found.name)} in transformers")
            if len(found.between) > 1:
                print(f"  what was compared before it agrees; between them: "
                      f"{', '.join(found.between)}")
    raise typer.Exit(1 if difference else 0)


def as_object(found):
    difference = found.difference
    return None if difference is None else {
        "calls": difference.key.calls, "step": difference.key.step,
        "words": difference.key.words, "name": difference.key.name, "transformers": found.name,
        "between": list(found.between), "error": difference.error, "budget": difference.budget,
        "index": difference.index, "guess": difference.guess}


def told(name):
    """"d lm_head" -> "the gradient of lm_head"."""
    plain = name.removeprefix("d ").removesuffix(" input")
    where = f"what {plain} is handed" if name.endswith(" input") else plain
    return f"{'the gradient of ' if name.startswith('d ') else ''}{where}"


def compared(first, path, original, text, implementation_named):
    """-> what walk.first_difference finds, the model's path, how many tokens are read."""
    from npgpt.checking.implementations import OURS, enter_numpy, numpy_implementation
    from npgpt.checking.walk import first_difference
    from npgpt.runs.checkpoint import file_name, find_directory, load_checkpoint
    from npgpt.runs.checkpoint.weights import is_transposed
    from npgpt.tree import tree_leaves, tree_map
    from torchgpt.checking import torch_implementation
    from torchgpt.checking.transformers_model import load, pairs_of, values_of

    own = implementation_named(first, None)
    ours = numpy_implementation() if own.enter is enter_numpy else torch_implementation()
    if own.packages[0] in OURS:
        own = ours
    found = load_checkpoint(path)
    ids = ids_of(found, text)
    family = found.family
    if family.FILES["model_type"] == "recurrent":
        raise InputError(f"{path} is a recurrent model, which transformers does not have: give a"
                         " GPT-2 or a Llama")
    weights = {name: (file_name(name, family), is_transposed(name, family))
               for name, _ in tree_leaves(found.params)}
    inputs, targets = ids[:, :-1], ids[:, 1:]
    theirs = load(found.path if original is None else find_directory(original))
    theirs = values_of(theirs, inputs, targets, weights)
    params = found.params if ours.name == "numpy" else tree_map(
        lambda array: ours.enter(array, "float32"), found.params)
    model = family.FILES["model_type"]
    pairs = pairs_of(model, found.config.layers)
    return first_difference(ours, own, theirs, pairs, model, params, inputs, targets,
                            found.config), found.path, inputs.shape[1]


def ids_of(found, text):
    """The text's ids, (1, T + 1); the first tokens of the vocabulary, where there is no
    tokenizer."""
    from npgpt.families.checks import check_ids

    longest = found.config.context_length or LONGEST  # a recurrent model has no end to it
    if found.tokenizer is None:
        if text is not None:
            raise InputError(f"{found.path} has no tokenizer: leave out --text")
        length = min(TOKENS, longest)
        ids = np.arange(length + 1)[None] * 7 % found.config.vocab_size
    else:
        ids = np.array([found.tokenizer.encode(TEXT if text is None else text)], np.int64)
        ids = ids if text is not None else ids[:, :longest + 1]
    if ids.shape[1] < 2:
        raise InputError("the text has one token: give two or more, for the second is to be"
                         " predicted from the first")
    check_ids(ids[:, :-1], found.config)
    return ids
