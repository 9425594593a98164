"""Walk nested parameters: dicts and lists of arrays, tensors or shapes. A
tuple is a leaf."""


def tree_leaves(tree, name=""):
    """Yield ("blocks.0.norm_1.weight", array) in the tree's order."""
    if isinstance(tree, dict):
        parts = tree.items()
    elif isinstance(tree, list):
        parts = enumerate(tree)
    else:
        yield name, tree
        return
    for key, part in parts:
        yield from tree_leaves(part, f"{name}.{key}" if name else str(key))


def tree_map(f, tree, *more):
    """A tree of the same form, each leaf replaced by f(leaf, ...): what
    stands at the same place in `more` comes with it. Places are found by
    key, so the order in which a dict was filled means nothing."""
    return tree_map_with_path(lambda path, *each: f(*each), tree, *more)


def tree_map_with_path(f, tree, *more, path=""):
    """As `tree_map`, by f("blocks.0.norm_1.weight", leaf, ...)."""
    def at(key, part):
        others = [other[key] for other in more]
        return tree_map_with_path(f, part, *others, path=f"{path}.{key}" if path else str(key))

    if isinstance(tree, dict):
        return {key: at(key, part) for key, part in tree.items()}
    if isinstance(tree, list):
        return [at(i, part) for i, part in enumerate(tree)]
    return f(path, tree, *more)


def nest(pairs):
    """The tree whose `tree_leaves` are these pairs: parts named 0, 1, … become
    a list."""
    tree = {}
    for name, value in pairs:
        *path, last = name.split(".")
        part = tree
        for key in path:
            part = part.setdefault(key, {})
        part[last] = value
    return turn_numbered_into_lists(tree)


def turn_numbered_into_lists(tree):
    if not isinstance(tree, dict):
        return tree
    parts = {key: turn_numbered_into_lists(part) for key, part in tree.items()}
    if parts and all(key.isdigit() for key in parts):
        return [parts[str(i)] for i in range(len(parts))]
    return parts
