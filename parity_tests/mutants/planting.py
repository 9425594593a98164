"""Plant a mistake into one function, for a while, and hunt for it.

The file's text is changed, run as a module of its own, and its functions
take the originals' place wherever the package holds them: in process, and
back to normal at the end."""

import ast
import functools
import importlib
import linecache
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from npgpt.checking.blame import explain, locate
from npgpt.checking.components import CASES, functions_of, make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.implementations import lookup
from npgpt.checking.statements import labels
from npgpt.checking.verdict import verdict
from npgpt.replacing import replaced
from parity_tests.suite import implementations

EXAMPLES = 50


@dataclass(frozen=True)
class Mutant:
    """A mistake people make: the file, what it is, the text before and
    after. step: the label it is found at, if not the one it stands under;
    component: the one that finds it, if not the function's own."""

    file: str
    what: str
    old: str
    new: str
    step: str | None = None
    component: str | None = None

    @property
    def package(self):
        return self.file.split("/")[0]

    @property
    def module(self):
        return importlib.import_module(self.file.replace("/", "."))

    def sources(self):
        """-> the text before and after."""
        source = Path(self.module.__file__).read_text(encoding="utf-8")
        count = source.count(self.old)
        assert count == 1, f"{self.file}.py holds this {count} times: {self.old!r}"
        return source, source.replace(self.old, self.new)

    def place(self):
        """-> the component it is in, the number of the step."""
        source, _ = self.sources()
        line = source[:source.index(self.old)].count("\n") + 1
        line += len(self.old) - len(self.old.lstrip("\n"))
        function = next((node for node in ast.parse(source).body
                         if isinstance(node, ast.FunctionDef)
                         and node.lineno <= line <= node.end_lineno), None)
        component = component_of(function.name if function else "", self.file)
        step = [step for at, step, _ in labels(source) if function and function.lineno < at <= line]
        return component, (step or [""])[-1] if self.step is None else self.step


@functools.cache
def components():
    """{function: component}, by a model's other names, too."""
    find = lookup("npgpt")
    return {known: name for name in CASES for function in functions_of(name)
            for known in (function, find(function).__name__)}


def component_of(function, file):
    """The component that checks a function, or its file's."""
    _, room, *_, stem = file.split("/")
    if room == "models":  # each has a forward and a backward of its own
        return f"{stem}.forward"
    return components().get(function) or {
        ("layers", "masks"): "padding_mask",
        ("finetuning", "targets"): "init_adapters",
        ("speed", "gpt2"): "gpt2_step",
        ("speed", "llama"): "llama_step",
        ("speed", "threads"): "loss_and_grads"}.get(
            (room, stem), stem)


@contextmanager
def planted(mutant):
    _, source = mutant.sources()
    filename = f"<{mutant.file}: {mutant.what}>"
    linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
    module = ModuleType(mutant.module.__name__)
    exec(compile(source, filename, "exec"), vars(module))
    others = [(function, vars(module)[name]) for name, function in vars(mutant.module).items()
              if hasattr(function, "__module__") and name in vars(module)
              and isinstance(getattr(function, "__wrapped__", function), FunctionType)
              and function.__module__ == mutant.module.__name__]
    if mutant.file.split("/")[1] in ("layers", "blocks", "models"):
        # a model's own step for one token would hide what is planted in it
        one_token = importlib.import_module(f"{mutant.package}.speed.one_token")
        others.append((one_token.for_model, lambda model: None))
    sys.modules[f"{mutant.package}.planted"] = module     # so that others replace what it holds
    try:
        with replaced(mutant.package, others):
            yield
    finally:
        del sys.modules[f"{mutant.package}.planted"], linecache.cache[filename]


def hunt(mutant):
    """-> how many examples it took, the findings, where they come from;
    (50, [], None) for one that survived."""
    component = mutant.component or mutant.place()[0]
    with planted(mutant):
        for seed in range(EXAMPLES):
            case = make_case(component, seeded_draw(seed))
            involved, _ = implementations(case)
            try:
                findings = verdict(case, involved).findings
            except Exception:       # it stops here: a number is to tell, by another example
                continue
            if findings:
                return seed + 1, findings, locate(findings, involved)
    return EXAMPLES, [], None


def report(mutant):
    count, findings, difference = hunt(mutant)
    return f"{mutant.file}: {mutant.what}: " + (
        f"killed by example {count}\n{explain(findings, [])}\n{difference}"
        if findings else "survived")
