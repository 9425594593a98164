"""The completeness gate: what no example has shown.

Every public function has a component that checks it; in each file of a
pair, every condition has been seen true and seen false; every option has
been given and left out; every gradient has been something else than 0."""

import ast
import functools
import importlib
import inspect
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType

from npgpt.checking.components import CASES, all_functions, functions_of
from npgpt.checking.draw import seeded_draw
from npgpt.checking.implementations import lookup, numpy_implementation
from npgpt.checking.tally import Tally
from npgpt.checking.verdict import Verdict, check_edges
from npgpt.replacing import replaced
from torchgpt.checking import torch_implementation

ROOMS = ("foundations", "layers", "blocks", "models", "training", "generation", "finetuning")
EXAMPLES = 25
# public names that are no part of the computation, and why
EXCUSED = {
    "BY_TYPE": "which module is which model",
    "Config": "sizes; its errors are tested in models/",
    "freeze": "marks layers; finetuning/test_freeze.py",
    "lora_adapters": "hands a Trainer lora_weights; finetuning/test_freeze.py",
    "trained_only": "marks layers; finetuning/test_freeze.py",
    "answer_log_probs": "a forward pass, without gradients; finetuning/test_preferences.py",
    "Engine": "holds the streams of many readers; generation/test_engine.py",
    "SamplingSettings": "settings; what is refused of them: generation/",
    "Trainer": "holds what a run holds; its steps are tested in training/ and runs/",
    "mean_loss": "loss_and_grads without its backward pass; runs/ hold it to the training loss",
    "tune_allocator": "asks the C library for another habit; no numbers",
}
# conditions that no case can reach, and where they are tested instead
OPTIONS_ELSEWHERE = {
    ("init", "dtype"): "the cases run in float32 and float64",
    ("init", "device"): "the gpu profile",
    ("init_adapters", "dtype"): "the cases run in float32 and float64",
    ("init_adapters", "device"): "the gpu profile",
    ("generate", "max_new_tokens"): "a length; its default is no other branch",
    ("generate_batch", "max_new_tokens"): "a length; its default is no other branch",
}
ELSEWHERE = {
    "generate": "errors: generation/",
    "generate_batch": "errors: generation/",
    "check_sampling": "errors: generation/",
}


def complaints(cases=CASES, examples=EXAMPLES):
    """What is unproven, one line each; nothing where all is shown."""
    covered = [name for component in cases for name in functions_of(component)]
    for package in ("npgpt", "torchgpt"):
        for name in public(package):
            if name not in covered and name not in EXCUSED:
                yield f"{package}: {name} has no case"
    seen = {}
    modules = [module for package in ("npgpt", "torchgpt") for module in pair_modules(package)]
    options = {}
    with all_replaced([watch(module, seen, options) for module in modules]):
        for component in cases:
            yield from run_examples(component, cases[component], examples)
    for place, values in sorted(seen.items()):
        file, function, line, text = place
        if len(values) < 2 and function not in ELSEWHERE:
            always = {True: "true", False: "false"}.get(next(iter(values), None), "not reached")
            yield f"{file}:{line}: `{text}` in {function} was always {always}"
    for (function, option), values in sorted(options.items()):
        if len(values) == 1 and (function, option) not in OPTIONS_ELSEWHERE:
            given = "given" if True in values else "left at its default"
            yield f"{function}: {option} was always {given}"


def run_examples(component, draw_case, examples):
    tally, both = Tally(component), (numpy_implementation(), torch_implementation())
    for seed in range(examples):
        draw = seeded_draw(seed)
        case = replace(draw_case(draw), chosen=draw.chosen)
        for each in both:
            tally.add(Verdict(case, values={each.name: each.compute(case)}, ran=[each.name]))
            if seed == 0:
                check_edges(case, each)
    yield from tally.complaints()


def public(package):
    for room in ROOMS:
        module = importlib.import_module(f"{package}.{room}")
        for name in module.__all__:
            if isinstance(getattr(module, name), ModuleType):       # a model
                yield from (f"{name}.forward", f"{name}.backward")
            elif not name.endswith("_reference"):
                yield name


def pair_modules(package):
    """The files that the public functions are written in."""
    found, find = {}, lookup(package)
    for name in public(package):
        function = find(name)
        if name not in EXCUSED and isinstance(inspect.unwrap(function), FunctionType):
            home = importlib.import_module(function.__module__)
            found[home.__name__] = home
    return [module for name, module in found.items() if name.startswith(f"{package}.")]


class Watched(ast.NodeTransformer):
    """Wraps each condition: __seen(place, condition)."""

    def __init__(self, file, source, seen):
        self.file, self.source, self.seen, self.function = file, source, seen, ""

    def visit_FunctionDef(self, node):
        before, self.function = self.function, self.function or node.name
        if not node.name.endswith("_reference"):
            self.generic_visit(node)
        self.function = before
        return node

    def visit_If(self, node):
        self.generic_visit(node)
        raises = any(isinstance(part, ast.Raise) for part in node.body)
        if not raises:                      # bad input: tested where it is refused
            node.test = self.wrap(node.test)
        return node

    def visit_IfExp(self, node):
        self.generic_visit(node)
        node.test = self.wrap(node.test)
        return node

    def wrap(self, test):
        place = (self.file, self.function, test.lineno,
                 ast.get_source_segment(self.source, test) or "")
        self.seen.setdefault(place, set())
        return ast.copy_location(ast.Call(
            ast.Name("__seen", ast.Load()), [ast.Constant(place), test], []), test)


def watch(module, seen, options):
    """-> the module, one like it that notes its conditions in `seen` and
    what its public functions are given in `options`."""
    path = Path(module.__file__)
    source = path.read_text(encoding="utf-8")
    file = "/".join(path.parts[-3:])
    tree = ast.fix_missing_locations(Watched(file, source, seen).visit(ast.parse(source)))
    twin = ModuleType(module.__name__)

    def note(place, value):
        seen[place].add(bool(value))
        return value

    vars(twin)["__seen"] = note
    exec(compile(tree, module.__file__, "exec"), vars(twin))
    for path in all_functions():
        model, _, name = path.rpartition(".")
        own = getattr(vars(twin).get(name), "__module__", None) == module.__name__
        if own and (not model or module.__name__.endswith(f".models.{model}")):
            setattr(twin, name, noting(vars(twin)[name], options, path))
    return module, twin


def noting(function, options, path):
    """The function; which of its options are given goes into `options`."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args, **given):
        bound = signature.bind(*args, **given).arguments
        for name, parameter in signature.parameters.items():
            if parameter.default is not parameter.empty:
                value = bound.get(name, parameter.default)
                plain = value is parameter.default or (
                    isinstance(value, (int, float, tuple)) and value == parameter.default)
                options.setdefault((path, name), set()).add(not plain)
        return function(*args, **given)

    return call


def all_replaced(watched):
    """Every function of ours by its watched twin, in the twins as well."""
    stack = ExitStack()
    for i, (module, twin) in enumerate(watched):
        name = f"{module.__name__.split('.')[0]}.watched_{i}"
        sys.modules[name] = twin
        stack.callback(sys.modules.pop, name)
    for package in ("npgpt", "torchgpt"):
        others = [(function, vars(twin)[name]) for module, twin in watched
                  for name, function in list(vars(module).items())
                  if module.__name__.startswith(f"{package}.")
                  and getattr(function, "__module__", "") == module.__name__
                  and isinstance(inspect.unwrap(function), FunctionType)]
        stack.enter_context(replaced(package, others))
    return stack
