"""What a page shows of a pair: shapes, max|Δ|, and which gradients autograd confirms.

The page's example makes a case of the component. Both halves compute it under
the checker's recorder; the checker compares each step and gives its verdict.
Here the figures are put beside the steps, and what is not true becomes an
error with file and line. Nothing here knows of Sphinx."""

import inspect
import traceback
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
from cut import (
    LABEL,
    Step,
    TwinError,
    check_backward_labels,
    check_labels,
    check_order,
    cut,
    find,
    label,
)
from npgpt.checking.case import FunctionCase, arguments, backward_of
from npgpt.checking.comparison import Comparison, error_between
from npgpt.checking.components import ALIASES, CASES, make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.implementations import numpy_implementation
from npgpt.checking.recorder import Recorder
from npgpt.checking.trace import flat, steps_compared
from npgpt.checking.verdict import verdict
from shapes import check_shapes, fits, read_shape, shape_of
from torchgpt.checking import gradient_at, torch_implementation, witnesses

__all__ = ["LABEL", "Step", "TwinError", "backward_of", "cut", "find", "fits", "measure",
           "read_shape", "shape_of"]
SIDES = ("npgpt", "torchgpt")


def measure(name, code, seed=1, not_gradients=(), where="example"):
    """Everything a page shows of the pair `name`: forward and, where there is one, backward."""
    name = ALIASES.get(name, name)
    both = [implementation_of(side) for side in SIDES]
    functions = [name, backward_of(name)] if both[0].find(backward_of(name)) else [name]
    excerpts = [[cut(side, each.find(function)) for function in functions]
              for side, each in zip(SIDES, both)]
    for left, right in zip(*excerpts):
        check_labels(left, right)
    if functions[1:]:
        check_backward_labels(*excerpts[0])
    example = example_of(code, seed, where)
    with stops_the_build(excerpts[0]):
        case = case_of(name, functions, example, both[0], seed)
    for each, own in zip(both, excerpts):
        run(each, case, own)
    sizes = {}
    for left, right in zip(*excerpts):
        check_order(left, right)
        check_shapes(left, sizes)
        check_shapes(right, sizes)
    steps, _, _ = steps_compared(case, both[0], both[1], always=True)
    pair = {"forward": tuple(excerpt[0] for excerpt in excerpts), "sizes": sizes,
            "facts": facts_of(*[excerpt[0] for excerpt in excerpts], name, steps)}
    if functions[1:]:
        backs = tuple(excerpt[1] for excerpt in excerpts)
        facts = facts_of(*backs, functions[1], steps)
        found = verdict(case, [*both, *witnesses(case)[2:]])
        confirmed = [] if found.findings else list(found.values[both[1].name].values())
        budgets = {(each.result.step, each.result.name): each.budget for each in steps
                   if each.result.function == functions[1]}
        for step, fact in zip(backs[1].steps, facts):
            if step.numbers:
                fact["autograd"] = check_step(
                    *excerpts[1], step, both[1].native(case).d_y, budgets, not_gradients, confirmed)
        if found.findings:
            raise TwinError(f"{backs[1].at(backs[1].first)}: {found.findings[0].what}")
        pair.update(backward=backs, backward_facts=facts)
    return pair


def implementation_of(side):
    """The package's, with every function that it has, exported or not."""
    base = numpy_implementation() if side == "npgpt" else torch_implementation()

    def look(name):
        if name.startswith("models."):
            return base.find(name)
        try:
            return find(side, name)
        except TwinError:
            return None

    return replace(base, find=look)


