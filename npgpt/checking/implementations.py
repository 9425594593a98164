"""The implementations that are compared, each behind one small record, so
that nothing else asks whether it holds arrays or tensors."""

import importlib
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from inspect import signature

import numpy as np

from npgpt import layers
from npgpt.checking.case import is_pair, mapped
from npgpt.checking.components import ALIASES, all_functions, functions_of
from npgpt.errors import InputError
from npgpt.replacing import replaced
from npgpt.speed.threads import sharded
from npgpt.tree import tree_leaves, tree_map

ROOMS = ("foundations", "layers", "blocks", "models", "training", "generation", "finetuning",
         "speed.one_token")
# of which both packages have one
SHARED = ("npgpt.training.schedule", "npgpt.finetuning.rslora")
OURS = {"npgpt", "torchgpt", *SHARED}


class Stopped(InputError):
    """A package that is being checked stops with an error of its own."""


@dataclass(frozen=True)
class Implementation:
    """find(name) -> a function, or None where it is not offered;
    enter(array, dtype) -> its own array; leave -> NumPy, float64; layouts:
    name -> function that lays an own array out anew; few_bits: the number
    formats besides float64 that it is held to; run: how it computes a case,
    if not by the case's own call; packages: where its functions live;
    same_memory(a, b): do two own arrays share memory?"""

    name: str
    find: Callable
    enter: Callable
    leave: Callable
    layouts: dict = field(default_factory=dict)
    few_bits: tuple = ()
    run: Callable | None = None
    packages: tuple = ()
    same_memory: Callable = np.shares_memory

    def native(self, case, dtype="float64"):
        return mapped(case, lambda name, array: self.enter(array, dtype))

    def results(self, own) -> dict:
        """By name, for a case of its own arrays."""
        with telling_where(self):
            return dict(tree_leaves(self.run(own) if self.run else own.call(self.find, own)))

    def compute(self, case, dtype="float64") -> dict:
        """The same, as NumPy float64, for a case of NumPy's arrays."""
        return {name: self.leave(value)
                for name, value in self.results(self.native(case, dtype)).items()}


@contextmanager
def telling_where(implementation):
    """Raises Stopped for any error inside, if the implementation holds a
    package that is not ours."""
    try:
        yield
    except (Exception, SystemExit) as error:
        foreign = set(implementation.packages) - OURS
        if not foreign:
            raise
        raise Stopped(f"{implementation.name} stops {where_in(foreign, error)}with"
                      f" {type(error).__name__}: {error}") from error


def where_in(packages, error):
    """"in my.py, line 3, ": the innermost line of these packages, or nothing."""
    lines = [f"in {frame.f_code.co_filename}, line {line}, "
             for frame, line in traceback.walk_tb(error.__traceback__)
             if any(f"{frame.f_globals.get('__name__')}.".startswith(f"{package}.")
                    for package in packages)]
    return lines[-1] if lines else ""


def lookup(package):
    """-> find(name): the function of a package, or of its rooms; of
    `gpt2.forward` that of models/gpt2, or `gpt` by its other name."""
    rooms = [importlib.import_module(package)]
    rooms += [module for room in ROOMS if (module := module_at(f"{package}.{room}"))]

    def find(name):
        if name.startswith("models."):
            return module_at(f"{package}.{name}")
        model, dot, last = name.rpartition(".")
        if dot:
            module = module_at(f"{package}.models.{model}")
            function = getattr(module, last, None) or find(other_name(name) or "")
            return function if callable(function) else None
        for module in rooms:
            function = getattr(module, name, None)
            if callable(function):
                return function
        return None

    return find


