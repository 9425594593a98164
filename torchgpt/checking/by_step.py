"""Autograd, step by step: what it calls the gradient of a value that a
forward pass works out on the way.

The recorder keeps the locals before each statement of a forward pass. From
there the rest of the pass runs again, with one value followed by autograd and
each layer that is called replaced by PyTorch's own operator."""

import ast
import linecache

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from npgpt.checking.recorder import copied
from npgpt.checking.statements import assigned, parsed
from npgpt.replacing import replaced
from torchgpt.checking.implementations import layer_references


def gradient_at(call, number, name, d_y):
    """-> the gradient of `name` as the forward pass's step `number` has it,
    for the upstream gradient d_y; None where it has none. call: the recorded
    forward pass, with its snapshots."""
    function = definition(call.code)
    place = entry(call.code, function, number, name)
    values = call.before.get(place, {})
    value = values.get(name)
    if not torch.is_tensor(value) or not value.is_floating_point():
        return None
    variable, y = rest_of(call, function, place, copied(values), name)
    d_y = torch.stack(list(d_y)) if isinstance(d_y, (list, tuple)) else torch.as_tensor(d_y)
    total = (y * d_y).sum()
    if not total.requires_grad:     # the rest of the pass does not use it
        return None
    return torch.autograd.grad(total, variable, allow_unused=True)[0]


def definition(code):
    """The function, as ast."""
    tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
                and code.co_firstlineno == min([node, *node.decorator_list],
                                               key=lambda part: part.lineno).lineno)


def entry(code, function, number, name):
    """Before which statement autograd must begin to follow `name`, so that its gradient is
    what the backward's step `number` calls d_name: before the forward's step,
    or inside it."""
    first, last = lines_of(code, function, number)
    inside = [i for i, node in enumerate(function.body) if first <= node.lineno <= last]
    for i in inside:
        for node in ast.walk(function.body[i]):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                return inside[0]
        if name in assigned(function.body[i]):
            return i + 1
    return inside[0] if inside else None


def lines_of(code, function, number):
    """-> the first and last line of a step; the last return is none's."""
    labels = [(line, step.split(", ")) for line, step, _ in parsed(code.co_filename).labels
              if function.lineno < line <= function.end_lineno]
    end = function.end_lineno
    if isinstance(function.body[-1], ast.Return):
        end = function.body[-1].lineno - 1
    ends = [line - 1 for line, _ in labels[1:]] + [end]
    return next(((line, last) for (line, numbers), last in zip(labels, ends)
                 if str(number) in numbers), (0, -1))


def rest_of(call, function, place, values, name):
    """-> the value that is followed, the output of the statements from `place` on."""
    variable = values[name].requires_grad_()
    values = {**values, name: variable * 1}
    tree = ast.parse("def rest(): pass").body[0]
    tree.args.args = [ast.arg(key) for key in values]
    tree.body = [WithoutWritingInPlace().visit(node) for node in function.body[place:]]
    module = ast.fix_missing_locations(ast.Module([tree], []))
    pairs = layer_references()
    instead = {id(original): other for original, other in pairs}
    space = {key: instead.get(id(value), value) for key, value in call.space.items()}
    exec(compile(module, call.code.co_filename, "exec"), space)
    with replaced("torchgpt", pairs), sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
        return variable, space["rest"](**values)[0]


class WithoutWritingInPlace(ast.NodeTransformer):
    """The same statements, as autograd can follow them."""

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_Call(self, node):
        self.generic_visit(node)
        node.keywords = [keyword for keyword in node.keywords if keyword.arg != "out"]
        return node