def example_of(code, seed, where):
    """Run an example's lines; -> the names they give a value."""
    from npgpt.generation import empty_cache
    from npgpt.layers import causal_mask
    from npgpt.models import gpt2
    from npgpt.random_stream import normals, uniforms
    from npgpt.training import init
    from npgpt.training.dropout_masks import draw_dropout_masks

    draws = iter(range(1, 1000))
    space = {
        "np": np, "gpt2": gpt2, "init": init, "causal_mask": causal_mask,
        "draw_dropout_masks": draw_dropout_masks, "empty_cache": empty_cache,
        "normals": lambda *shape: normals(shape, seed, next(draws), "example"),
        "integers": lambda high, *shape:
            (uniforms(shape, seed, next(draws), "example") * high).astype(np.int64),
        "drawn_mask": lambda rate, *shape:
            (uniforms(shape, seed, next(draws), "example") >= rate) / (1 - rate),
    }
    known = set(space) | {"__builtins__"}
    try:
        exec(compile(code, where, "exec"), space)
    except Exception as error:
        raise TwinError(f"{where}: the example does not run: {error!r}") from error
    return {name: value for name, value in space.items() if name not in known}


def case_of(name, functions, example, first, seed):
    """The page's example as a case of the component, or of a plain function."""
    wants = inspect.signature(first.find(name)).parameters
    given = {key: value for key, value in example.items() if key in wants}
    if not functions[1:]:
        params = {"params": given.pop("params")} if "params" in given else {}
        return FunctionCase(component=name, options=given, call=call_function, expected=dict,
                            **params)
    if name not in CASES:
        raise TwinError(f"{name} has a backward pass and is no component")
    drawn = make_case(name, seeded_draw(0))
    inputs = {key: given.pop(key) for key in drawn.inputs}
    layers = dict.fromkeys(("weight", "bias", *drawn.params))
    names = ["params"] if drawn.nested else [
        key for key in layers if key in given and key not in drawn.options]
    params = {key: given.pop(key) for key in names if drawn.params}
    options = {key: wants[key].default for key in drawn.options
               if key in wants and wants[key].default is not inspect.Parameter.empty}
    case = replace(drawn, inputs=inputs, params=params.get("params", params) or {},
                   options={**options, **given}, frozen=(), no_complex_step="",
                   chosen={"seed": seed})
    d_y = example.get(next(iter(inspect.signature(first.find(functions[1])).parameters)))
    if d_y is None:
        from npgpt.random_stream import normals

        d_y = normals(np.shape(case.forward(first.find, case)), seed, 0, "example.d_y")
    return replace(case, d_y=np.stack(d_y) if isinstance(d_y, (list, tuple)) else d_y)


def call_function(find, case):
    """A model is that of the package in hand; what is yielded is read to the end."""
    given = {name: find(f"models.{value.__name__.rpartition('.')[2]}")
             if isinstance(value, ModuleType) else value
             for name, value in arguments(case).items()}
    result = find(case.component)(**given)
    return {"result": list(result) if inspect.isgenerator(result) else result}


def run(implementation, case, excerpts):
    """Compute the case; put the arguments and what each statement worked out into the halves."""
    recorder = Recorder(implementation.packages, snapshots=[code_of(each) for each in excerpts])
    own = implementation.native(case)
    with stops_the_build(excerpts):
        recorder.run(lambda: implementation.results(own))
    for excerpt, args in zip(excerpts, (arguments(implementation.native(case)), {})):
        excerpt.args = args
        excerpt.calls = [call for call in recorder.calls if call.code is code_of(excerpt)]
        for event in recorder.events:
            if event.kind in ("assigned", "part") and holds(excerpt, event.call.code.co_filename,
                                                            event.line):
                excerpt.records.setdefault(event.line, {})[event.name] = event.value
    if excerpts[1:]:
        first = next(iter(inspect.signature(excerpts[1].function).parameters))
        excerpts[1].args = {first: implementation.native(case).d_y}


def code_of(excerpt):
    return inspect.unwrap(excerpt.function).__code__


def holds(excerpt, filename, line):
    end = excerpt.first + len(excerpt.lines)
    return Path(filename) == excerpt.path and excerpt.first <= line < end


