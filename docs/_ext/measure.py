"""Run the two halves of a pair under a trace, and measure what the page shows.

A function is cut at its step labels, `# (1) words`. Each half runs on the
same seeded example in float64; after every statement the values that it
assigned are copied. From these come the shapes and max|Δ| of each step, the
check of every shape comment, and the comparison of each gradient with
PyTorch's autograd. Nothing here knows of Sphinx.
"""

import ast
import importlib
import inspect
import re
import sys
import traceback
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from npgpt.checking.case import backward_of

LABEL = re.compile(r"^\s*# \((\d+(?:, \d+)*)\) (.+)$")
SHAPE_COMMENT = re.compile(r"# (\([^()]*\))(?:,? [^()#]*)?$")
NAMED_SHAPE = re.compile(r"(\w+(?:(?:, | and )\w+)*)\s+(\([^()]*\))")
KEYED_SHAPE = re.compile(r'"(\w+)": (\([^()]*\))')
BUDGET = 1e-13  # of the largest value, at least of 1: about 900 units of round-off in float64
COMPOSITES = ("torchgpt.blocks.", "torchgpt.models.")
ROOMS = ("layers", "blocks", "models", "training", "generation")


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
class Half:
    """One function of one half, cut into steps."""

    side: str
    function: object
    path: Path
    first: int
    lines: list
    steps: list
    tree: ast.FunctionDef
    records: dict = field(default_factory=dict)  # line of a statement -> {name: value}
    before: dict = field(default_factory=dict)  # index in the body -> all locals, copied
    result: object = None

    def at(self, line):
        return f"{self.path}:{line}"

    def step_of(self, line):
        return next(step for step in self.steps if step.first <= line <= step.last)

    def labels(self):
        return [step for step in self.steps if step.numbers]

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
    """The function `name` of npgpt or torchgpt, wherever it lives; `gpt2.forward`: that model's."""
    model, dot, last = name.rpartition(".")
    if dot:
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
    return Half(side, function, path, first, lines, steps, tree)


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
        half, alone = (left, left.labels()[m]) if n > m else (right, right.labels()[n])
        raise TwinError(
            f"{half.at(alone.first)}: the label `{label(alone)}` has no partner in the other half"
        )


def check_order(left, right):
    """Within a step the names that both halves assign come in the same order."""
    for mine, other in zip(left.labels(), right.labels()):
        ours, theirs = ([(name, line) for line, names in sorted(half.records.items())
                         if step.first <= line <= step.last for name in names]
                        for half, step in ((left, mine), (right, other)))
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


# ---- running -------------------------------------------------------------


def copy(value):
    """A snapshot: what is assigned now may be changed in place later."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: copy(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(copy(part) for part in value)
    return value


def to_torch(value):
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: to_torch(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_torch(part) for part in value)
    if inspect.ismodule(value):  # a model
        return importlib.import_module(value.__name__.replace("npgpt", "torchgpt", 1))
    return value


def run(half, args):
    """Call the half's function; fill its records, snapshots and result."""
    plain = inspect.unwrap(half.function)
    inner = {node.name for node in ast.walk(half.tree) if isinstance(node, ast.FunctionDef)}
    codes = {plain.__code__, *(code for code in plain.__code__.co_consts
                               if inspect.iscode(code) and code.co_name in inner)}
    statements, tops = {}, {}
    for node in ast.walk(half.tree):
        if isinstance(node, ast.stmt) and node is not half.tree:
            for line in range(node.lineno, node.end_lineno + 1):
                held = statements.get(line)
                if held is None or node.lineno >= held.lineno:
                    statements[line] = node
    for i, node in enumerate(half.tree.body):
        tops.update(dict.fromkeys(range(node.lineno, node.end_lineno + 1), i))
    last = None

    def after(frame, node):
        names = half.records.setdefault(node.lineno, {})
        for name in assigned(node):
            if name in frame.f_locals:
                names[name] = copy(frame.f_locals[name])
        for part in parts_of(node):
            value = eval(compile(part, "part", "eval"), frame.f_globals, frame.f_locals)
            names[part] = copy(value)

    def local(frame, event, _):
        nonlocal last
        now = statements.get(frame.f_lineno) if event == "line" else None
        if last is not None and now is not last:
            after(frame, last)
        if event == "line" and now is not last:
            i = tops.get(frame.f_lineno)
            if i not in half.before:
                half.before[i] = {k: copy(v) for k, v in frame.f_locals.items()}
        last = now if event == "line" else last
        return local

    def watch(frame, event, _):
        return local if frame.f_code in codes else None

    traced, space = sys.gettrace(), plain.__globals__
    threads = space.get("for_each")
    if threads:  # other threads have no trace
        space["for_each"] = lambda update, named: [update(*pair) for pair in named]
    sys.settrace(watch)
    try:
        half.result = half.function(**args)
        if inspect.isgenerator(half.result):
            half.result = list(half.result)
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__)
                 if Path(f.filename) == half.path and half.first <= f.lineno
                 < half.first + len(half.lines)]
        where = half.at(lines[-1] if lines else half.first)
        raise TwinError(f"{where}: the example stops here: {error!r}") from error
    finally:
        sys.settrace(traced)
        if threads:
            space["for_each"] = threads
    return half.result


