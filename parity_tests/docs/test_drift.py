"""The book cannot drift from the source: each way to do so stops the build, with file and line."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

import measure  # noqa: E402

EXAMPLES = {
    "layer_norm": "x = normals(2, 4, 8)\nweight = 1 + 0.2 * normals(8)\nbias = 0.2 * normals(8)",
    "attention": "q = normals(2, 3, 4, 6)\nk = normals(2, 3, 5, 6)\nv = normals(2, 3, 5, 6)\n"
                 "causal = True\ndropout_mask = drawn_mask(0.3, 2, 3, 4, 5)",
    "block": "config = gpt2.Config(11, 6, 2, 2, 4)\nheads = 2\nx = normals(2, 3, 4)\n"
             "params = init(gpt2, config, dtype=np.float64)['blocks'][0]",
    "gpt2.forward": "config = gpt2.Config(11, 6, 2, 2, 4)\nids = integers(11, 2, 3)\n"
                    "params = init(gpt2, config, dtype=np.float64)",
}


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """Measure a pair of which one file has a line changed."""

    def change(name, side, old, new, room="layers"):
        real = measure.find
        source = (ROOT / side / room / f"{name}.py").read_text(encoding="utf-8")
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times"
        path = tmp_path / side / f"{name}.py"
        path.parent.mkdir()
        path.write_text(source.replace(old, new), encoding="utf-8")
        line = source[: source.index(old)].count("\n") + 1
        spec = importlib.util.spec_from_file_location(f"{side}.{room}.changed_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)

        def find(where, function):
            if where == side and hasattr(module, function):
                return getattr(module, function)
            return real(where, function)

        monkeypatch.setattr(measure, "find", find)
        with pytest.raises(measure.TwinError) as caught:
            measure.measure(name, EXAMPLES[name])
        message = str(caught.value)
        assert re.search(r"\.py:\d+: ", message), message
        return message, f"{path}:{line}"

    return change


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_untouched_pair_is_measured(name):
    pair = measure.measure(name, EXAMPLES[name])
    for step, fact in zip(pair["backward"][0].labels(), pair["backward_facts"][1:]):
        only_comment = all(line.strip().startswith("#") for line in step.lines)
        assert only_comment or fact["autograd"][0], step


@pytest.mark.parametrize("side", ["npgpt", "torchgpt"])
def test_a_label_renamed(changed, side):
    message, _ = changed("layer_norm", side, "# (1) centre\n    mean", "# (1) center\n    mean")
    assert "has no partner" in message and "(1) cent" in message


def test_a_label_lost(changed):
    message, _ = changed("attention", "torchgpt", "    # (5) dropout\n    weights", "    weights")
    assert "has no partner" in message


def test_a_step_number_that_backward_lacks(changed):
    message, place = changed(
        "layer_norm", "npgpt", "    # (2) divide by the standard deviation\n    mean_grad",
        "    mean_grad")
    assert "no step (2)" in message or "no partner" in message
    assert "layer_norm.py:" in message and place


@pytest.mark.parametrize(("side", "old", "new"), [
    ("npgpt", "y = normed * weight + bias                        # (..., C)",
     "y = normed * weight + bias                        # (..., 1)"),
    ("torchgpt", "d_bias = d_y.reshape(-1, C).sum(dim=0)        # (C,)",
     "d_bias = d_y.reshape(-1, C).sum(dim=0)        # (..., C)"),
    ("npgpt", '"""x (..., C), weight (C,), bias (C,) -> y (..., C)."""',
     '"""x (..., C), weight (1, C), bias (C,) -> y (..., C)."""'),
])
def test_a_shape_that_lies(changed, side, old, new):
    message, place = changed("layer_norm", side, old, new)
    assert place in message and "says that" in message


def test_a_swapped_axis_in_a_comment(changed):
    message, place = changed(
        "attention", "npgpt", "d_v = weights.swapaxes(-1, -2) @ d_y              # (B, H, S, D)",
        "d_v = weights.swapaxes(-1, -2) @ d_y              # (B, H, T, D)")
    assert place in message and "d_v is (B, H, T, D)" in message


def test_two_lines_swapped_that_need_each_other(changed):
    first, second = ("    mean = x.mean(axis=-1, keepdims=True)             # (..., 1)\n",
                     "    centred = x - mean                                # (..., C)\n")
    message, _ = changed("layer_norm", "npgpt", first + second, second + first)
    assert "the example stops here" in message and "layer_norm.py:10" in message


def test_two_lines_swapped_that_do_not(changed):
    first, second = ("        d_weight = (d_y * normed).reshape(-1, C).sum(dim=0)\n",
                     "        d_bias = d_y.reshape(-1, C).sum(dim=0)        # (C,)\n")
    message, _ = changed("layer_norm", "torchgpt", first + second, second + first)
    assert "assigns d_bias where" in message


@pytest.mark.parametrize("side", ["npgpt", "torchgpt"])
def test_a_gradient_broken_in_one_half(changed, side):
    message, _ = changed("attention", side, "d_scores = softmax_backward(d_probs, (probs,))",
                         "d_scores = probs * d_probs")
    assert "(4) turn scores into probabilities" in message and "d_scores differs" in message


def test_a_gradient_broken_in_both_halves(tmp_path, monkeypatch):
    """Two halves that agree on a mistake: autograd finds the line."""
    real, modules = measure.find, {}
    for side in ("npgpt", "torchgpt"):
        source = (ROOT / side / "layers" / "layer_norm.py").read_text(encoding="utf-8")
        mean = ("d_centred.mean(axis=-1, keepdims=True)", "d_centred.mean(dim=-1, keepdim=True)")
        wrong = source.replace(f"d_centred - {mean[side == 'torchgpt']}", "d_centred * 1.0")
        assert wrong != source
        path = tmp_path / f"{side}_layer_norm.py"
        path.write_text(wrong, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"{side}.layers.wrong", path)
        modules[side] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[side])
    monkeypatch.setattr(measure, "find", lambda side, name: getattr(
        modules[side], name, None) or real(side, name))
    line = wrong[: wrong.index("d_x = d_centred * 1.0")].count("\n") + 1
    with pytest.raises(measure.TwinError, match="from autograd's") as caught:
        measure.measure("layer_norm", EXAMPLES["layer_norm"])
    assert f"torchgpt_layer_norm.py:{line}: the gradient of x" in str(caught.value)


def test_a_block_that_forgets_a_term(changed):
    message, _ = changed(
        "block", "npgpt", "saved_norm_2)\n    d_x = d_x + d_branch",
        "saved_norm_2)\n    d_x = d_branch",
        room="blocks")
    assert "d_x differs" in message


def test_an_example_that_does_not_run():
    with pytest.raises(measure.TwinError, match="the example does not run"):
        measure.measure("layer_norm", "x = normals(2, 4, 8")
