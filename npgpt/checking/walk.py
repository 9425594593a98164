"""A model's pass over a text and back, layer by layer: what each of its functions gives, and
the gradient that each is handed, taken by watchers in the place of the functions.

`trace` lays it beside the modules of another library's model. Nothing of the weights is
copied, so that a model of any size can be walked."""

import sys
from dataclasses import dataclass, field

import numpy as np

from npgpt import blocks, layers
from npgpt.checking.budgets import COMPOSITE, UNIT, largest
from npgpt.checking.case import is_float
from npgpt.checking.comparison import error_between
from npgpt.checking.guess import guess
from npgpt.checking.implementations import telling_where
from npgpt.checking.statements import parsed
from npgpt.checking.trace import Difference, Key
from npgpt.replacing import replaced
from npgpt.tree import tree_leaves

NUDGE, DRAWS = 1e-4, 8      # float32 has seven digits: three are left for the slope
ALIKE = 1e-4                # as far as float32 tells one kind of mistake from another


@dataclass(eq=False)
class Call:
    """One call. path: ((function, which of its caller's calls), …); step, words: the label
    that the caller makes it under; value: its result, or on the way back the gradient that
    it is handed; order: when that was known; done: when it had returned."""

    path: tuple
    step: str
    words: str
    line: int
    value: object = None
    order: int = 0
    done: int = 0


@dataclass
class Walk:
    """calls: forward by path, and backward by the path of the forward call that each
    belongs to; grads: of the weights, by path."""

    forward: dict = field(default_factory=dict)
    backward: dict = field(default_factory=dict)
    grads: dict = field(default_factory=dict)
    loss: float = 0.0
    counts: dict = field(default_factory=dict)


def walked(ours, own, model, params, ids, targets, config, rng=None):
    """-> Walk. ours: the implementation whose models and blocks are run; own: the one whose
    layers and blocks take the place of ours, where it has them; model: "gpt2" or "llama".
    rng: what layers are handed is off a little."""
    walk, find = Walk(), ours.find
    watch = Watch(walk, ours, rng)
    others = [(find(name), watch.function(name, own.find(name) or find(name)))
              for name in (*layers.__all__, *blocks.__all__)
              if find(name) and name != "extend_cache"]
    room, back = find(f"models.{model}"), goes_back(ours, own)
    ids, targets = (ours.enter(each, "int64") for each in (ids, targets))
    with telling_where(own), replaced(ours.packages[0], others):
        logits, saved = room.forward(params, ids, config)
        loss, saved_loss = find("cross_entropy")(logits, targets)
        grads = {}
        if back:
            d_logits = find("cross_entropy_backward")(1.0, saved_loss)
            grads = room.backward(d_logits, saved)
    walk.loss = float(loss)
    walk.backward = by_forward_call(walk)
    walk.grads = {path: np.asarray(grad) for path, grad in tree_leaves(grads)}
    return walk


def goes_back(ours, own):
    """False where a layer is offered without its backward pass, which alone knows what the
    layer saves."""
    return all(own.find(f"{name}_backward") for name in (*layers.__all__, *blocks.__all__)
               if own.find(name) and ours.find(f"{name}_backward"))


class Watch:
    """Stands around functions, and notes their calls in a walk."""

    def __init__(self, walk, ours, rng):
        self.walk, self.ours, self.rng = walk, ours, rng
        self.open, self.time = [()], 0      # the calls that have not returned yet, by path

    def function(self, name, inner):
        back = name.endswith("_backward")
        calls = self.walk.backward if back else self.walk.forward

        def call(*args, **options):
            made = self.begin(name, back, sys._getframe(1))
            calls[made.path] = made
            nudged = self.rng and hasattr(layers, name)
            if nudged:
                args = off(args, self.rng)
            if back:
                self.note(made, args[0])
            result = inner(*args, **options)
            if nudged and name in ("linear", "linear_backward"):
                result = self.off_by_its_terms(back, args, options, result)
            self.open.pop()
            if not back:
                self.note(made, result[0] if isinstance(result, tuple) else result)
            self.time += 1
            made.done = self.time
            return result

        return call

    def off_by_its_terms(self, back, args, options, result):
        """A long sum is rounded by as much as its terms are large, whatever they cancel to."""
        weight = args[1][1] if back else options.get("weight", args[-1])
        terms = abs(args[0]) @ abs(weight.T if back else weight)
        moved = off(terms, self.rng) - terms
        return (result[0] + moved, *result[1:])

    def begin(self, name, back, frame):
        counts = self.walk.counts.setdefault((self.open[-1], back), {})
        nth = counts[name] = counts.get(name, -1) + 1
        made = Call((*self.open[-1], (name, nth)), *label_of(frame), frame.f_lineno)
        self.open.append(made.path)
        return made

    def note(self, made, value):
        self.time += 1
        made.order = self.time
        if hasattr(value, "shape"):
            made.value = self.ours.leave(value)


def label_of(frame):
    """-> number, words of the step in which a frame stands."""
    code, found = frame.f_code, ("", "")
    for line, step, words in parsed(code.co_filename).labels:
        if code.co_firstlineno < line <= frame.f_lineno:
            found = step, words
    return found