def assigned(node):
    """The names that a statement gives a value, or changes in place."""
    if isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Return)):
        return []
    names = [n.id for n in ast.walk(node)
             if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    for n in ast.walk(node):  # x[...] = value
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store):
            names += [base.id for base in ast.walk(n.value) if isinstance(base, ast.Name)][:1]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        where = [*ast.walk(call.func)] + [part for arg in call.args for part in ast.walk(arg)]
        found = [n.id for n in where if isinstance(n, ast.Name) and n.id not in ("np", "torch")]
        names += found[:1]
    return names


def parts_of(node):
    """The slices that a statement fills: `keys[:, :, start:S] = k`."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [ast.unparse(target) for target in targets if isinstance(target, ast.Subscript)]


# ---- shapes --------------------------------------------------------------


def shape_of(value):
    if isinstance(value, (np.ndarray, torch.Tensor)):
        return tuple(value.shape)
    if isinstance(value, (np.generic, float)):
        return ()
    return None


def read_shape(text):
    """"(B, T, 3C)" -> ["B", "T", "3C"], or None where it is other words."""
    dims = [part.strip() for part in text.strip("()").split(",") if part.strip()]
    good = re.compile(r"\.\.\.|\d+|\d*[A-Z]|(?:\d+·)?[A-Z](?:·[A-Z])+")
    return dims if all(good.fullmatch(dim) for dim in dims) else None


def fits(shape, dims, sizes):
    """Whether `shape` is `dims`, given and extending the sizes known so far."""
    found, shape = dict(sizes), list(shape)
    if "..." in dims:
        at = dims.index("...")
        after = len(dims) - at - 1
        if len(shape) < at + after:
            return False
        middle = tuple(shape[at : len(shape) - after])
        if found.setdefault("...", middle) != middle:
            return False
        shape = shape[:at] + shape[len(shape) - after :]
        dims = [dim for dim in dims if dim != "..."]
    if len(shape) != len(dims):
        return False
    for size, dim in zip(shape, dims):
        if dim.isdigit():
            if size != int(dim):
                return False
            continue
        number = int(re.match(r"\d*", dim)[0] or 1)
        letters = re.findall(r"[A-Z]", dim)
        for letter in [a for a in letters if a in found]:
            number *= found[letter]
        unknown = [a for a in letters if a not in found]
        if not unknown:
            if size != number:
                return False
        elif len(unknown) == 1:
            if number == 0 or size % number:
                return False
            found[unknown[0]] = size // number
    sizes.update(found)
    return True


def check_shapes(half, args, sizes):
    """Every shape in the docstring and in a comment is the measured one."""
    doc = ast.get_docstring(half.tree) or ""
    final = {name: value for line in sorted(half.records)
             for name, value in half.records[line].items()}
    doc_line = half.tree.body[0].lineno
    output = half.result if isinstance(half.result, dict) else None
    if isinstance(half.result, tuple) and isinstance(half.result[-1], dict):
        output = half.result[-1]
    claims = []
    for names, shape in NAMED_SHAPE.findall(doc):
        for name in re.split(r", | and ", names):
            value = args[name] if name in args else final.get(name)
            claims.append((name, value, shape))
    for key, shape in KEYED_SHAPE.findall(doc):
        claims.append((f'"{key}"', (output or {}).get(key), shape))
    for name, value, shape in claims:
        claim(half, doc_line, "the docstring", name, value, shape, sizes)
    for node in ast.walk(half.tree):
        if not isinstance(node, ast.stmt) or node.lineno not in half.records:
            continue
        for line in range(node.lineno, node.end_lineno + 1):
            match = SHAPE_COMMENT.search(half.lines[line - half.first])
            if not match:
                continue
            parts = parts_of(node)
            for name, value in half.records[node.lineno].items():
                if parts and name not in parts:
                    continue
                each = value if isinstance(value, list) else [value]
                for part in each:
                    claim(half, line, "the comment", name, part, match[1], sizes)


def claim(half, line, who, name, value, text, sizes):
    dims, shape = read_shape(text), shape_of(value)
    if dims is None or shape is None:
        return
    known = dict(sizes)
    if not fits(shape, dims, sizes):
        letters = re.findall(r"[A-Z]|\.\.\.", text)
        said = ", ".join(f"{a} = {known[a]}" for a in dict.fromkeys(letters) if a in known)
        raise TwinError(
            f"{half.at(line)}: {who} says that {name} is {text}"
            f"{f' with {said}' if said else ''}, but it is {shape}"
        )


# ---- differences ---------------------------------------------------------


def arrays(value):
    """The numeric arrays in a value, in order."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, (float, np.generic)):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from arrays(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from arrays(part)


