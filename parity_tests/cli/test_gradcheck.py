"""npgpt gradcheck and npgpt trace, as they are typed."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from npgpt.cli.main import main

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def in_examples(monkeypatch):
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.syspath_prepend(str(EXAMPLES))


def run(capsys, *line):
    status = main(list(line))
    said = capsys.readouterr()
    return status, said.out, said.err


def test_gradcheck_of_the_model(capsys):
    status, out, _ = run(capsys, "gradcheck")
    assert status == 0
    for word in ("d_blocks.1.feed_forward.down.weight", "torch", "autograd", "complex step",
                 "finite difference", "all 29 results agree"):
        assert word in out


def test_the_table_s_shares_are_of_the_budgets_that_are_checked(capsys, monkeypatch):
    """A complex step that is off by as much as the table allows is found just beyond."""
    from npgpt.checking import witnesses

    exact = witnesses.complex_step

    def table(off):
        monkeypatch.setattr(witnesses, "complex_step", lambda *given: exact(*given) * (1 + off))
        _, out, _ = run(capsys, "gradcheck", "--layer", "linear", "--json")
        found = json.loads(out)
        return max(row.get("complex step", 0) for row in found["rows"]), found["findings"]

    share, _ = table(1e-6)
    assert table(1e-6 * 0.7 / share)[1] == []
    assert "complex step" in " ".join(table(1e-6 * 1.4 / share)[1])


def test_a_model_is_asked_for_by_its_path_or_by_its_other_name(capsys):
    for name in ("gpt2.forward", "gpt"):
        status, out, _ = run(capsys, "gradcheck", "--layer", name, "--json")
        assert status == 0 and json.loads(out)["case"].startswith("gpt2.forward[")


def test_gradcheck_replays_the_line_of_a_failed_test(capsys):
    status, out, _ = run(capsys, "gradcheck", "--layer", "linear", "--at",
                         "axes=2 B=1 T=2 I=1 O=1 bias=True regime=benign frozen=False seed=7",
                         "--json")
    found = json.loads(out)
    assert status == 0 and found["findings"] == []
    assert found["case"] == (
        "linear[axes=2 B=1 T=2 I=1 O=1 bias=True regime=benign frozen=False seed=7]")


def test_a_candidate_is_told_what_is_right_wrong_and_missing(capsys, in_examples):
    status, out, _ = run(capsys, "gradcheck", "--candidate", "my_package", "--json")
    found = json.loads(out)
    assert status == 1
    assert found["right"] == ["gelu"]
    assert set(found["wrong"]) == {"linear", "layer_norm"}
    assert "step (1) centre: d_x" in " ".join(found["wrong"]["layer_norm"])
    assert "step (3) shift: d_bias" in " ".join(found["wrong"]["linear"])
    assert "attention" in found["not_offered"] and "gelu" not in found["not_offered"]


def test_one_layer_of_a_candidate_is_held_to_ours(capsys, in_examples):
    for layer, status in (("gelu", 0), ("layer_norm", 1)):
        line = ("gradcheck", "--layer", layer, "--candidate", "my_package", "--json")
        left, out, _ = run(capsys, *line)
        found = json.loads(out)
        assert left == status == bool(found["findings"])
        assert all("my_package" in row for row in found["rows"])


@pytest.mark.parametrize(("y", "what"), [
    ("right(x)[0].astype(float)", "is float64, not float32"),
    ("right(x.ravel('K'))[0].reshape(x.shape)", "on transposed arrays"),
])
def test_a_candidate_must_hold_in_float32_and_in_any_layout(capsys, tmp_path, monkeypatch, y, what):
    name = f"narrow_{len(y)}"
    (tmp_path / f"{name}.py").write_text(
        "from npgpt.layers import gelu as right, gelu_backward\n"
        f"def gelu(x): return {y}, right(x)[1]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    status, out, _ = run(capsys, "gradcheck", "--candidate", name, "--json")
    found = json.loads(out)
    assert (status, found["right"], set(found["wrong"])) == (1, [], {"gelu"})
    assert what in found["wrong"]["gelu"][0]


def test_trace_agrees_where_there_is_nothing_to_find(capsys):
    for pair in (("numpy", "torch"), ("numpy", "torch-autograd")):
        status, out, _ = run(capsys, "trace", *pair)
        assert status == 0 and "agree in each of the values" in out


def test_trace_names_the_step_of_a_planted_mistake(capsys, in_examples):
    status, out, _ = run(capsys, "trace", "my_package", "numpy", "--layer", "layer_norm", "--json")
    found = json.loads(out)["difference"]
    assert status == 1
    assert (found["calls"], found["step"], found["name"]) == ("layer_norm_backward", "1", "d_x")
    status, out, _ = run(capsys, "trace", "my_package", "numpy")
    assert status == 1
    assert "backward, layer_norm_backward, step (1) centre: d_x" in out
    status, out, _ = run(capsys, "trace", "my_package", "numpy", "--layer", "linear",
                         "--at", "axes=2 B=2 T=4 I=3 O=1 bias=True regime=benign seed=7")
    assert status == 1
    assert "backward, linear_backward, step (3) shift: d_bias" in out
    assert "scaled by a constant, 1/4 = 1/T: a mean for a sum?" in out


@pytest.mark.parametrize("saved", ["x", "[x]", "{'x': x}", "(x,)"])
def test_trace_sees_a_wrong_output_whatever_is_saved(capsys, tmp_path, monkeypatch, saved):
    (tmp_path / f"twice_{len(saved)}.py").write_text(
        "from npgpt.layers import gelu as right, gelu_backward as back\n"
        f"def gelu(x): return 2 * right(x)[0], {saved}\n"
        "def gelu_backward(d_y, saved):\n"
        "    (x,) = saved.values() if isinstance(saved, dict) else "
        "saved if isinstance(saved, (list, tuple)) else (saved,)\n"
        "    return back(d_y, right(x)[1])\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    status, out, _ = run(capsys, "trace", f"twice_{len(saved)}", "numpy", "--layer", "gelu")
    assert status == 1 and "returns differs" in out and "scaled by a constant, 2" in out


HALVED = """
from npgpt.layers import linear
def linear_backward(d_y, saved):
    from npgpt.layers import linear_backward as right
    d_x, grads = right(d_y, saved)
    rows = d_y.size // d_y.shape[-1]
    return d_x, {name: grad / max(rows, 1) for name, grad in grads.items()}
