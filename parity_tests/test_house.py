"""Files are short, and what a learner reads holds nothing but the steps.

Bad input is refused once, at the door; the files below stand behind it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIMIT, CLI_LIMIT = 300, 150
# files of data, not of code, and what they hold
DATA = {}

STEPS = [path.relative_to(ROOT).as_posix()
         for package in ("npgpt", "torchgpt")
         for room in ("foundations", "layers", "blocks", "models")
         for path in sorted((ROOT / package / room).glob("*.py"))]
STEPS += [f"{package}/finetuning/{name}.py" for package in ("npgpt", "torchgpt")
          for name in ("lora", "adapters")]
STEPS += [f"{package}/training/{name}.py" for package in ("npgpt", "torchgpt")
          for name in ("batches", "loss_and_grads", "adamw", "clip", "schedule", "trainer", "loop")
          if (ROOT / package / "training" / f"{name}.py").exists()]


def limit_of(name):
    return CLI_LIMIT if name.split("/")[1] == "cli" else LIMIT


def too_long(root):
    """-> the code files below root/npgpt and root/torchgpt that hold too many lines."""
    found = []
    for package in ("npgpt", "torchgpt"):
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            count = len(path.read_text(encoding="utf-8").splitlines())
            if name not in DATA and count > limit_of(name):
                found.append(f"{name} has {count} lines, more than {limit_of(name)}")
    return found


def test_no_file_is_too_long():
    found = too_long(ROOT)
    assert not found, "\n".join(found)
    for name, why in DATA.items():
        assert why and (ROOT / name).exists()


@pytest.mark.parametrize("name, count, wrong", [
    ("npgpt/a.py", 300, 0), ("npgpt/a.py", 301, 1), ("torchgpt/deep/er/a.py", 301, 1),
    ("npgpt/cli/a.py", 150, 0), ("npgpt/cli/a.py", 151, 1), ("torchgpt/cli/a.py", 151, 1)])
def test_a_file_that_is_too_long_is_found(tmp_path, name, count, wrong):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("x = 1\n" * count, encoding="utf-8")
    assert len(too_long(tmp_path)) == wrong


def strictness(source):
    """Yields what checks or catches something in some Python."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise):
            yield f"line {node.lineno}: raise"
        elif isinstance(node, (ast.Try, ast.TryStar)):
            yield f"line {node.lineno}: try"
        elif isinstance(node, ast.Name) and node.id == "isinstance":
            yield f"line {node.lineno}: isinstance"


@pytest.mark.parametrize("name", STEPS)
def test_what_a_learner_reads_checks_nothing(name):
    assert list(strictness((ROOT / name).read_text(encoding="utf-8"))) == []


def test_they_are_all_there():
    assert len(STEPS) > 50
    assert {f"npgpt/training/{name}.py" for name in (
        "batches", "loss_and_grads", "adamw", "clip", "schedule", "trainer", "loop")} <= set(STEPS)
    assert {f"torchgpt/training/{name}.py" for name in (
        "loss_and_grads", "adamw", "clip", "trainer")} <= set(STEPS)


@pytest.mark.parametrize("source", [
    "def f(x):\n    raise ValueError",
    "def f(x):\n    try:\n        x()\n    except ValueError:\n        pass",
    "def f(x):\n    try:\n        x()\n    except* ValueError:\n        pass",
    "def f(x):\n    return isinstance(x, int)",
    "check = isinstance",
])
def test_a_check_is_found(source):
    assert len(list(strictness(source))) == 1


def test_nothing_else_is():
    assert list(strictness('"""raise, try"""\nx = 1  # isinstance\nif x:\n    y = x\n')) == []