def difference(left, right):
    """(max|Δ|, the largest size of a value or 1), or None where nothing can differ."""
    worst, scale, seen = 0.0, 1.0, False
    for a, b in zip(arrays(left), arrays(right)):
        if a.shape != b.shape:
            return np.inf, scale
        seen = True
        if a.size == 0:
            continue
        a, b = a.astype(np.float64), b.astype(np.float64)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        gap = np.where(same, 0.0, np.abs(np.where(same, 0, a) - np.where(same, 0, b)))
        worst = max(worst, float(np.where(np.isnan(gap), np.inf, gap).max()))
        finite = np.abs(b[np.isfinite(b)])
        scale = max(scale, float(finite.max()) if finite.size else 1.0)
    return (worst, scale) if seen else None


def compare_steps(left, right, budget):
    """For each step: shape, max|Δ| and the names compared."""
    facts = []
    for mine, other in zip(left.steps, right.steps):
        ours, theirs = left.recorded(mine), right.recorded(other)
        worst, names, shape = None, [], None
        for name in ours:
            if name not in theirs:
                continue
            found = difference(ours[name], theirs[name])
            if found is None:
                continue
            gap, scale = found
            if not gap <= budget * scale:
                raise TwinError(
                    f"{right.at(other.first)}: in step `{label(other)}` {name} differs by"
                    f" {gap:.1e} from {left.at(mine.first)}; its budget is {budget * scale:.1e}"
                )
            names.append(name)
            worst = max(worst or 0.0, gap)
            one = ours[name]
            if isinstance(one, list) and one:
                one = one[0]
            if isinstance(one, np.ndarray):
                shape = (name, shape_of(one))
        facts.append({"worst": worst, "names": names, "shape": shape})
    if not left.labels():  # no steps: the whole result is the one thing to compare
        found = difference(left.result, right.result)
        if found and not found[0] <= budget * found[1]:
            raise TwinError(
                f"{right.at(right.first)}: the result differs by {found[0]:.1e} from"
                f" {left.at(left.first)}; its budget is {budget * found[1]:.1e}"
            )
        shape = next((a.shape for a in arrays(left.result)), None)
        facts[0] = {"worst": found and found[0], "names": ["the result"],
                    "shape": (shape is not None and ("the result", shape)) or None}
    return facts


# ---- autograd ------------------------------------------------------------


def rebuilt(function):
    """A composite whose leaves are PyTorch's own operators."""
    import torchgpt.layers

    function = inspect.unwrap(function)
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        reference = getattr(torchgpt.layers, f"{name}_reference", None)
        part = names.get(name)
        if reference:
            names[name] = lambda *a, _operator=reference, **k: (_operator(*a, **k), ())
        elif inspect.isfunction(part) and part.__module__.startswith(COMPOSITES):
            names[name] = rebuilt(part)
    copied = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__)
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


