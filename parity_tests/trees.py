"""Nested arrays, two or more of them side by side."""

from npgpt.tree import tree_leaves


def side_by_side(*trees):
    """Yields each path and what every tree holds there, in the first one's
    order: the order in which a dict was filled means nothing."""
    each = [dict(tree_leaves(tree)) for tree in trees]
    for other in each[1:]:
        assert other.keys() == each[0].keys()
    for name in each[0]:
        yield name, *[one[name] for one in each]
