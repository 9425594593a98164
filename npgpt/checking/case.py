"""A case: one component, and all that is needed to check it once.

A `PairCase` is of a forward and its backward pass; a `FunctionCase` of
what has no gradients (sampling, masks, the schedule, the optimiser)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from npgpt.tree import tree_leaves, tree_map_with_path


def call_pair(find, case):
    """A hand-written pair, forward and backward -> {"y", "d_x", ...}."""
    y, saved = find(case.component)(**arguments(case))
    grads = find(backward_of(case.component))(case.d_y, saved)
    return {"y": y, **named_grads(case, grads)}


def forward_of_pair(find, case):
    return find(case.component)(**arguments(case))[0]


@dataclass(frozen=True, kw_only=True)
class PairCase:
    """inputs, params: what there are gradients of; options: the rest; d_y:
    the upstream gradient.

    scale(case) -> {"y": S, "d_x": S, ...}, the size of the terms that each
    result adds up (see budgets.py); None: it is measured. laws: see
    laws.py; edges: see edges.py. call(find, case) -> named results, where find("layer_norm") is
    the function of the package in hand; forward(find, case) -> y alone.
    functions: the names of those that are checked, if not the pair."""

    component: str
    inputs: dict = field(default_factory=dict)
    params: dict = field(default_factory=dict)
    nested: bool = False            # params is one argument: a block or a model
    options: dict = field(default_factory=dict)
    d_y: Any
    scale: Callable | None = None
    least_scale: dict = field(default_factory=dict)     # where it is measured
    laws: tuple = ()
    edges: tuple = ()
    call: Callable = call_pair
    forward: Callable = forward_of_pair
    functions: tuple = ()
    frozen: tuple = ()              # paths of the layers that do not train; "": the layer itself
    views: bool = False             # may hand its input on, uncopied
    no_complex_step: str = ""       # why there is none
    chosen: dict = field(default_factory=dict)

    def __repr__(self):             # else Hypothesis prints every array
        return f"{self.component}[{at(self)}]"


@dataclass(frozen=True, kw_only=True)
class FunctionCase:
    """params: weights, one argument, where there are any; options: the rest.

    expected(case): the results by an independent formula. scale, laws,
    edges, call, functions: as for a pair; functions, if not the component's own."""

    component: str
    params: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    call: Callable
    expected: Callable
    scale: Callable | None = None
    least_scale: dict = field(default_factory=dict)     # where it is measured
    laws: tuple = ()
    edges: tuple = ()
    functions: tuple = ()
    views: bool = False             # may hand its input on, uncopied
    discrete: bool = False          # a choice, which rounding may tip where two are equal
    result_dtype: str | None = None  # of the results, if not the inputs'
    chosen: dict = field(default_factory=dict)

    def __repr__(self):
        return f"{self.component}[{at(self)}]"


def backward_of(name):
    """layer_norm -> layer_norm_backward; gpt2.forward -> gpt2.backward."""
    model, dot, _ = name.rpartition(".")
    return f"{model}.backward" if dot else f"{name}_backward"


def functions_of(case):
    """The names of the functions that a case checks."""
    if case.functions:
        return case.functions
    if is_pair(case):
        return case.component, backward_of(case.component)
    return (case.component,)


def is_pair(case):
    return isinstance(case, PairCase)


def named_grads(case, grads):
    """What a backward returns, by name: inputs in argument order, then one
    dict of the parameters'."""
    parts = grads if isinstance(grads, tuple) else (grads,)
    named = {f"d_{name}": part for name, part in zip(case.inputs, parts)}
    if isinstance(parts[-1], dict):
        named |= {f"d_{name}": part for name, part in parts[-1].items()}
    return named


def arguments(case):
    """All that the function in hand is given, by name."""
    if is_pair(case):
        params = marked(case.params, case.frozen)
        return {**case.inputs, **({"params": params} if case.nested else params), **case.options}
    return {**({"params": case.params} if case.params else {}), **case.options}


def marked(params, frozen, path=""):
    """The params as a forward takes them: trainable=False where a layer is frozen."""
    if path in frozen:
        return {**params, "trainable": False}
    if isinstance(params, list):
        return [marked(part, frozen, f"{path}.{i}".lstrip(".")) for i, part in enumerate(params)]
    if isinstance(params, dict):
        return {key: marked(part, frozen, f"{path}.{key}".lstrip("."))
                for key, part in params.items()}
    return params


def trains(case, name):
    """Whether the parameter of this path gets a gradient."""
    return name.rpartition(".")[0] not in case.frozen


def parts(case):
    """All that a float type applies to or that has a layout."""
    both = {"params": case.params, "options": case.options}
    return {"inputs": case.inputs, **both, "d_y": case.d_y} if is_pair(case) else both


def mapped(case, change):
    """The case with change(name, array) for each array in it."""
    def one(name, value):
        return change(name, value) if is_array(value) else value

    return replace(case, **tree_map_with_path(one, parts(case)))


def differentiated(case):
    """name of the gradient -> what it is the gradient of."""
    if not is_pair(case):
        return {}
    return {f"d_{name}": array for name, array in tree_leaves(case.inputs)} | {
        f"d_{name}": array for name, array in tree_leaves(case.params) if trains(case, name)}


def with_values(case, **values):
    """The case with other inputs, options or params, by name."""
    given = parts(case)
    d_y = {"d_y": values.get("d_y", given.pop("d_y"))} if is_pair(case) else {}
    if not is_pair(case) or case.nested:    # a path of params is no argument's name
        given.pop("params")
    return replace(case, **d_y, **{
        part: {name: values.get(name, value) for name, value in group.items()}
        for part, group in given.items()})


def replaced_component(case, component, **values):
    """The case with other values, and as one of another component of the same arguments."""
    return replace(with_values(case, **values), component=component)


def at(case):
    """The choices on one line, as `npgpt gradcheck --at` takes them."""
    return " ".join(f"{name}={value}" for name, value in case.chosen.items())


def is_array(value):
    return hasattr(value, "dtype")


def is_float(array):
    """True for an array or a tensor of real or complex numbers."""
    kind = str(getattr(array, "dtype", ""))
    return "float" in kind or "complex" in kind
