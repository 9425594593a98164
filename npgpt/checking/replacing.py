"""Put other functions in the place of a package's own, for a while.

Modules import each other's functions by name, so each name that holds the
original, wherever it stands in the package, is made to hold the other."""

import sys
from contextlib import contextmanager


@contextmanager
def replaced(package, others):
    """others: [(original function, its replacement), ...]."""
    instead = {id(original): other for original, other in others}
    changed = []
    for name, module in list(sys.modules.items()):
        if module is None or not (name == package or name.startswith(f"{package}.")):
            continue
        for key, value in list(vars(module).items()):
            if id(value) in instead:
                changed.append((module, key, value))
                setattr(module, key, instead[id(value)])
    try:
        yield
    finally:
        for module, key, value in changed:
            setattr(module, key, value)
