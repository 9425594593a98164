"""Torch's implementations: by hand, by autograd through PyTorch's own
operators, and the nn.Module."""

from dataclasses import replace
from functools import wraps

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import torchgpt.finetuning
import torchgpt.layers
import torchgpt.training
from npgpt.checking.case import arguments, differentiated, is_pair
from npgpt.checking.implementations import (
    SHARED,
    Implementation,
    expected_implementation,
    find_package,
    lookup,
    numpy_implementation,
    sharded_implementation,
    uses_torch,
)
from npgpt.replacing import replaced
from npgpt.tree import tree_leaves, tree_map
from torchgpt.checking.operators import by_autograd
from torchgpt.device import DTYPES
from torchgpt.modules import BY_TYPE


def enter_torch(device):
    """mps has no float64: that is the processor's."""
    def enter(array, dtype):
        tensor = torch.from_numpy(np.array(array))
        place = "cpu" if dtype == "float64" and str(device).startswith("mps") else device
        return tensor.to(place, DTYPES[dtype] if tensor.is_floating_point() else None)

    return enter


def leave_torch(value):
    if torch.is_tensor(value):
        return value.detach().to("cpu", torch.float64).clone().numpy()
    return np.asarray(value, dtype=np.float64)


def same_storage(a, b):
    return (torch.is_tensor(a) and a.numel() > 0
            and a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr())


LAYOUTS = {
    "transposed": lambda tensor: tensor.transpose(-1, -2).contiguous().transpose(-1, -2),
    "sliced": lambda tensor: tensor.repeat_interleave(2, dim=-1)[..., ::2],
    "broadcast": lambda tensor: tensor[:1].expand(tensor.shape),
}


def torch_implementation(device="cpu", package="torchgpt", name="torch"):
    """The functions written by hand."""
    shared = SHARED if package == "torchgpt" else ()
    few_bits = ("float32", "bfloat16") if package == "torchgpt" else ("float32",)
    return Implementation(name, lookup(package), enter_torch(device), leave_torch, LAYOUTS,
                          few_bits, None, (package, *shared), same_storage)


def candidate_implementation(package, device="cpu"):
    """A package of someone's own: in torch if a file of its functions
    imports torch, else in NumPy. Raises InputError where there is none."""
    _, offered = find_package(package)
    if uses_torch(offered):
        return torch_implementation(device, package, package)
    return numpy_implementation(package, package)


def autograd_implementation(device="cpu"):
    """Autograd through PyTorch's own operators: a layer's `*_reference`; a
    block or a model with each layer in it replaced by its reference."""
    return Implementation("autograd", lookup("torchgpt"), enter_torch(device), leave_torch,
                          run=run_autograd)


def stepwise_autograd_implementation(device="cpu"):
    """The functions written by hand, each layer in them replaced by
    PyTorch's own operator and that operator's gradient: so `trace` can look
    at what goes in and out of each."""
    def run(case):
        with replaced("torchgpt", layers_by_autograd()), sdpa_kernel(SDPBackend.MATH):
            return case.call(lookup("torchgpt"), case)

    return replace(torch_implementation(device), name="torch-autograd", run=run)


def module_implementation(device="cpu"):
    """The model's nn.Module, for cases of the model and its loss that it serves."""
    return Implementation("module", lookup("torchgpt"), enter_torch(device), leave_torch,
                          run=run_module)


def witnesses(case, device="cpu"):
    """The implementations whose answers to a case must agree."""
    found = [numpy_implementation(), torch_implementation(device)]
    if has_reference(case):
        found.append(autograd_implementation(device))
    if module_serves(case):
        found.append(module_implementation(device))
    if not is_pair(case):
        found.append(expected_implementation())
    if case.component == "loss_and_grads":
        found.append(sharded_implementation())
    return found


def module_serves(case):
    if case.component not in ("gpt2.forward", "llama.forward", "recurrent.forward",
                              "loss_and_grads"):
        return False
    if case.frozen or any(case.options[name] is not None for name in ("mask", "positions")):
        return False
    targets = case.options.get("targets")   # none counted: PyTorch's mean is NaN
    return case.options.get("count") is None and (targets is None or (targets >= 0).any())


