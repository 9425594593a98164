"""A model's `weights` is the one place that lists its shapes."""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest

import npgpt
import torchgpt
from npgpt import families, models
from npgpt.checking.components import make_case
from npgpt.checking.draw import seeded_draw
from npgpt.errors import InputError
from npgpt.families.weight import Weight
from npgpt.runs.checkpoint import file_name, load_checkpoint, load_training, save_checkpoint, shapes
from npgpt.runs.run import count_parameters
from npgpt.training import adamw_init, init
from npgpt.tree import tree_leaves, tree_map, tree_map_with_path
from torchgpt import models as torch_models
from torchgpt.training import init as torch_init

gpt2 = models.gpt2
CONFIG = gpt2.Config(7, context_length=6, layers=1, heads=2, channels=4, tied=False)
PATHS = [path for path, _ in tree_leaves(gpt2.weights(CONFIG))]
# a component -> the part of a model that is its params
PARTS = {"gpt2.forward": lambda tree: tree, "block": lambda tree: tree["blocks"][0],
         "multi_head_attention": lambda tree: tree["blocks"][0]["attention"],
         "mlp": lambda tree: tree["blocks"][0]["feed_forward"]}


def shapes_of(tree):
    return tree_map(lambda leaf: tuple(leaf.shape), tree)


@pytest.fixture
def change(monkeypatch):
    """change(path): from now on GPT-2 has one row more there."""
    places = families.gpt2, gpt2, torch_models.gpt2
    weights = gpt2.weights
    assert all(place.weights is weights for place in places)

    def change(changed):
        def longer(path, weight):
            first, *others = weight.shape
            return Weight((first + 1, *others), weight.init) if path == changed else weight

        for place in places:
            monkeypatch.setattr(
                place, "weights", lambda config: tree_map_with_path(longer, weights(config)))

    return change


def cases():
    """component, its case's shapes, and those that `weights` gives them."""
    for component, part in PARTS.items():
        case = make_case(component, seeded_draw(1))
        config = case.options.get("config")
        if config is None:
            config = gpt2.Config(1, 1, 1, 1, channels=case.inputs["x"].shape[-1])
        yield component, shapes_of(case.params), shapes_of(part(gpt2.weights(config)))


@pytest.mark.parametrize("path", PATHS)
def test_a_shape_changes_everywhere_at_once(tmp_path, change, path):
    """First values, count, what a file must hold, and the checker's cases."""
    old, count = init(gpt2, CONFIG), count_parameters(gpt2, CONFIG)
    wanted = dict(tree_leaves(shapes_of(old)))
    length, *width = wanted[path]
    wanted[path] = (length + 1, *width)
    save_checkpoint(tmp_path / "old", CONFIG, old, training=training(old))
    change(path)
    # first values, the same in both packages
    new = init(gpt2, CONFIG)
    assert dict(tree_leaves(shapes_of(new))) == wanted
    for (name, array), (other, tensor) in zip(
            tree_leaves(new), tree_leaves(torch_init(torch_models.gpt2, CONFIG)), strict=True):
        assert name == other
        np.testing.assert_array_equal(array, tensor.numpy(), err_msg=name)
    # count
    assert count_parameters(gpt2, CONFIG) == count + math.prod(width)
    # what a file must hold
    assert dict(tree_leaves(shapes(CONFIG, gpt2))) == wanted
    stored, expected = (length, *width), wanted[path]
    if re.fullmatch(gpt2.FILES["transposed"], path):
        stored, expected = stored[::-1], expected[::-1]
    words = f"{file_name(path, gpt2)} is {stored}, expected {expected}"
    with pytest.raises(InputError, match=re.escape(words)):
        load_checkpoint(tmp_path / "old")
    with pytest.raises(InputError, match=re.escape(f"params.{path} is ")):
        load_training(tmp_path / "old", CONFIG)
    save_checkpoint(tmp_path / "new", CONFIG, new, training=training(new))
    found = load_checkpoint(tmp_path / "new")
    for tree in (found.params, found.training["params"], found.training["optimizer"]["v"]):
        assert dict(tree_leaves(shapes_of(tree))) == wanted
    # the checker's cases
    for component, drawn, given in cases():
        assert drawn == given, component


def training(params):
    return {"step": 1, "best": None, "optimizer": adamw_init(params)}


def test_the_checker_draws_in_the_changed_shapes(change):
    """The cases of a model and of each of its blocks, not these alone."""
    before = {component: drawn for component, drawn, _ in cases()}
    change("blocks.0.attention.out.weight")
    changed = {component for component, drawn, _ in cases() if drawn != before[component]}
    assert changed == {"gpt2.forward", "block", "multi_head_attention"}


def listed_shapes(source):
    """The lines that make a Weight, or give a weight or a bias a shape."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Weight":
            yield node.lineno
        if isinstance(node, ast.Dict):
            names = {key.value for key, value in zip(node.keys, node.values)
                     if isinstance(key, ast.Constant) and isinstance(value, ast.Tuple)}
            if names & {"weight", "bias"}:
                yield node.lineno


def test_no_other_place_lists_them():
    assert list(listed_shapes('a = {"weight": (V, C)}\nb = Weight((V, C), zeros)')) == [1, 2]
    found = set()
    for package in (npgpt, torchgpt):
        root = Path(package.__file__).parent
        found |= {f"{root.name}/{file.relative_to(root).as_posix()}"
                  for file in root.rglob("*.py") if list(listed_shapes(file.read_text("utf-8")))}
    assert {file for file in found if not file.startswith("npgpt/families/")} <= {
        "npgpt/checking/components/init.py",  # a model of the checker's own
        "npgpt/finetuning/targets.py"}  # A and B, of the weights that a family lists
    assert "npgpt/families/gpt2.py" in found
