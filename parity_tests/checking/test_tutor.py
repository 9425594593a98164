"""The tutor, on plausible wrong solutions: the step that is wrong is named in all, the cause in
four of five; right solutions in other forms are accepted, and finished steps praised."""

import ast
import inspect
import re
import runpy
from pathlib import Path

import pytest

from npgpt.checking import exercises

HERE = Path(__file__).parent
OWN: dict[str, list] = {}
for path in sorted((HERE / "wrong_solutions").glob("own*.py")):
    for chapter, solutions in runpy.run_path(str(path))["OWN"].items():
        OWN[chapter] = OWN.get(chapter, []) + solutions
BLIND = {path.stem.removeprefix("blind_"): runpy.run_path(str(path))["SOLUTIONS"]
         for path in sorted((HERE / "wrong_solutions").glob("blind_*.py"))}
RIGHT = {name: texts for path in sorted(HERE.glob("right_*.py"))
         for name, texts in runpy.run_path(str(path))["RIGHT"].items()}
HEADS = ("split_heads", "split_qkv", "merge_heads", "repeat_heads")
# what a cause must speak of to be the one that a list gives
SPEAKS_OF = {
    "transposed": "transpose|interchanged", "sign": "sign|minus|[+−] in place of",
    "scale": "times what|factor|twice", "mean": "mean|divided by", "sum": "sum|only the|counts",
    "axis": "ax[ei]s", "factor": "factor|times what|without|²",
    "term": "term|factor|without|line|subtracted|counts once|shifted",
    "order": "order|interchanged|in place of|without|brackets|shifted|another shape",
    "shape": "shape|interchanged|in place of", "function": "without|place of",
    "value": "in place of|factor|belongs|mask|interchanged|counts once",
    "operation": "in place of", "constant": "everywhere", "unchanged": "unchanged",
    "count": "counts from", "multiplied": "multiplies", "filled": "not been filled"}


def source_of(name):
    return inspect.getsource(exercises.module_of(name))


def bodies(source):
    return {node.name: ast.dump(node) for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef)}


def edited(chapter, solution):
    """-> component, the text of its file with the mistake."""
    name = solution.get("name", HEADS[0] if chapter == "heads" else chapter)
    before = after = source_of(name)
    for old, new in solution["edits"]:
        assert after.count(old) == 1, f"{old!r} stands {after.count(old)} times in {name}'s file"
        after = after.replace(old, new)
    if chapter == "heads":
        same = bodies(before)
        (changed,) = [each for each, body in bodies(after).items() if body != same[each]]
        name = changed.removesuffix("_backward")
    return name, after


def told(name, text, tmp_path, examples=30):
    """What the tutor says of a file, or None where it accepts it."""
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    before, exercises.EXAMPLES = exercises.EXAMPLES, examples
    try:
        return exercises.trouble_in(name, file)
    finally:
        exercises.EXAMPLES = before


def wrong_steps(said):
    return [line.split("(")[1].split(")")[0] for line in said.splitlines()
            if line.startswith("  ✗ (")]


def names_the_step(said, step):
    steps = wrong_steps(said)
    return len(steps) == 1 and set(step.split(", ")) <= set(steps[0].split(", "))


def names_the_cause(said, kind):
    """Does what stands before the praise speak of it?"""
    cause = said.splitlines()[-3].strip()
    vague = cause.endswith("wrong.") or cause.startswith("Yours has shape")
    return not vague and re.search(SPEAKS_OF[kind], cause) is not None


def measured(solutions, tmp_path):
    """-> how many there are, of how many the step is named, and the cause."""
    count = steps = causes = 0
    for chapter, each in solutions:
        said = told(*edited(chapter, each), tmp_path)
        assert said, f"{chapter}: accepted, though {each['what']}"
        right_step = names_the_step(said, each["step"])
        assert right_step, f"{chapter}: {each['what']} Step {each['step']}, but:\n{said}"
        count, steps = count + 1, steps + right_step
        causes += names_the_cause(said, each["kind"])
    return count, steps, causes


CHAPTERS = list(OWN)


@pytest.mark.acceptance
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_wrong_solution_has_its_step_and_most_a_cause(chapter, tmp_path):
    solutions = [(chapter, each) for each in [*OWN[chapter], *BLIND.get(chapter, [])]]
    count, steps, causes = measured(solutions, tmp_path)
    assert count >= 6 and steps == count
    assert causes >= 0.7 * count, f"{causes} of {count}"


@pytest.mark.acceptance
def test_the_cause_is_named_in_four_of_five_of_those_written_without_knowing_the_tutor(tmp_path):
    count, _, causes = measured([(chapter, each) for chapter, solutions in BLIND.items()
                                 for each in solutions], tmp_path)
    assert count >= 50 and causes >= 0.8 * count, f"{causes} of {count}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_wrong_solution_has_its_step_and_its_cause(chapter, tmp_path):
    """The first of each list, in the quick suite."""
    first = next(each for each in OWN[chapter] if each["what"] not in UNRECOGNISED)
    assert measured([(chapter, first)], tmp_path) == (1, 1, 1)


UNRECOGNISED = {"Divided by the mask's complement of 1."}


def replaced_backward(name, text):
    """The component's file with another backward pass."""
    source = source_of(name)
    node = next(each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef)
                and each.name == exercises.pair(name)[1])
    lines = source.splitlines()
    return "\n".join(["import numpy as np", *lines[:node.lineno - 1], text.strip(),
                      *lines[node.end_lineno:]]) + "\n"


@pytest.mark.parametrize("name", RIGHT)
def test_right_solutions_in_another_form(name, tmp_path):
    for text in RIGHT[name]:
        said = told(name, replaced_backward(name, text), tmp_path, examples=2)
        assert said is None, f"{text}\n{said}"


@pytest.mark.acceptance
@pytest.mark.parametrize("name", RIGHT)
def test_right_solutions_in_another_form_on_all_examples(name, tmp_path):
    assert len(RIGHT[name]) >= 3
    for text in RIGHT[name]:
        said = told(name, replaced_backward(name, text), tmp_path, examples=30)
        assert said is None, f"{text}\n{said}"


def test_what_is_left_to_write_is_a_file_that_runs(tmp_path):
    """A loop whose body is to be written has one that does nothing."""
    for name in exercises.exercises():
        compile(exercises.unwritten(name), name, "exec")
    file = tmp_path / "mine.py"
    file.write_text(exercises.unwritten("recurrence"), encoding="utf-8")
    assert exercises.trouble_in("recurrence", file) == "recurrence_backward is not written yet"
    lines = """
        d_after = d_states[:, t] + d_state
        d_mixed = d_after * (1 - states[:, t] ** 2)
        # (3) add: one"""
    begun = exercises.unwritten("recurrence").replace("\n        # (3) add: one", lines)
    file.write_text(begun, encoding="utf-8")
    said = exercises.trouble_in("recurrence", file)
    assert "✓ (4) squash it" in said and "Next is step (3) add" in said, said
    file.write_text(begun.replace(" ** 2", ""), encoding="utf-8")
    said = exercises.trouble_in("recurrence", file)
    assert "✗ (4) squash it" in said and "d_mixed is wrong" in said, said
