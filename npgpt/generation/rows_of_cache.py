"""The rows of a cache that go on; both packages' caches are cut here."""

from npgpt.tree import tree_map


def rows_of_cache(cache, rows):
    """-> the cache of some rows, in that order; None stays None."""
    if cache is None:
        return None
    return {
        key: part if key == "start"
        else tree_map(lambda array: array[rows], part)
        for key, part in cache.items()}
