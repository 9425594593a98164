"""npgpt gradcheck RUN: every gradient of a model that is there, over a text."""

import importlib.util
import sys

import numpy as np
import typer

from npgpt.cli.output import clean_stdout, print_json
from npgpt.cli.tables import print_table
from npgpt.cli.trace_model import ids_of

CHANGE = 2e-3   # of the loss, on a step along its gradient


def gradcheck_model(path, text, as_json):
    """Print how far the gradients of NumPy, of PyTorch and of autograd lie apart; exit with
    status 1 if one of them is further off than rounding explains."""
    from npgpt.runs.checkpoint import load_checkpoint

    with clean_stdout(as_json):
        found = load_checkpoint(path)
        ids = ids_of(found, text)
        rows, slope = compared(found, ids[:, :-1], ids[:, 1:])
    wrong = [row for row in rows if any(times > 1 for times in row["errors"].values())]
    if as_json:
        print_json({"model": str(found.path), "tokens": ids.shape[1] - 1, "rows": rows,
                    "finite_difference": slope, "wrong": [row["name"] for row in wrong]})
    else:
        show(found, ids.shape[1] - 1, rows, slope, wrong)
    raise typer.Exit(1 if wrong else 0)


def compared(found, inputs, targets):
    """-> [{"name", "errors": {witness: error / budget}}, …] of all gradients; by how much a
    finite difference along the gradient is off, relatively."""
    from npgpt.checking.comparison import error_between, ratio
    from npgpt.checking.implementations import numpy_implementation
    from npgpt.checking.walk import budgets_of, walked
    from npgpt.models import BY_TYPE
    from npgpt.training import mean_loss
    from npgpt.tree import tree_map_with_path

    ours, name = numpy_implementation(), found.family.FILES["model_type"]
    arguments = (ours, ours, name, found.params, inputs, targets, found.config)
    grads = walked(*arguments).grads
    others = by_torch(found, name, inputs, targets)
    budgets = budgets_of(arguments, {f"d {path}": grad for path, grad in grads.items()}, {})
    rows = [{"name": path, "errors": {
        witness: ratio(error_between(grad, theirs[path])[0], budgets[f"d {path}"])
        for witness, theirs in others.items()}} for path, grad in grads.items()]

    length = np.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads.values()))
    step = CHANGE / length

    def loss_after(direction):
        moved = tree_map_with_path(
            lambda path, weight: weight + np.float32(direction * step / length) * grads[path],
            found.params)
        return float(mean_loss(BY_TYPE[name], moved, inputs, targets, found.config))

    slope = (loss_after(1) - loss_after(-1)) / (2 * step)
    return rows, abs(slope - length) / length


def by_torch(found, name, inputs, targets):
    """-> {witness: {path: gradient}}, of torch by hand and of autograd through the module; none
    where there is no torch."""
    if not importlib.util.find_spec("torch"):
        print("torch is not installed: NumPy is compared with a finite difference alone",
              file=sys.stderr)
        return {}
    import torch

    import torchgpt.models
    from npgpt.tree import tree_leaves
    from torchgpt import to_numpy, to_torch
    from torchgpt.modules import BY_TYPE
    from torchgpt.training import loss_and_grads

    ids, aims = torch.from_numpy(inputs), torch.from_numpy(targets)
    _, by_hand = loss_and_grads(torchgpt.models.BY_TYPE[name], to_torch(found.params), ids, aims,
                                found.config)
    module = BY_TYPE[name].from_params(to_torch(found.params), found.config)
    module(ids, aims)[1].backward()
    return {witness: dict(tree_leaves(to_numpy(grads)))
            for witness, grads in (("torch", by_hand), ("autograd", module.grads()))}


def show(found, tokens, rows, slope, wrong):
    parts = {}
    for row in rows:
        part = row["name"].split(".")
        part = ".".join(part[:2]) if part[0] == "blocks" else part[0]
        for witness, times in row["errors"].items():
            each = parts.setdefault(part, {})
            each[witness] = max(each.get(witness, 0.0), times)
    print(f"{found.path}: {len(rows)} gradients, {tokens} tokens in float32\n\nNumPy by hand,"
          " compared with the others. Errors are a percentage of what\nrounding may cause; each"
          " row is the worst of a part's tensors.")
    if parts:
        witnesses = list(rows[0]["errors"])
        print_table(["part", *witnesses], [
            [part, *(f"{each[witness]:.0%}" for witness in witnesses)]
            for part, each in parts.items()])
    print(f"a finite difference along the gradient is off by {slope:.1e} of it")
    for row in wrong[:5]:
        print(f"wrong: {row['name']}, " + ", ".join(
            f"{times:.2g} times the budget from {witness}"
            for witness, times in row["errors"].items()))
    if not wrong:
        print(f"all {len(rows)} gradients agree")
