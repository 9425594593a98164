"""Names are the field's own words.

What is learned here must carry over to PyTorch, to JAX and to papers, so some
words are gone from every name that is defined, from the labels of the steps
and from the options of the commands. Prose is read aloud, not matched."""

import ast
import json
import re
from pathlib import Path

import pytest
import typer.main

import npgpt.cli.main
import torchgpt.cli.main
from npgpt.checking.statements import labels

ROOT = Path(__file__).parent.parent

# the word that is gone, what is said in its place
GONE = {
    "visible": "mask", "keep": "dropout_mask", "kept": "dropout_mask", "seen": "attended",
    "thought": "mlp_out", "bent": "activated", "wide": "hidden", "narrow": "hidden",
    "look_around": "attention", "think": "MLP",
    "half": "backend, package", "halves": "backends, packages",
    "leaf": "layer, array", "leaves": "layers, arrays", "rebuild": "tree_map",
    "places": "positions", "turned": "transposed", "held": "locked, held_out",
    "shown": "printable, printed", "typed": "shell_quote", "ahead": "prefetch, future",
    "share": "ratio, fraction", "shares": "ratios, fractions",
    "arm": "implementation", "arms": "implementations",
    "along": "mean_grad, or what the direction is",
    "blank": "space", "blanks": "spaces", "sign": "character", "signs": "characters",
    "letter": "character", "letters": "characters", "line_end": "newline",
    "mend": "fix", "mends": "fixes", "mended": "fixed",
}
# what may be said all the same, and why
EXCEPTIONS = {
    "held_out": "the field's word for data that is not trained on",
    "tree_leaves": "JAX's name of the function",
    "half_a_cosine": "half a period of it",
    "script_share": "a key in the manifests of prepared text",
}


def words_of(name):
    """"CausalMask", "causal_mask", "the causal mask" -> "causal_mask"."""
    humps = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", humps.lower()).strip("_")


def gone_from(name):
    """-> the words of a name that are gone."""
    words = f"_{words_of(name)}_".replace("_", "__")
    for phrase in EXCEPTIONS:
        words = words.replace("_" + phrase.replace("_", "__") + "_", "_")
    return [word for word in GONE if "_" + word.replace("_", "__") + "_" in words]


def defined(source):
    """Yields (line, name) for each name that some Python defines."""
    for node in ast.walk(ast.parse(source)):
        name = None
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr
        elif isinstance(node, ast.alias):
            name = node.asname
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            name = node.name
        elif isinstance(node, ast.MatchMapping):
            name = node.rest
        if name:
            yield getattr(node, "lineno", 0), name


def complaints(source):
    """One line for each name and each label that says a word that is gone."""
    labelled = [(line, words) for line, _, words in labels(source)]
    for line, name in sorted([*defined(source), *labelled]):
        for word in gone_from(name):
            yield f"line {line}: {name!r} says {word!r}: say {GONE[word]}"


def code_files():
    """{folder: its Python files and notebooks}, of all that ships or stands in the book."""
    folders = {}
    for root in ("npgpt", "torchgpt", "docs/examples", "docs/_ext", "docs/pictures",
                 "docs/notebooks"):
        for path in sorted((ROOT / root).rglob("*")):
            if path.suffix in (".py", ".ipynb") and ".ipynb_checkpoints" not in path.parts:
                folders.setdefault(path.parent.relative_to(ROOT).as_posix(), []).append(path)
    return folders


FOLDERS = code_files()


