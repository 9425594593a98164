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


def nest(pairs):
    """The tree whose `leaves` are these pairs: parts named 0, 1, … become
    a list."""
    tree = {}
    for name, leaf in pairs:
        *path, last = name.split(".")
        part = tree
        for key in path:
            part = part.setdefault(key, {})
        part[last] = leaf
    return turn_numbered_into_lists(tree)


def turn_numbered_into_lists(tree):
    if not isinstance(tree, dict):
        return tree
    parts = {key: turn_numbered_into_lists(part) for key, part in tree.items()}
    if parts and all(key.isdigit() for key in parts):
        return [parts[str(i)] for i in range(len(parts))]
    return parts
