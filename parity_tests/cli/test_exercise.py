"""Exercises check themselves: untouched they fail, solved they pass, a wrong step is named."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import npgpt.blocks
import npgpt.layers
import npgpt.models
from npgpt.checking import exercises
from npgpt.checking.components import make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.guess import guess
from npgpt.checking.leaving_out import LABEL
from npgpt.checking.trace import Difference, Key
from npgpt.cli import exercise
from npgpt.errors import InputError

ROOMS = (npgpt.layers, npgpt.blocks, npgpt.models)
EXERCISES = exercises.exercises()
NAMES = [name for name in EXERCISES if name not in exercises.FUNCTIONS]     # the pairs


def source_of(name):
    return inspect.getsource(exercises.module_of(name))


def backward_lines(name, lines):
    first = f"def {exercises.pair(name)[1]}("
    start = next(i for i, line in enumerate(lines) if line.startswith(first))
    end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("def ")), len(lines))
    return start, end


def steps_of(name):
    lines = source_of(name).splitlines()
    start, end = backward_lines(name, lines)
    return [(i, *re.match(r"\s*# \(([\d, ]+)\) (.*)", lines[i]).groups())
            for i in range(start, end) if LABEL.match(lines[i])]


def mutated(name, label):
    """The solution, but what a step finds is made half as large again at its end."""
    lines = source_of(name).splitlines()
    _, end = backward_lines(name, lines)
    stop = next(i for i in range(label + 1, end)
                if LABEL.match(lines[i])
                or re.match(r"    (return|if|grads =)", lines[i]))
    found = [(i, re.match(r"(\s+)(d_\w+)(?:, \w+)* = ", lines[i])) for i in range(label + 1, stop)]
    found = [(i, *match.groups()) for i, match in found if match]
    if not found:
        return None
    i, indent, name = found[-1]
    lines.insert(i + 1 if len(indent) > 4 else stop, f"{indent}{name} = grow({name})")
    return "\n".join([*lines, "", GROW])


GROW = '''
def grow(value):
    if isinstance(value, dict):
        return {key: grow(part) for key, part in value.items()}
    if isinstance(value, list):
        return [grow(part) for part in value]
    return value * 1.5
'''


def test_every_layer_block_and_model_is_there():
    pairs = {name.removesuffix("_backward") for room in ROOMS for name in room.__all__
             if name.endswith("_backward")}
    assert pairs <= {exercises.pair(name)[0] for name in NAMES}


@pytest.mark.parametrize("name", EXERCISES)
def test_untouched_fails_and_solved_passes(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exercises, "EXAMPLES", 5)
    file = tmp_path / "mine.py"
    text = exercises.unwritten(name)
    assert "raise NotImplementedError" in text and len(text) < len(source_of(name)) + 600
    file.write_text(text, encoding="utf-8")
    assert exercise.report(name, file) == 1
    assert f"{exercises.to_write(name)[0]} is not written yet" in capsys.readouterr().out
    file.write_text(source_of(name), encoding="utf-8")
    assert exercise.report(name, file) == 0
    assert "correct on 5 examples" in capsys.readouterr().out


def slow(name, step):
    """Of what is made of layers, all but the last step, which backward begins with."""
    composite = getattr(make_case(name, seeded_draw(0)), "nested", False)
    return composite and step != steps_of(name)[0]


@pytest.mark.parametrize(("name", "label", "number", "words"), [
    pytest.param(name, *step, id=f"{name}-{step[1].replace(', ', '+')}",
                 marks=[pytest.mark.acceptance] if slow(name, step) else [])
    for name in NAMES for step in steps_of(name) if mutated(name, step[0])])
def test_a_wrong_step_is_named(name, label, number, words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exercises, "EXAMPLES", 20)
    file = tmp_path / "mine.py"
    file.write_text(mutated(name, label), encoding="utf-8")
    assert exercise.report(name, file) == 1
    said = capsys.readouterr().out
    assert f"✗ ({number}) {words.split(':')[0]}" in said, said
    assert said.count("✗") == 1 and "mine.py, line" in said and "expected" in said, said


def test_a_line_that_stops_is_named(tmp_path, capsys):
    file = tmp_path / "mine.py"
    line = "d_x = d_factor + d_inner * slope"
    assert line in source_of("gelu")
    file.write_text(source_of("gelu").replace(line, line[:-1]), encoding="utf-8")
    assert exercise.report("gelu", file) == 1
    told = capsys.readouterr().out
    assert "✗ (1) open the gate" in told and "One of two steps is right." in told
    assert re.search(r"It stops in line \d+ with NameError.*\n  mine\.py, line \d+:\n      d_x = ",
                     told), told


def test_a_file_that_leaves_python_is_not_right(tmp_path, capsys):
    file = tmp_path / "mine.py"
    for more in ("import sys; sys.exit()\n", ""):
        text = source_of("gelu") if more else source_of("gelu").replace(
            "d_x = d_factor + d_inner * slope", "raise SystemExit(0)")
        file.write_text(text + more, encoding="utf-8")
        assert exercise.report("gelu", file) == 1
        assert "with SystemExit" in capsys.readouterr().out


def test_the_hint_names_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exercise.exercise("gelu", file=Path("my own.py"))
    assert "npgpt exercise gelu --check --file 'my own.py'" in capsys.readouterr().out


def test_each_exercise_is_listed_on_one_line(capsys):
    exercise.exercise()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == EXERCISES
    assert all(20 < len(line) < 80 and len(line.split()) > 3 for line in lines), lines


def test_bad_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="give the NAME"):
        exercise.exercise(check_it=True)
    with pytest.raises(InputError, match="there is no file"):
        exercise.exercise("gelu", check_it=True, file=tmp_path)
    with pytest.raises(InputError, match="no exercise 'nothing'"):
        exercise.exercise("nothing")
    with pytest.raises(InputError, match="there is no file exercise_gelu"):
        exercise.exercise("gelu", check_it=True)
    exercise.exercise("gelu")
    with pytest.raises(InputError, match="is there already"):
        exercise.exercise("gelu")


@pytest.mark.parametrize(("text", "lacking"), [
    ("", "gelu"), ("def gelu(x): ...\ndef gelu_backwards(d_y, saved): ...\n", "gelu_backward")])
def test_a_file_without_the_functions_is_not_right(tmp_path, capsys, text, lacking):
    file = tmp_path / "exercise_gelu.py"
    file.write_text(text)
    assert exercise.report("gelu", file) == 1
    assert capsys.readouterr().out == f"{file}: there is no {lacking} in it\n"


def checked(name, tmp_path, capsys, *edits):
    """What is said of the component's file after these edits."""
    text, file = source_of(name), tmp_path / "mine.py"
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    assert exercise.report(name, file) == 1
    return capsys.readouterr().out


