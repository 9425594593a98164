"""What a function needs from its file where it is pasted elsewhere."""

import ast
import inspect


def prelude(excerpt, others=()):
    """The imports and constants that a pasted function needs; `others` come along with it."""
    module = inspect.unwrap(excerpt.function).__module__
    return needed([excerpt.tree], excerpt.path, module, {excerpt.tree.name, *others})


def needed(trees, path, module, own):
    """What the file of `trees` defines or imports for them, but for `own`, as lines to paste."""
    used = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}
    lines = []
    for node in reversed(ast.parse(path.read_text(encoding="utf-8")).body):
        bound = []
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            node.names = [a for a in node.names if (a.asname or a.name.split(".")[0]) in used]
            bound = node.names
        elif isinstance(node, ast.Assign):
            bound = [t.id for t in node.targets if isinstance(t, ast.Name) and t.id in used]
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in used - own:
            lines.insert(0, f"from {module} import {node.name}")
        if bound:
            lines.insert(0, absolute(node, module))
            used |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return "\n".join(lines) + "\n\n\n" if lines else ""


def absolute(node, module):
    """An import as it reads outside its package."""
    if isinstance(node, ast.ImportFrom) and node.level:
        package = module.split(".")[: -node.level]
        node.module, node.level = ".".join([*package, *filter(None, [node.module])]), 0
    return ast.unparse(node)
