"""Other functions in the place of a package's own: everywhere for a while,
or in a copy for good.

Modules import each other's functions by name, so each name that holds the
original, wherever it stands, is made to hold the other."""

import sys
from contextlib import contextmanager
from functools import partial
from types import FunctionType, ModuleType


@contextmanager
def replaced(package, others):
    """Inside, the package itself calls the others.

    others: [(original function, its replacement), ...]."""
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


def rewired(thing, others):
    """-> a copy of thing, a module, a function or a partial of one, that
    calls the others, and so do the functions that it calls. What anyone
    else uses stays.

    Copied are the plain functions and the modules of the packages that
    thing and the originals come from, as they are now; what a class or a
    decorator holds inside is not."""
    if isinstance(thing, partial):
        return partial(rewired(thing.func, others), *thing.args, **thing.keywords)
    packages = {package_of(each) for each in (thing, *[original for original, _ in others])}
    copies = {id(original): other for original, other in others}

    def copied(value):
        if id(value) in copies:
            return copies[id(value)]
        if package_of(value) not in packages:
            return value
        if isinstance(value, ModuleType):
            return module_with(vars(value))
        if isinstance(value, FunctionType):
            home = module_with(value.__globals__)
            if id(value) not in copies:         # its own module holds it, too
                copies[id(value)] = function_in(home, value)
            return copies[id(value)]
        return value

    def module_with(names):
        if id(names) not in copies:             # first the module, then what leads back to it
            copies[id(names)] = ModuleType(names.get("__name__", "copy"))
            vars(copies[id(names)]).update(
                {key: copied(value) for key, value in list(names.items())})
        return copies[id(names)]

    if not isinstance(thing, (ModuleType, FunctionType)):
        raise TypeError(f"rewired: {thing!r} is no module and no function")
    return copied(thing)


def package_of(thing):
    """The first part of the name of the module that it is, or comes from."""
    name = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
    return str(name).partition(".")[0]


def function_in(module, function):
    """The same code, which finds its names in another module."""
    made = FunctionType(function.__code__, vars(module), function.__name__,
                        function.__defaults__, function.__closure__)
    made.__kwdefaults__, made.__doc__ = function.__kwdefaults__, function.__doc__
    made.__qualname__, made.__module__ = function.__qualname__, function.__module__
    made.__annotations__ = function.__annotations__
    vars(made).update(vars(function))
    return made