def test_a_mistake_in_the_forward_pass_is_not_blamed_on_the_backward_pass(tmp_path, capsys):
    told = checked("dpo", tmp_path, capsys, ("log_probs.sum(axis=-1)", "log_probs.mean(axis=-1)"))
    assert "\ndpo on an example with" in told and "dpo_backward" not in told
    assert "✗ (1) how likely each answer is" in told and "= 1/T: a mean where a sum" in told


def test_functions_without_a_backward_pass_are_exercises(tmp_path, capsys):
    text = exercises.unwritten("rows")
    assert text.count("raise NotImplementedError") == 3 and "np.arange(end - at)" not in text
    assert '#     find found["positions"]' in text and "def fill_rows" in text
    told = checked("rows", tmp_path, capsys, ("np.arange(end - at)", "np.arange(at, end)"))
    assert "✓ (1) one example" in told and "✗ (2) positions restart" in told
    assert "when one counts from at on, and not from 0" in told
    last = "    return found\n"
    told = checked("rows", tmp_path, capsys, (last, "    return {**found, 'more': 1}\n"))
    assert "packed returns more than is asked for" in told
    told = checked("rows", tmp_path, capsys, (last, f"    del found['mask']\n{last}"))
    assert 'result["mask"] is not returned' in told
    told = checked("advantages", tmp_path, capsys, (
        "scaled = centred / (std + float(eps))             # (B, G)", "raise NotImplementedError"))
    assert "✓ (1) compare with the group" in told and "Next is step (2)" in told, told


def shortened(name, left_out, instead):
    """The solution with other last lines."""
    lines = source_of(name).rstrip().splitlines()
    lines[left_out] = instead
    return "\n".join(lines)


def test_finished_steps_are_praised(tmp_path, capsys):
    file = tmp_path / "mine.py"
    for left_out, instead, wanted in (
            (slice(-6, None), ["    raise NotImplementedError"],
             ["✓ (3) scale and shift", "· (2) divide by the standard deviation", "find: d_centred",
              "Next is step (2)", "One of three steps is right."]),
            (slice(-3, None), ["    raise NotImplementedError"],
             ["✓ (2) divide", "· (1) centre", "Next is step (1) centre: find d_x.",
              "Two of three steps are right."]),
            (slice(-2, -1), ["    d_x = d_centred"],
             ["✗ (1) centre", "Yours is the value without the term d_centred.mean(",
              "Two of three steps are right."])):
        file.write_text(shortened("layer_norm", left_out, instead), encoding="utf-8")
        assert exercise.report("layer_norm", file) == 1
        told = capsys.readouterr().out
        assert all(part in told for part in wanted), told


def test_a_result_that_is_not_returned_is_named(tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text(source_of("attention").replace("return d_q, d_k, d_v", "return d_q, d_v, d_k"),
                    encoding="utf-8")
    assert exercise.report("attention", file) == 1
    told = capsys.readouterr().out
    assert "Every step is right, but what is returned as d_k is d_v." in told, told


def test_where_nothing_may_differ_no_share_is_told():
    wrong, key = np.array([1.0, 2.0]), Key("layer_norm_backward", "1", "d_x")
    told = str(Difference(key, 2.0, 0.0, (1,), guess(wrong, 0 * wrong)))
    assert "d_x differs by 2, where both must be equal" in told
    assert "it looks wrong everywhere: it should be 0" in told