def module_at(name):
    """The module of that name, or None where there is none."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
    return None


def other_name(name):
    """gpt2.forward -> gpt, gpt2.backward -> gpt_backward; None where there is no other."""
    model, _, last = name.rpartition(".")
    alias = next((alias for alias, full in ALIASES.items() if full == f"{model}.forward"), None)
    return alias if last == "forward" or alias is None else f"{alias}_{last}"


def enter_numpy(array, dtype):
    floats = np.asarray(array).dtype.kind == "f"
    return np.array(array, dtype=dtype if floats else None)


def leave_numpy(value):
    array = np.asarray(value)
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def transposed(array):
    return np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2)


def sliced(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def broadcast(array):
    return np.broadcast_to(array[:1], array.shape)


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


LAYOUTS = {"transposed": transposed, "sliced": sliced,
           "broadcast": broadcast, "read-only": read_only}


def numpy_implementation(package="npgpt", name="numpy"):
    return Implementation(name, lookup(package), enter_numpy, leave_numpy, LAYOUTS,
                          ("float32",), None, (package,))


def sharded_implementation():
    """NumPy's loss and gradients, shard by shard, as a trainer computes them."""
    def loss_and_grads(model, params, config, count=None, **batch):
        given = {name: value for name, value in batch.items() if value is not None}
        return sharded(lookup("npgpt")("loss_and_grads"), model, params, config, given, count,
                       out=tree_map(np.empty_like, params), tokens=3)

    ours = numpy_implementation()
    return replace(ours, name="sharded", layouts={}, few_bits=(), find=lambda name: (
        loss_and_grads if name == "loss_and_grads" else ours.find(name)))


def expected_implementation():
    """The independent formula that a case brings along."""
    return Implementation("expected", lambda name: None, enter_numpy, leave_numpy,
                          run=lambda case: case.expected(case))


def witnesses_without_torch(case):
    """The implementations whose answers to a case must agree, if there is
    no torch."""
    return [numpy_implementation(), *([] if is_pair(case) else [expected_implementation()])]


def find_package(package):
    """-> find, offered functions. Raises InputError where there are none."""
    if package.startswith(".") or "/" in package or package.endswith(".py"):
        raise InputError(f"{package!r} is a file's name; give the name that Python imports,"
                         " such as my_package")
    try:
        find = lookup(package)
    except (Exception, SystemExit) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing == "torch":
            raise  # the command says how to install it
        if missing == package:
            raise InputError(f"there is no package {package!r} here: start the command in the"
                             " directory that holds it, or install it") from None
        raise Stopped(f"{package} stops {where_in({package}, error)}with"
                      f" {type(error).__name__}: {error}") from error
    offered = [find(name) for name in all_functions() if find(name)]
    if not offered:
        raise InputError(f"{package} offers none of our functions; it needs, for example,"
                         " layer_norm and layer_norm_backward")
    return find, offered


def with_own_layers(implementation, ours):
    """Our functions, in which the functions that another implementation's
    package offers take the place of ours."""
    others = [(ours.find(name), implementation.find(name)) for name in all_functions()
              if implementation.find(name) and ours.find(name)]

    def run(case):
        with replaced(ours.packages[0], others):
            return case.call(ours.find, case)

    return replace(ours, name=implementation.name, run=run,
                   packages=(*ours.packages, *implementation.packages))


def fitting(case, implementation):
    """The case as the implementation can take it: with nothing frozen, where
    one of its layers has no `trainable`."""
    if not is_pair(case) or not case.frozen:
        return case
    for name in layers.__all__:
        ours, theirs = getattr(layers, name), implementation.find(name)
        if theirs and "trainable" in signature(ours).parameters and (
                "trainable" not in signature(theirs).parameters):
            chosen = {key: value for key, value in case.chosen.items() if key != "frozen"}
            return replace(case, frozen=(), chosen=chosen)
    return case


def offers(implementation, component):
    """True where it has all functions of a component."""
    return all(map(implementation.find, functions_of(component)))


def uses_torch(functions):
    """True where a file that holds one of the functions imports torch."""
    return any("torch" in vars(importlib.import_module(function.__module__))
               for function in functions)