"""


@pytest.mark.parametrize("layer", [[], ["--layer", "linear"]])
def test_a_mistake_is_shown_on_an_example_that_tells_with_one_figure(
        capsys, tmp_path, monkeypatch, layer):
    """Sizes above 1 and all different, numbers of order one; where one factor explains the
    error it is named by the sizes that it is made of."""
    (tmp_path / "halved.py").write_text(HALVED)
    monkeypatch.syspath_prepend(str(tmp_path))
    for seed in "1", "2", "3":
        status, out, _ = run(
            capsys, "gradcheck", "--candidate", "halved", "--seed", seed, *layer)
        assert status == 1
        (case,) = set(re.findall(r"axes=\d .*seed=\d+", out))
        chosen = dict(re.findall(r"(\w+)=(\S+)", case))
        sizes = [int(chosen[name]) for name in "BTIO"]
        assert min(sizes) > 1 and len(set(sizes)) == len(sizes)
        assert chosen["regime"] == "benign"
        lead = ["B", "T"][3 - int(chosen["axes"]):]     # the axes of rows
        count = math.prod(int(chosen[name]) for name in lead)
        several = "·".join(lead) if len(lead) == 1 else f"({'·'.join(lead)})"
        assert f"scaled by a constant, 1/{count} = 1/{several}: a mean for a sum?" in out
        said = out.split("agree")[-1]
        assert said.count("budget") == 1 and said.count("differs by") == 1, said


def test_a_mistake_at_one_size_alone_is_still_found(capsys, tmp_path, monkeypatch):
    """No example for people shows it: the odd one does."""
    (tmp_path / "odd.py").write_text(
        "from npgpt.layers import gelu, gelu_backward as right\n"
        "def gelu_backward(d_y, saved): return right(d_y, saved) * (1 + (d_y.size == 1))\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    status, out, _ = run(capsys, "gradcheck", "--candidate", "odd")
    assert status == 1 and "wrong        gelu" in out
    assert "scaled by a constant, 2" in out


STOPS = {  # what a package holds -> what is said of it
    "def gelu(x): return x / nought, x\ndef gelu_backward(d_y, saved): return d_y":
        "stops in {file}, line 1, with NameError: name 'nought' is not defined",
    "def gelu(x): return x, x\n\n\ndef gelu_backward(d_y, saved): return d_y.missing":
        "stops in {file}, line 4, with AttributeError: ",
    "def inner(x):\n    return x / 0\ndef gelu(x):\n    return inner(1), x\n"
    "def gelu_backward(d_y, saved): return d_y":
        "stops in {file}, line 2, with ZeroDivisionError: ",
    "def gelu(x): pass\ndef gelu_backward(d_y, saved): pass":
        "stops with TypeError: cannot unpack",
    "def gelu(): pass\ndef gelu_backward(d_y, saved): pass":
        "stops with TypeError: gelu() ",
    "def gelu(x): raise SystemExit(0)\ndef gelu_backward(d_y, saved): pass":
        "stops in {file}, line 1, with SystemExit: 0",
    "import sys\nsys.exit()": "stops in {file}, line 2, with SystemExit:",
    "def gelu(:": "stops with SyntaxError: invalid syntax",
    "\n1 / 0": "stops in {file}, line 2, with ZeroDivisionError: division by zero",
    "import not_there_at_all": "stops in {file}, line 1, with ModuleNotFoundError: ",
}


@pytest.mark.parametrize("text", STOPS)
def test_a_candidate_that_stops_is_told_where(capsys, tmp_path, monkeypatch, text):
    name = f"stops_{list(STOPS).index(text)}"
    file = tmp_path / f"{name}.py"
    file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    what = f"{name} {STOPS[text].format(file=file)}"
    for line in (("gradcheck", "--candidate", name, "--layer", "gelu"),
                 ("trace", name, "numpy", "--layer", "gelu"), ("trace", name, "numpy")):
        status, _, err = run(capsys, *line)
        assert status == 2 and err.startswith(f"error: {what}") and err.count("\n") == 1
    status, out, err = run(capsys, "gradcheck", "--candidate", name)
    if "def gelu(x)" in text or "def gelu():" in text:
        assert status == 1 and f"wrong        gelu\n             gelu: {what}" in out
    else:  # it cannot even be imported
        assert status == 2 and what in err


def test_json_is_one_object_whatever_a_package_prints_and_computes(
        capsys, tmp_path, monkeypatch):
    (tmp_path / "loud.py").write_text(
        "from npgpt.layers import gelu as g, gelu_backward\nprint('hello')\n"
        "def gelu(x):\n    print('me again')\n    y, slope = g(x)\n"
        "    return y * float('nan'), slope\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for line in (("trace", "loud", "numpy", "--layer", "gelu"),
                 ("gradcheck", "--candidate", "loud", "--layer", "gelu"),
                 ("gradcheck", "--candidate", "loud")):
        status, out, err = run(capsys, *line, "--json")
        found = json.loads(out, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
        assert status == 1 and isinstance(found, dict) and "me again" in err


@pytest.mark.parametrize(("line", "what"), [
    (("gradcheck", "--layer", "nope"), "there is no component 'nope'"),
    (("gradcheck", "--candidate", "nope"), "there is no package 'nope' here"),
    (("gradcheck", "--candidate", "json"), "json offers none of our functions"),
    (("gradcheck", "--candidate", "numpy"), "numpy offers no component whole"),
    (("trace", "./my.py", "numpy"), "'./my.py' is a file's name"),
    (("gradcheck", "--layer", "gelu", "--at", "B=99"), "B=99 is none of 1, 2, 3"),
    (("gradcheck", "--layer", "gelu", "--at", "x=1"), "--at gives x, which gelu does not"),
    (("trace", "numpy", "torch", "--layer", "gelu", "--at", "x=1"), "--at gives x, which gelu"),
    (("trace", "numpy", "nope"), "there is no package 'nope' here"),
])
def test_bad_input_is_one_line(capsys, line, what):
    status, _, err = run(capsys, *line)
    assert status == 2 and err.startswith("error: ") and what in err and err.count("\n") == 1


def test_gradcheck_works_without_torch():
    code = ("import sys; sys.modules['torch'] = None; from npgpt.cli.main import main;"
            " sys.exit(main(['gradcheck', '--layer', 'block']))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "torch is not installed" in done.stderr and "complex step" in done.stdout