def off(value, rng):
    """The same, each number in its arrays off by a relative NUDGE at most; matrices of
    weights stay as they are: what they are multiplied with is off."""
    if isinstance(value, (tuple, list)):
        return type(value)(off(part, rng) for part in value)
    if not hasattr(value, "shape") or not is_float(value) or len(value.shape) == 2:
        return value
    moved = 1 + NUDGE * rng.uniform(-1, 1, tuple(value.shape)).astype(np.float32)
    return value * (value.new_tensor(moved) if hasattr(value, "new_tensor") else moved)


def by_forward_call(walk):
    """The calls on the way back by the forward calls that they undo: last comes first."""
    def undone(path):
        outer = ()
        for name, nth in path:
            name = name.removesuffix("_backward")
            count = walk.counts.get((outer, False), {}).get(name, 0)
            outer = (*outer, (name, count - nth))
        return outer

    return {undone(path): made for path, made in walk.backward.items()}


@dataclass
class Found:
    """compared: how many values; back: were gradients among them; worst: the largest error as
    a share of its budget, and whose it is. Where one differs: the Difference, the other
    model's name of the value, and the layers that lie between it and the last value that
    agrees."""

    compared: int
    back: bool = True
    worst: tuple = (0.0, "")
    difference: Difference | None = None
    name: str = ""
    between: tuple = ()


def first_difference(ours, own, theirs, pairs, model, params, ids, targets, config):
    """-> Found. theirs: {name: value}, of a gradient "d NAME"; pairs: {path: NAME}."""
    arguments = (ours, own, model, params, ids, targets, config)
    walk = walked(*arguments)
    values = values_of(walk, pairs)
    common = {name: value for name, value in values.items() if name in theirs}
    budgets = budgets_of(arguments, common, pairs)
    found, before = Found(len(common), goes_back(ours, own)), ""
    for name, budget in budgets.items():
        error, index = error_between(values[name], theirs[name])
        if not error <= budget:
            looks = guess(values[name], theirs[name], sizes_of(config, ids), ALIKE)
            key, found.between = place_of(walk, pairs, name, before, model)
            found.difference, found.name = Difference(key, error, budget, index, looks), name
            return found
        found.worst = max(found.worst, (error / budget if budget else 0.0, name))
        before = name
    return found


def budgets_of(arguments, values, pairs):
    """-> {name: how far two right answers in float32 may lie apart}, for these values of the
    walk over the arguments."""
    size = {name: largest(value) for name, value in values.items()}
    for draw in range(DRAWS):
        moved = values_of(walked(*arguments, rng=np.random.default_rng(draw)), pairs)
        for name, value in values.items():
            error, _ = error_between(moved[name], value)
            size[name] = max(size[name], error / NUDGE if np.isfinite(error) else 0.0)
    return {name: 2 * COMPOSITE * UNIT["float32"] * each    # both sides round
            for name, each in size.items()}


def values_of(walk, pairs):
    """-> {name: value} in the order of computation: forward, back, and of the weights."""
    found = {}
    for calls, before in ((walk.forward, ""), (walk.backward, "d ")):
        for path, made in sorted(calls.items(), key=lambda pair: pair[1].order):
            if path in pairs and made.value is not None:
                found[before + pairs[path]] = made.value
    return {**found, **{f"d {path}": grad for path, grad in walk.grads.items()}}


def sizes_of(config, ids):
    return {"B": ids.shape[0], "T": ids.shape[1], "C": config.channels, "H": config.heads,
            "D": getattr(config, "head_size", config.channels // config.heads)}


def place_of(walk, pairs, name, before, model):
    """-> the Key of the value of that name, and the layers that are between it and the value
    before it, which agreed; the last of them has made it."""
    if name.removeprefix("d ") in walk.grads:
        return Key(f"{model}.backward", "", name.replace("d ", "d_", 1)), []
    back = name.startswith("d ")
    calls = walk.backward if back else walk.forward
    paths = {pairs[path]: path for path in pairs}

    def call_of(value):
        return calls.get(paths.get(value.removeprefix("d ") if back else value))

    made, last = call_of(name), call_of(before) if before.startswith("d ") == back else None
    since = 0 if last is None else last.order if back else last.done
    until = made.order if back else made.done
    between = sorted((each for each in calls.values() if since < each.done <= until
                      and is_of_blocks(each.path)), key=lambda each: each.done)
    if back and between:
        made = between[-1]
    text = " > ".join([f"{model}.{'backward' if back else 'forward'}", *(
        f"{function}[{nth}]" if nth else function for function, nth in made.path)])
    key = Key(text, made.step, "returns", 0, made.step, made.words, made.line)
    return key, list(dict.fromkeys(each.path[-1][0] for each in between))


def is_of_blocks(path):
    """True for a layer that a block or a model calls, not another layer."""
    *outer, (name, _) = path
    return name not in blocks.__all__ and all(each in blocks.__all__ for each, _ in outer)
