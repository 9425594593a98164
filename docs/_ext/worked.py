"""A chapter's worked example: its numbers, at every step, for the text of the page.

docs/pictures/NAME.py has a function `worked()`; it returns, for each function
whose steps the page explains,

    {"attention": {"args": {"q": …, …}, "d_y": …, "names": {"words": […], "him": 5}}}

The NumPy half computes it once, and what each step gives a value is kept.
A page without a pair gives names alone, under any key.
`«probs[him, 2]»` in a reason or in prose is then evaluated with these names.
"""

import inspect
import re

import numpy as np
from cut import TwinError, cut
from measure import implementation_of
from npgpt.checking.case import backward_of
from npgpt.checking.recorder import Recorder

INSERTED = re.compile(r"«([^»]+?)(?::([^:»\[\]]*))?»")
_made = {}


class Worked:
    """The example of one function: `values(way, step)` are the names known after a step."""

    def __init__(self, name, given):
        self.name, self.names, self.given = name, given.get("names", {}), given
        self.excerpts = {}
        if "args" not in given:  # an example without a function of both halves: names alone
            return
        package = implementation_of("npgpt")
        functions = [package.find(name)]
        if given.get("d_y") is not None:
            functions.append(package.find(backward_of(name)))
        self.excerpts = dict(zip(("forward", "backward"),
                                 [cut("npgpt", function) for function in functions]))
        codes = [inspect.unwrap(each.function).__code__ for each in self.excerpts.values()]
        recorder = Recorder(package.packages, snapshots=codes)
        recorder.run(lambda: self.compute(functions))
        for excerpt, code in zip(self.excerpts.values(), codes):
            for event in recorder.events:
                if event.kind in ("assigned", "part") and event.call.code is code:
                    excerpt.records.setdefault(event.line, {})[event.name] = event.value

    def compute(self, functions):
        result = functions[0](**self.given["args"])
        if functions[1:]:
            functions[1](self.given["d_y"], result[1])

    def values(self, way="backward", step=None):
        """The names of the example; forward's last values, then those of backward so far."""
        found = dict(self.given.get("args", {}))
        for each in ("forward", "backward"):
            excerpt = self.excerpts.get(each)
            if excerpt is None or (way == "forward" and each == "backward"):
                continue
            if each == "backward":
                first = next(iter(inspect.signature(excerpt.function).parameters))
                found[first] = self.given["d_y"]
            for line, names in sorted(excerpt.records.items()):
                if each != way or step is None or line <= step.last:
                    found.update(names)
        return {**{key: without_ones(value) for key, value in found.items()}, **self.names}


def without_ones(value):
    """An array without its leading axes of length 1: one sentence, one head."""
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    while value.ndim and value.shape[0] == 1 and value.ndim > 1:
        value = value[0]
    return value


def worked(name, function):
    """The example `name` (of `worked()`) as computed; once a process."""
    key = function.__code__.co_filename, name
    if key not in _made:
        given = function().get(name)
        if given is None:
            return None
        _made[key] = Worked(name, given)
    return _made[key]


def space_of(page, name=None, way="backward", numbers=None):
    """The names of a page's example: after a step, or after all; {} where it has none.
    `name`: the function, by default the page's first."""
    from block import DOCS, load

    path = DOCS / "pictures" / f"{page}.py"
    function = load(path, "worked", None) if path.exists() else None
    example = function and worked(name or next(iter(function())), function)
    if not example:
        return {}
    excerpt = example.excerpts.get(way)
    step = excerpt and next((s for s in excerpt.steps if s.numbers == numbers), None)
    return example.values(way, step)


def evaluated(expression, space, where):
    try:
        return eval(expression, {"np": np, **space})
    except Exception as error:
        raise TwinError(f"{where}: «{expression}» cannot be computed: {error!r}") from error


def inserted(text, space, where):
    """The text with each «expression» or «expression:.3f» as its number."""
    return INSERTED.sub(lambda m: printed(evaluated(m[1], space, where), m[2]), text)


def printed(value, form=None):
    """A number as a page prints it: 2, −0.25, 1.3e-7; two decimals where none are asked for."""
    if isinstance(value, str):
        return value
    value = np.asarray(value).item() if np.ndim(value) == 0 else value
    if isinstance(value, (list, np.ndarray)):
        return ", ".join(printed(part, form) for part in value)
    if isinstance(value, bool):
        return str(value)
    if not np.isfinite(value):
        text = f"{value}".replace("inf", "∞")
    elif form:
        text = format(value, form)
    elif value == round(value):
        text = f"{value:.0f}"
    else:
        text = f"{value:.2f}"
    if re.fullmatch(r"-0\.?0*", text):
        text = text[1:]
    return text.replace("-", "−") if not re.search("e", text) else text.replace("e-0", "e-")
