"""Each mistake in tokenizers and chats, put into a copy of npgpt.text, turns a check red
within 50 examples."""

import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import Phase, settings

import npgpt.text
from parity_tests.mutants import chat, tokenizers
from parity_tests.text import chat_checks
from parity_tests.text.tokenizers.tokenizer_checks import CHECKS

settings.register_profile(
    "mutants", max_examples=50, database=None, derandomize=True, deadline=None,
    phases=[Phase.explicit, Phase.generate])


@contextmanager
def few_examples():
    before = settings.get_current_profile_name()
    settings.load_profile("mutants")
    try:
        yield
    finally:
        settings.load_profile(before)


def loaded():
    return {name: module for name, module in sys.modules.items()
            if name == "npgpt.text" or name.startswith("npgpt.text.")}


def new_module(name, path, **more):
    spec = importlib.util.spec_from_file_location(name, path, **more)
    sys.modules[name] = importlib.util.module_from_spec(spec)
    return sys.modules[name]


def package_at(name, folder):
    """An empty package, whose parts are imported from a folder."""
    return new_module(name, folder / "__init__.py", submodule_search_locations=[str(folder)])


@contextmanager
def fresh_copy(file, old, new):
    """npgpt.text imported anew, with `old` replaced by `new` in one of its files."""
    ours = loaded()
    for name in ours:
        del sys.modules[name]
    try:
        root = Path(npgpt.text.__file__).parent
        path = root / f"{file}.py"
        source = path.read_text(encoding="utf-8")
        assert source.count(old) == 1, f"{file} has {source.count(old)} times: {old}"
        package = package_at("npgpt.text", root)
        inner, *rooms = package, *file.split("/")
        name = rooms.pop()
        for room in rooms:
            setattr(inner, room, package_at(f"{inner.__name__}.{room}", root / room))
            inner = getattr(inner, room)
        module = new_module(f"{inner.__name__}.{name}", path)
        exec(compile(source.replace(old, new), str(path), "exec"), module.__dict__)
        setattr(inner, name, module)
        package.__spec__.loader.exec_module(package)
        yield package
    finally:
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(ours)
        sys.modules["npgpt"].text = ours["npgpt.text"]


def red_checks(text, checks=CHECKS):
    """The names of the checks that fail, one after another."""
    for name, check in vars(checks).items():
        try:
            with few_examples():
                check(text)
        except Exception:
            yield name


def test_a_copy_without_a_mistake_is_green():
    same = "import codecs"
    with fresh_copy("tokenizers/streaming", same, same) as text:
        assert text is not npgpt.text
        assert text.tokenizers.byte_pairs is not npgpt.text.tokenizers.byte_pairs
        assert list(red_checks(text)) == []
    assert sys.modules["npgpt.text"] is npgpt.text


@pytest.mark.parametrize(("file", "old", "new"), [mutant[1:] for mutant in tokenizers.MUTANTS],
                         ids=[mutant[0] for mutant in tokenizers.MUTANTS])
def test_killed(file, old, new):
    with fresh_copy(file, old, new) as text:
        assert next(red_checks(text), None), "no check noticed"


def test_a_copy_of_chat_without_a_mistake_is_green():
    same = "import json\n"
    with fresh_copy("chat", same, same) as text:
        assert list(red_checks(text, chat_checks.CHECKS)) == []


@pytest.mark.parametrize(("file", "old", "new"), [mutant[1:] for mutant in chat.MUTANTS],
                         ids=[mutant[0] for mutant in chat.MUTANTS])
def test_killed_in_chats(file, old, new):
    with fresh_copy(file, old, new) as text:
        assert next(red_checks(text, chat_checks.CHECKS), None), "no check noticed"