def contract(y, d_y):
    if isinstance(d_y, (list, tuple)):
        d_y = torch.stack(list(d_y))
    return (y * d_y).sum()


def is_float(value):
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def autograd_of_inputs(forward, args, d_y, fixed):
    """{argument: gradient, or a tree of them} through PyTorch's own operator."""
    import torchgpt.layers
    from npgpt.tree import leaves, rebuild

    name = forward.function.__name__
    operator = getattr(torchgpt.layers, f"{name}_reference", None)
    args, wanted = dict(args), {}
    for key, value in args.items():
        if key in fixed:
            continue
        if is_float(value):
            args[key] = wanted[key] = value.clone().requires_grad_()
        elif isinstance(value, dict):
            args[key] = wanted[key] = rebuild(value, lambda _, p: p.clone().requires_grad_())
    y = operator(**args) if operator else rebuilt(forward.function)(**args)[0]
    flat = [leaf for tree in wanted.values() for _, leaf in leaves(tree)]
    grads = iter(torch.autograd.grad(contract(y, d_y), flat, allow_unused=True))
    return {key: rebuild(tree, lambda _, leaf: next(grads)) for key, tree in wanted.items()}


def check_gradients(forward, backward, args, d_y, budget):
    """Compare what backward returns with autograd; -> the matched leaves."""
    fixed = {"dropout_mask", "dropout_masks", "mask", "past", "targets", "ids", "eps", "config"}
    truth = autograd_of_inputs(forward, args, d_y, fixed)
    result = backward.result if isinstance(backward.result, tuple) else (backward.result,)
    by_name = result[-1] if isinstance(result[-1], dict) else {}
    plain = [part for part in result if not isinstance(part, dict)]
    pairs = []
    if "params" in truth:
        pairs.append(("params", by_name, truth.pop("params")))
    else:
        pairs += [(key, by_name[key], truth.pop(key)) for key in list(truth) if key in by_name]
    if len(plain) != len(truth):
        raise TwinError(
            f"{backward.at(backward.first)}: returns {len(plain)} input gradients,"
            f" forward takes {len(truth)} inputs: {', '.join(truth)}"
        )
    pairs += [(key, grad, truth[key]) for key, grad in zip(truth, plain)]
    good, worst = [], 0.0
    for name, grad, expected in pairs:
        from npgpt.tree import leaves

        mine, theirs = dict(leaves(grad)), dict(leaves(expected))
        if set(mine) != set(theirs):
            odd = ", ".join(sorted(set(mine) ^ set(theirs)))
            raise TwinError(f"{backward.at(backward.first)}: gradients of {name}: {odd}")
        for part in mine:
            gap, scale = difference(mine[part], theirs[part])
            if not gap <= budget * scale:
                where = ".".join(filter(None, (name, part)))
                raise TwinError(
                    f"{blame(backward, mine[part])}: the gradient of {where} differs by {gap:.1e}"
                    f" from autograd's; its budget is {budget * scale:.1e}"
                )
            worst = max(worst, gap)
            good.append(mine[part])
    return good, worst


def blame(half, value):
    """The line that last gave the value that came out wrong."""
    for line in sorted(half.records, reverse=True):
        for held in half.records[line].values():
            for part in arrays(held):
                if part.shape == tuple(value.shape) and np.array_equal(part, value.numpy()):
                    return half.at(line)
    return half.at(half.first)


class Plain(ast.NodeTransformer):
    """The same statements without in-place work, which autograd cannot follow."""

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_Call(self, node):
        self.generic_visit(node)
        node.keywords = [k for k in node.keywords if k.arg != "out"]
        return node


def rest_of(forward, index, held, name):
    """Run forward's statements from `index` on, with `name` a leaf of autograd."""
    leaf = held[name].clone().requires_grad_()
    values = {**held, name: leaf * 1}
    tree = ast.parse("def rest(): pass").body[0]
    tree.args.args = [ast.arg(key) for key in values]
    source = ast.parse("\n".join(forward.lines)).body[0]
    tree.body = [Plain().visit(node) for node in source.body[index:]]
    module = ast.fix_missing_locations(ast.Module([tree], []))
    space = dict(rebuilt(forward.function).__globals__)
    exec(compile(module, str(forward.path), "exec"), space)
    return leaf, space["rest"](**values)[0]