def sources_in(path):
    """The text of a file; of a notebook, of each code cell without its commands."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return [text]
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return [re.sub(r"^(\s*)[%!].*$", r"\1pass", "".join(cell["source"]), flags=re.M)
            for cell in cells]


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_and_labels(folder):
    found = [f"{folder}: the folder's name says {word!r}" for word in gone_from(folder)]
    for path in FOLDERS[folder]:
        name = path.relative_to(ROOT).as_posix()
        found += [f"{name}: the file's name says {word!r}" for word in gone_from(path.stem)]
        found += [f"{name}: {line}" for source in sources_in(path) for line in complaints(source)]
    assert not found, "\n".join(found)


def options(command, path=()):
    """Yields (the command's words, option or argument) of a command and all below it."""
    for parameter in command.params:
        for name in (parameter.name, *parameter.opts, *parameter.secondary_opts):
            yield " ".join(path), name
    for name, below in getattr(command, "commands", {}).items():
        yield " ".join(path), name
        yield from options(below, (*path, name))


@pytest.mark.parametrize("package", [npgpt.cli.main, torchgpt.cli.main], ids=lambda m: m.__name__)
def test_options(package):
    given = list(options(typer.main.get_command(package.app)))
    assert len(given) > 20
    assert [pair for pair in given if gone_from(pair[1])] == []


def test_every_exception_has_a_use_and_there_are_few():
    assert len(EXCEPTIONS) <= 10
    text = "\n".join(f"_{words_of(name)}_" for paths in FOLDERS.values() for path in paths
                     for source in sources_in(path)
                     for _, name in [*defined(source), *((at, words) for at, _, words
                                                         in labels(source))])
    assert [phrase for phrase in EXCEPTIONS if f"_{phrase}_" not in text] == []


@pytest.mark.parametrize("source, word", [
    ("def keep(x): pass", "keep"),
    ("async def tell_half(): pass", "half"),
    ("class WideBlock: pass", "wide"),
    ("class MLPArm: pass", "arm"),
    ("def f(x, seen=None): pass", "seen"),
    ("def f(*, share): pass", "share"),
    ("def f(*letters, **signs): pass", "letters"),
    ("f = lambda held: held", "held"),
    ("_KEPT = 1", "kept"),
    ("x: int\nshare_of_x: int = 1", "share"),
    ("a, (b, places) = 1, (2, 3)", "places"),
    ("a, *leaves = rows", "leaves"),
    ("for narrow in rows: pass", "narrow"),
    ("with open(x) as blank: pass", "blank"),
    ("if (turned := 1): pass", "turned"),
    ("x = [leaf for leaf in rows]", "leaf"),
    ("x = {a: along for a, along in rows}", "along"),
    ("try: pass\nexcept ValueError as mended: pass", "mended"),
    ("import numpy as half", "half"),
    ("from numpy import sign as visible", "visible"),
    ("self.shown = 1", "shown"),
    ("match x:\n    case [thought, *_]: pass", "thought"),
    ("match x:\n    case {'a': 1, **bent}: pass", "bent"),
    ("line_end = 1", "line_end"),
    ("x = 1\n    \n# (2) look around\n", "look_around"),
    ("def f():\n    # (1, 2) Keep the largest\n    pass", "keep"),
    ("held_out_share = 1", "share"),
])
def test_a_word_is_found(source, word):
    (found,) = [line for line in complaints(source) if f"says {word!r}" in line]
    assert GONE[word] in found


@pytest.mark.parametrize("source", [
    "x = rows.mean(keepdims=True)",         # used, not defined
    "from numpy import sign",
    "def held_out(tree_leaves): pass",
    "widened = shareholders = keepdims = alphabet = remainder = planet = 1",
    "# (1) hide what is not attended to",
    "# half of the rows are kept",          # a comment, no label
    "'''The half that is seen.'''",
])
def test_other_words_are_not(source):
    assert list(complaints(source)) == []


def test_a_notebooks_cells_are_read(tmp_path):
    cells = [{"cell_type": "code", "source": ["%pip install x\n", "seen = 1\n"]},
             {"cell_type": "markdown", "source": ["leaf = 1"]},
             {"cell_type": "code", "source": ["try:\n", "    import npgpt\n", "except E:\n",
                                              "    %pip install npgpt\n"]}]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert [len(list(complaints(source))) for source in sources_in(path)] == [1, 0]


def test_a_commands_options_are_read():
    app = typer.Typer()

    @app.command("mend")
    def mend(keep_best: bool = True, letters: int = typer.Option(1, "--signs")):
        pass

    @app.command("other")
    def other():
        pass

    said = {word for _, name in options(typer.main.get_command(app)) for word in gone_from(name)}
    assert said == {"mend", "keep", "letters", "signs"}
