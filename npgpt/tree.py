"""Walk nested parameters: dicts and lists of arrays or tensors."""


def leaves(tree, name=""):
    """Yield ("blocks.0.norm_1.weight", array) in the tree's order."""
    if isinstance(tree, dict):
        parts = tree.items()
    elif isinstance(tree, list):
        parts = enumerate(tree)
    else:
        yield name, tree
        return
    for key, part in parts:
        yield from leaves(part, f"{name}.{key}" if name else str(key))


def rebuild(tree, change, name=""):
    """A tree of the same form, each leaf replaced by change(name, leaf)."""
    if isinstance(tree, dict):
        return {key: rebuild(part, change, f"{name}.{key}" if name else key)
                for key, part in tree.items()}
    if isinstance(tree, list):
        return [rebuild(part, change, f"{name}.{i}" if name else str(i))
                for i, part in enumerate(tree)]
    return change(name, tree)