def entry(forward, number, name):
    """Where to make `name` a leaf, so that its gradient is what backward's
    step `number` calls d_name: before forward's step, or inside it."""
    step = next(s for s in forward.labels() if number in s.numbers)
    body = forward.tree.body
    inside = [i for i, node in enumerate(body) if step.first <= node.lineno <= step.last]
    for i in inside:
        for node in ast.walk(body[i]):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                return inside[0]
        if name in assigned(body[i]):
            return i + 1
    return inside[0] if inside else None


def check_step(forward, backward, step, d_y, budget, not_gradients, good):
    """The names whose gradient autograd confirms in this step, and the largest gap."""
    names, worst = [], 0.0
    for name, value in backward.recorded(step).items():
        if not name.startswith("d_") or name in not_gradients:
            continue
        index = entry(forward, min(step.numbers), name[2:]) if is_float(value) else None
        held = forward.before.get(index, {})
        gap = None
        if is_float(held.get(name[2:])):
            leaf, y = rest_of(forward, index, held, name[2:])
            loss, grad = contract(y, d_y), None
            if loss.requires_grad:  # else the rest of the forward pass does not use it
                (grad,) = torch.autograd.grad(loss, leaf, allow_unused=True)
            if grad is not None and grad.shape == value.shape:
                gap, scale = difference(value, grad)
                if not gap <= budget * scale:
                    raise TwinError(
                        f"{backward.at(step.first)}: in step `{label(step)}` {name} differs by"
                        f" {gap:.1e} from autograd's gradient; its budget is {budget * scale:.1e}"
                    )
        if gap is None:  # a parameter's gradient: compared where backward returns it
            parts = list(arrays(value))
            kept = [g.numpy() for g in good]
            if parts and all(any(p.shape == g.shape and np.array_equal(p, g) for g in kept)
                             for p in parts):
                gap = 0.0
        if gap is not None:
            names.append(name)
            worst = max(worst, gap)
    return names, worst


# ---- all of it -----------------------------------------------------------


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


def measure(name, code, seed=1, budget=BUDGET, not_gradients=(), where="example"):
    """Everything a page shows of the pair `name`: forward and, where there is one, backward."""
    example = example_of(code, seed, where)
    halves = {}
    for side in ("npgpt", "torchgpt"):
        half = cut(side, find(side, name))
        wants = inspect.signature(half.function).parameters
        args = {key: value for key, value in example.items() if key in wants}
        half.args = copy(args) if side == "npgpt" else to_torch(args)
        run(half, copy(half.args))
        halves[side] = half
    left, right = halves["npgpt"], halves["torchgpt"]
    check_labels(left, right)
    check_order(left, right)
    sizes = {}
    check_shapes(left, left.args, sizes)
    check_shapes(right, right.args, sizes)
    pair = {"forward": (left, right), "facts": compare_steps(left, right, budget), "sizes": sizes}
    try:
        functions = [find(side, backward_of(name)) for side in halves]
    except TwinError:
        return pair
    from npgpt.random_stream import normals

    backs = [cut(side, function) for side, function in zip(halves, functions)]
    check_labels(*backs)
    check_backward_labels(left, backs[0])
    first = next(iter(inspect.signature(functions[0]).parameters))
    d_y = example.get(first)
    if d_y is None:
        d_y = normals(np.shape(left.result[0]), seed, 0, "example.d_y")
    gradients = d_y, to_torch(d_y)
    for half, back, grad in zip((left, right), backs, gradients):
        back.args = {first: grad, "saved": half.result[1]}
        run(back, {first: copy(grad), "saved": copy(half.result[1])})
        check_shapes(back, back.args, sizes)
    check_order(*backs)
    facts = compare_steps(*backs, budget)
    good, worst = check_gradients(right, backs[1], right.args, gradients[1], budget)
    for step, fact in zip(backs[1].steps, facts):
        if step.numbers:
            fact["autograd"] = check_step(
                right, backs[1], step, gradients[1], budget, not_gradients, good)
    pair.update(backward=tuple(backs), backward_facts=facts, autograd=worst)
    return pair