def run_autograd(case):
    if case.component in STEPS:
        return STEPS[case.component](case)
    case = watched(case)
    with sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
        if case.component == "loss_and_grads":
            y = reference_loss(**arguments(case))
        elif case.nested:
            with replaced("torchgpt", layer_references()):
                y = case.forward(lookup("torchgpt"), case)
        else:
            y = lookup("torchgpt")(f"{case.component}_reference")(**arguments(case))
        y.backward(case.d_y)
    grads = dict(tree_leaves(left_grads(case)))
    return {"y": y.detach(), **{name: grads[name] for name in differentiated(case)}}


def run_module(case):
    config, params = case.options["config"], case.params
    name, dot, _ = case.component.rpartition(".")
    module = BY_TYPE[name if dot else "gpt2"].from_params(params, config)
    ids = case.options.get("ids", case.options.get("inputs"))
    logits, loss = module(ids, case.options.get("targets"), case.options["dropout_masks"])
    y = logits if loss is None else loss
    y.backward(case.d_y)
    return {"y": y.detach(), **{f"d_{name}": grad for name, grad in module.grads().items()}}


def watched(case):
    """The case with all that is differentiated followed by autograd."""
    def watch(tensor):
        return tensor.detach().clone().requires_grad_()

    return replace(case, inputs=tree_map(watch, case.inputs), params=tree_map(watch, case.params))


def left_grads(case):
    def grad(tensor):
        return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad

    return {f"d_{name}": tree_map(grad, tree)
            for name, tree in {**case.inputs, **case.params}.items()}


def layer_references():
    """[(layer, its reference with nothing saved), ...]."""
    def pair(reference):
        @wraps(reference)
        def forward(*args, **options):
            return reference(*args, **options), ()

        return forward

    find = lookup("torchgpt")
    return [(find(name), pair(reference)) for name, reference in references().items()]


def references():
    return {name.removesuffix("_reference"): getattr(room, name)
            for room in (torchgpt.layers, torchgpt.finetuning)
            for name in dir(room) if name.endswith("_reference")}


def layers_by_autograd():
    """[(layer or its backward, PyTorch's in its place), ...]."""
    pairs = []
    find = lookup("torchgpt")
    for name, reference in references().items():
        forward, backward = by_autograd(name, reference)
        pairs += [(find(name), forward), (find(f"{name}_backward"), backward)]
    return pairs


def reference_loss(params, inputs, targets, config, count, **options):
    with replaced("torchgpt", layer_references()):
        logits, _ = lookup("torchgpt")("gpt2.forward")(params, inputs, config, **options)
    return torchgpt.layers.cross_entropy_reference(logits, targets, count)


def run_adamw(case):
    """torch.optim.AdamW over copies of the weights."""
    options = case.options
    params = tree_map(lambda weight: weight.clone().requires_grad_(), options["weights"])
    weights = dict(tree_leaves(params))
    optimizer = torchgpt.training.adamw_reference(
        list(weights.values()), options["lr"], **options["settings"])
    for grads in options["grads"]:
        for name, grad in tree_leaves(grads):
            weights[name].grad = grad
        optimizer.step()

    def moment(key):
        return tree_map(lambda weight: optimizer.state[weight][key], params)

    return {"params": tree_map(lambda weight: weight.detach(), params),
            "m": moment("exp_avg"), "v": moment("exp_avg_sq"),
            "step": float(len(options["grads"]))}


def run_clip(case):
    """The norm is PyTorch's own; its clipping divides by norm + 1e-6, ours
    by the norm."""
    grads = tree_map(lambda grad: grad.clone(), case.options["grads"])
    norm = torchgpt.training.clip_reference(grads, case.options["limit"])
    if norm > case.options["limit"]:
        grads = tree_map(lambda grad: grad * (case.options["limit"] / norm), grads)
    return {"grads": grads, "norm": norm}


STEPS = {"adamw_step": run_adamw, "clip_by_global_norm": run_clip}


def has_reference(case):
    """True where PyTorch itself has an answer for the case."""
    return is_pair(case) or case.component in STEPS