@contextmanager
def stops_the_build(excerpts):
    """An error inside names the innermost line of the halves that it passed through."""
    try:
        yield
    except TwinError:
        raise
    except Exception as error:
        lines = [excerpt.at(frame.lineno) for frame in traceback.extract_tb(error.__traceback__)
                  for excerpt in excerpts if holds(excerpt, frame.filename, frame.lineno)]
        place = lines[-1] if lines else excerpts[0].at(excerpts[0].first)
        raise TwinError(f"{place}: the example stops here: {error!r}") from error


def facts_of(left, right, function, steps):
    """For each step: shape, max|Δ| and the names compared; without steps, those of the result."""
    inner = {node.name for node in left.tree.body if hasattr(node, "args")}
    own = [each for each in steps if each.result.calls.split(" > ")[0] == function
           if each.result.function in {function, *inner} and each.result.name != "_"]
    facts = []
    for mine, other in zip(left.steps, right.steps):
        number = ", ".join(map(str, mine.numbers))
        here = [each for each in own if each.result.step == number and not each.result.is_border
                ] if mine.numbers else []
        for each in here:
            if not each.agree:
                raise TwinError(
                    f"{right.at(other.first)}: in step `{label(other)}` {each.result.name} differs"
                    f" by {each.error:.1e} from {left.at(each.result.line)}; its budget is"
                    f" {each.budget:.1e}")
        names = [name for name in dict.fromkeys(
            each.result.name.partition(".")[0] for each in here)
            if not isinstance(left.recorded(mine).get(name), int)]
        facts.append({"worst": max((each.error for each in here), default=None), "names": names,
                      "shape": shape_among(mine, left, names)})
    if not left.labels():
        facts[0] = fact_of_result(left, right, own)
    return facts


def shape_among(step, excerpt, names):
    """The last of these variables, or the part that is filled of it, that is an array or a
    list of some, and its shape."""
    found = None
    for name, value in excerpt.recorded(step).items():
        if name.partition("[")[0] not in names:
            continue
        one = value[0] if isinstance(value, list) and value else value
        if isinstance(one, np.ndarray):
            found = name, shape_of(one)
    return found


def fact_of_result(left, right, own):
    results = [each for each in own if each.result.name.startswith("returns")]
    for each in results:
        if not each.agree:
            raise TwinError(
                f"{right.at(right.first)}: the result differs by {each.error:.1e} from"
                f" {left.at(left.first)}; its budget is {each.budget:.1e}")
    shape = next((part.shape for _, part in flat(left.result) if hasattr(part, "shape")), None)
    return {"worst": max((each.error for each in results), default=None),
            "names": ["the result"], "shape": (shape is not None and ("the result", shape)) or None}


def check_step(forward, backward, step, d_y, budgets, not_gradients, confirmed):
    """The names whose gradient autograd confirms in this step, and the largest error."""
    names, worst = [], 0.0
    number = ", ".join(map(str, step.numbers))
    for name, value in backward.recorded(step).items():
        if not name.startswith("d_") or name in not_gradients:
            continue
        grad = gradient_at(forward.calls[0], min(step.numbers), name[2:], d_y)
        if grad is not None and grad.shape == getattr(value, "shape", None):
            error, _ = error_between(value.numpy(), grad.numpy())
            more = Comparison("step", name, ("torch", "autograd"), error,
                              budgets.get((number, name), 0.0))
            if not more.agree:
                line = max(line for line, values in backward.records.items()
                           if name in values and step.first <= line <= step.last)
                raise TwinError(
                    f"{backward.at(line)}: the gradient of {name[2:]} in step `{label(step)}`"
                    f" differs by {error:.1e} from autograd's; its budget is {more.budget:.1e}")
        elif is_among(value, confirmed):    # a parameter's: compared where backward returns it
            error = 0.0
        else:
            continue
        names.append(name)
        worst = max(worst, error)
    return names, worst


def is_among(value, confirmed):
    """Whether each array in a value is one of these."""
    arrays = [np.asarray(part) for _, part in flat(value)]
    return bool(arrays) and all(
        any(array.shape == other.shape and np.array_equal(array, other) for other in confirmed)
        for array in arrays)
