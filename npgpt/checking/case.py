"""A case: one component, and all that is needed to check it once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from npgpt.tree import leaves, rebuild


def call_pair(find, case):
    """A hand-written pair, forward and backward -> {"y", "d_x", ...}."""
    y, saved = find(case.component)(**case.arguments())
    grads = find(f"{case.component}_backward")(case.d_y, saved)
    return {"y": y, **named_grads(case, grads)}


def forward_of_pair(find, case):
    return find(case.component)(**case.arguments())[0]


def named_grads(case, grads):
    """What a backward returns, by name: inputs in argument order, then one
    dict of the parameters'."""
    parts = grads if isinstance(grads, tuple) else (grads,)
    named = {f"d_{name}": part for name, part in zip(case.inputs, parts)}
    if case.params:
        named |= {f"d_{name}": part for name, part in parts[-1].items()}
    return named


@dataclass(frozen=True)
class Case:
    """inputs, params: what there are gradients of; options: the rest.

    scale(case) -> {"y": S, "d_x": S, ...}, the size of the terms that each
    result adds up (see budgets.py); None: it is measured. laws: see
    laws.py. call(find, case) -> named results, where find("layer_norm") is
    the function of the half in hand; functions that are no pair bring
    their own. expected(case): the same results by an independent formula,
    for functions that PyTorch has no operator for."""

    component: str
    inputs: dict = field(default_factory=dict)
    params: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    d_y: Any = None
    scale: Callable | None = None
    laws: tuple = ()
    nested: bool = False            # params is one argument: a composite
    views: bool = False             # may hand its input on, uncopied
    discrete: bool = False          # a choice, which rounding may tip where two are equal
    result_dtype: str | None = None  # of the results, if not the inputs'
    no_complex_step: str = ""       # why there is none
    call: Callable = call_pair
    forward: Callable = forward_of_pair
    expected: Callable | None = None
    least_scale: dict = field(default_factory=dict)     # where it is measured
    covers: tuple = ()              # functions checked, if not the pair
    chosen: dict = field(default_factory=dict)

    def arguments(self):
        params = {"params": self.params} if self.nested else self.params
        return {**self.inputs, **params, **self.options}

    def arrays(self):
        """All that a float type applies to or that has a layout."""
        return {"inputs": self.inputs, "params": self.params,
                "options": self.options, "d_y": self.d_y}

    def map(self, change):
        """The case with change(name, array) for each array in it."""
        def one(name, leaf):
            return change(name, leaf) if is_array(leaf) else leaf

        return replace(self, **rebuild(self.arrays(), one))

    def differentiated(self):
        """name of the gradient -> what it is the gradient of."""
        return {f"d_{name}": array
                for name, array in leaves({**self.inputs, **self.params})}

    def with_inputs(self, **changed):
        """The case with other inputs, options or params, by name."""
        parts = {part: {name: changed.get(name, value)
                        for name, value in getattr(self, part).items()}
                 for part in ("inputs", "params", "options")}
        return replace(self, **parts, d_y=changed.get("d_y", self.d_y))

    def with_parts(self, **parts):
        return replace(self, **parts)

    def at(self):
        """The choices on one line, as `npgpt gradcheck --at` takes them."""
        return " ".join(f"{name}={value}" for name, value in self.chosen.items())

    def _repr_pretty_(self, printer, cycle):
        printer.text(repr(self))            # Hypothesis would print every array

    def __repr__(self):
        return f"{self.component}[{self.at()}]"


def is_array(leaf):
    return hasattr(leaf, "dtype")


def is_float(array):
    """True for an array or a tensor of real or complex numbers."""
    kind = str(getattr(array, "dtype", ""))
    return "float" in kind or "complex" in kind
