"""A function of each package, cut at its step labels, `# (1) words`.

Nothing here knows of Sphinx, and nothing here runs the functions."""

import ast
import importlib
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path

LABEL = re.compile(r"^\s*# \((\d+(?:, \d+)*)\) (.+)$")
ROOMS = ("foundations", "layers", "blocks", "models", "training", "generation", "finetuning",
         "speed.one_token")


class TwinError(Exception):
    """A page that would not be true, with the file and line at fault."""


@dataclass
class Step:
    """Lines first..last (1-based, in the file) under one label, or under none."""

    numbers: tuple
    words: str
    first: int
    last: int
    lines: list


@dataclass
class Excerpt:
    """One function of one package, cut into steps."""

    side: str
    function: object
    path: Path
    first: int
    lines: list
    steps: list
    tree: ast.FunctionDef
    args: dict = field(default_factory=dict)
    records: dict = field(default_factory=dict)  # line of a statement -> {name: value}
    calls: list = field(default_factory=list)  # of the function, as recorded

    def at(self, line):
        return f"{self.path}:{line}"

    def labels(self):
        return [step for step in self.steps if step.numbers]

    @property
    def result(self):
        """What the first call returns; of a generator all that it yields."""
        results = [call.result for call in self.calls]
        generator = inspect.isgeneratorfunction(inspect.unwrap(self.function))
        return results[:-1] if generator else results[0]

    def recorded(self, step):
        """{name: value} of a step, in the order of assignment."""
        values = {}
        for line, names in sorted(self.records.items()):
            if step.first <= line <= step.last:
                for name, value in names.items():
                    values.pop(name, None)
                    values[name] = value
        return values


def find(side, name):
    """The function `name` of npgpt or torchgpt, wherever it lives; of
    gpt2.forward that of the model gpt2."""
    model, _, last = name.rpartition(".")
    if model:
        module = importlib.import_module(f"{side}.models.{model}")
        if not inspect.isfunction(getattr(module, last, None)):
            raise TwinError(f"{module.__name__} has no function {last}")
        return getattr(module, last)
    for room in ROOMS:
        package = importlib.import_module(f"{side}.{room}")
        if inspect.isfunction(getattr(package, name, None)):
            return getattr(package, name)
        for file in sorted(Path(package.__file__).parent.glob("*.py")):
            if re.search(rf"^def {name}\(", file.read_text(encoding="utf-8"), re.M):
                return getattr(importlib.import_module(f"{side}.{room}.{file.stem}"), name)
    raise TwinError(f"{side} has no function {name} in {', '.join(ROOMS)}")


def cut(side, function):
    """The function's lines, cut where a label stands and before the last return."""
    plain = inspect.unwrap(function)
    lines, first = inspect.getsourcelines(plain)
    lines = [line.rstrip("\n") for line in lines]
    path = Path(inspect.getsourcefile(plain))
    tree = ast.parse("\n".join(lines)).body[0]
    ast.increment_lineno(tree, first - 1)
    cuts = [(first, (), "")]
    for i, line in enumerate(lines):
        if match := LABEL.match(line):
            numbers = tuple(int(n) for n in match[1].split(", "))
            cuts.append((first + i, numbers, match[2]))
    if isinstance(tree.body[-1], ast.Return) and len(cuts) > 1:
        cuts.append((tree.body[-1].lineno, (), ""))
    ends = [start - 1 for start, _, _ in cuts[1:]] + [first + len(lines) - 1]
    steps = [
        Step(numbers, words, start, end, lines[start - first : end - first + 1])
        for (start, numbers, words), end in zip(cuts, ends)
    ]
    return Excerpt(side, function, path, first, lines, steps, tree)


def check_labels(left, right):
    """Equal labels, in equal order, in both halves."""
    for mine, other in zip(left.labels(), right.labels()):
        if (mine.numbers, mine.words) != (other.numbers, other.words):
            raise TwinError(
                f"{right.at(other.first)}: the label `{label(other)}` has no partner:"
                f" {left.at(mine.first)} says `{label(mine)}`"
            )
    n, m = len(left.labels()), len(right.labels())
    if n != m:
        excerpt, alone = (left, left.labels()[m]) if n > m else (right, right.labels()[n])
        raise TwinError(
            f"{excerpt.at(alone.first)}: the label `{label(alone)}` has no partner in the other"
            " package"
        )


def check_order(left, right):
    """Within a step the names that both halves assign come in the same order."""
    for mine, other in zip(left.labels(), right.labels()):
        ours, theirs = ([(name, line) for line, names in sorted(excerpt.records.items())
                         if step.first <= line <= step.last for name in names]
                        for excerpt, step in ((left, mine), (right, other)))
        both = {name for name, _ in ours} & {name for name, _ in theirs}
        ours, theirs = ([(n, line) for n, line in names if n in both] for names in (ours, theirs))
        for (name, line), (partner, there) in zip(ours, theirs):
            if name != partner:
                raise TwinError(f"{right.at(there)}: `{label(other)}` assigns {partner} where"
                                f" {left.at(line)} assigns {name}")


def check_backward_labels(forward, backward):
    """Backward walks forward's numbers from the last to the first."""
    walked = [n for step in backward.labels() for n in step.numbers]
    if walked != sorted(walked, reverse=True):
        raise TwinError(f"{backward.at(backward.first)}: its steps do not descend: {walked}")
    known = {n for step in forward.labels() for n in step.numbers}
    for step in backward.labels():
        for n in set(step.numbers) - known:
            raise TwinError(f"{backward.at(step.first)}: forward has no step ({n})")
    for step in forward.labels():
        for n in set(step.numbers) - set(walked):
            raise TwinError(f"{forward.at(step.first)}: backward has no step ({n})")


def label(step):
    return f"# ({', '.join(map(str, step.numbers))}) {step.words}"
