"""npgpt plot, and the names that pictures show."""

import json
import os
import shutil
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

from npgpt.cli.main import main as npgpt_main
from npgpt.runs.curves import draw_duet, draw_run, smooth
from npgpt.runs.log import read_log
from parity_tests.runs.harm import edit
from parity_tests.runs.run_checks import log_of, refused


def log(path, name, losses):
    path.mkdir()
    lines = [{"step": step, name: loss, "validation_loss": loss + 1}
             for step, loss in enumerate(losses, 1)]
    (path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_plot_compares_runs(run, tmp_path):
    one = log(tmp_path / "one", "train_loss", [3.0, 2.0, 2.5])
    two = log(tmp_path / "two", "numpy_loss", [3.0, 1.0])
    picture = tmp_path / "both.png"
    found = json.loads(run(npgpt_main, "plot", one, two, "--out", picture, "--json")[1])
    assert found["runs"] == [
        {"run": str(one), "step": 3, "train_loss": 2.5, "validation_loss": 3.5,
         "lowest_validation_loss": 3.0},
        {"run": str(two), "step": 2, "train_loss": 1.0, "validation_loss": 2.0,
         "lowest_validation_loss": 2.0}]
    assert picture.read_bytes().startswith(b"\x89PNG")
    (tmp_path / "new").mkdir()
    status, _, err = run(npgpt_main, "plot", one, tmp_path / "new")
    assert status == 2
    assert "new is no run" in err


@pytest.mark.parametrize("count", [1, 99, 100, 250])
def test_a_smoothed_curve_is_the_mean_of_its_surroundings(count):
    reach = count // 100
    values = np.random.default_rng(0).random(count).tolist()
    assert smooth(values, reach) == pytest.approx([
        np.mean([values[j] for j in range(count) if abs(i - j) <= reach]) for i in range(count)])


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.skipif(os.name != "posix", reason="has names of any bytes")
def test_names_that_are_no_utf_8(tmp_path, npgpt, trained):
    odd = tmp_path / os.fsdecode(b"o\xff")
    shutil.copytree(trained, odd)
    edit("run.json", data={"name": os.fsdecode(b"caf\xe9.txt")})(odd)
    draw_run(odd)
    assert npgpt("plot", odd, "--out", tmp_path / "a.png")[0] == 0
    assert (odd / "loss.png").exists() and (tmp_path / "a.png").exists()


@pytest.mark.usefixtures("no_pictures")
def test_a_run_json_with_other_words_is_drawn_without_them(tmp_path, npgpt, trained):
    shutil.copytree(trained, tmp_path / "run")
    edit("run.json", data=[], settings={"clip": "x"})(tmp_path / "run")
    draw_run(tmp_path / "run")
    assert (tmp_path / "run" / "loss.png").exists()


def in_legend(figure):
    return [text.get_text().strip() for text in figure.axes[0].get_legend().get_texts()]


@pytest.mark.usefixtures("no_pictures")
def test_names_that_a_plot_would_read_as_formulas(tmp_path, npgpt, trained, monkeypatch):
    drawn, save = [], Figure.savefig

    def keep(figure, *args, **kwargs):
        drawn.append(figure)
        save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", keep)
    odd = [tmp_path / name for name in ("_a", "x$_{$y")]
    for path in odd:
        shutil.copytree(trained, path)
        draw_run(path)
        assert drawn[-1].axes[0].get_title(loc="left").startswith(path.name)
    assert npgpt("plot", *odd, "--out", tmp_path / "two.png")[0] == 0
    assert in_legend(drawn[-1]) == [path.name for path in odd]
    (tmp_path / "other").mkdir()
    namesake = shutil.copytree(trained, tmp_path / "other" / "_a")
    assert npgpt("plot", *odd, namesake, "--out", tmp_path / "two.png")[0] == 0
    assert in_legend(drawn[-1]) == [str(odd[0]), odd[1].name, str(namesake)]
    monkeypatch.setattr("npgpt.runs.inspection.printable", lambda checkpoint, id: "$x_{$")
    assert npgpt("inspect", trained, "--text", "a", "--picture", tmp_path / "three.png")[0] == 0


@pytest.mark.usefixtures("no_pictures")
def test_a_log_with_foreign_lines(tmp_path, npgpt, trained):
    shutil.copytree(trained, tmp_path / "run")
    log = tmp_path / "run" / "log.jsonl"
    whole = log.read_text()
    log.write_bytes(whole.encode() + b'3\n[]\n{"train_loss": 1}\n{"step": "x"}\n'
                    b'{"step": true}\n\xff\n{"step": 1, "train_loss": [1]}\n'
                    b'{"step": 2, "validation_loss": {"x": 1}}\n' + b"[" * 100_000 + b'\n{"st')
    status, out, err = npgpt("plot", tmp_path / "run", "--out", tmp_path / "a.png", "--json")
    assert status == 0 and json.loads(out)["runs"][0]["step"] == 2, err
    assert npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 3)[0] == 0
    assert log.read_text().startswith(whole)
    assert len(log_of(tmp_path / "run")) == 5
    (tmp_path / "run" / "run.json").write_text("[" * 100_000)
    refused(npgpt("train", "--out", tmp_path / "run", "--resume"), "run.json is not JSON")


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved."""
    figures, save = [], Figure.savefig

    def saved(figure, *args, **kwargs):
        figures.append(figure)
        save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", saved)
    return figures


def lines_of(axis, marker):
    return [line for line in axis.get_lines() if line.get_marker() == marker]


@pytest.mark.parametrize("differences", [[1e-7, 0.0, 2e-7, 0.0, 0.0], [3e-8, 1e-7], [0.0, 0.0]])
def test_what_is_exactly_zero_is_marked_as_that(tmp_path, drawn, differences):
    lines = [{"step": i + 1, "numpy_loss": 3.0, "torch_loss": 3.0, "difference": difference}
             for i, difference in enumerate(differences)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw_duet(tmp_path, 5e-3)
    bottom = drawn[-1].axes[1]
    (curve,) = lines_of(bottom, ".")
    assert [float(y) for y in curve.get_ydata() if y == y] == [d for d in differences if d]
    marks = lines_of(bottom, "|")
    zeros = [i + 1 for i, difference in enumerate(differences) if difference == 0]
    assert [list(mark.get_xdata()) for mark in marks] == ([zeros] if zeros else [])
    notes = [text.get_text() for text in bottom.texts]
    assert (f"exactly 0: {len(zeros)} steps" in notes) == bool(zeros)
    assert not zeros or max(marks[0].get_ydata()) < min(filter(None, differences), default=1)


def test_runs_of_any_length_are_smoothed_alike(run, tmp_path, drawn):
    rng = np.random.default_rng(0)
    for lengths, steps in (((600, 90), 13), ((300, 250), 7), ((700, 9), 0), ((40, 50), 0)):
        paths = [log(tmp_path / f"{length}", "train_loss", (3 + rng.random(length)).tolist())
                 for length in lengths]
        assert run(npgpt_main, "plot", *paths, "--out", tmp_path / "a.png")[0] == 0
        (axis,) = drawn[-1].axes
        thick = [line for line in axis.get_lines() if line.get_linewidth() == 1.5]
        assert len(thick) == (2 if steps else 0)
        title = axis.get_title(loc="left")
        assert (f"their mean over {steps} steps (thick)" in title) == bool(steps)
        for path, line in zip(paths, thick):
            values = [entry["train_loss"] for entry in read_log(path)]
            middle = len(values) // 2
            around = values[middle - steps // 2:middle + steps // 2 + 1]
            assert line.get_ydata()[middle] == pytest.approx(np.mean(around))


@pytest.mark.parametrize(("length", "label"), [
    (50, "training batch"), (300, "training batch, mean over 7 steps")])
def test_a_curve_is_called_smoothed_only_where_it_is(tmp_path, drawn, length, label):
    draw_run(log(tmp_path / "run", "train_loss", [3.0, 2.0] * (length // 2)))
    assert in_legend(drawn[-1])[0] == label


def test_a_run_of_any_script_is_drawn_without_a_warning(run, tmp_path):
    names = ["日本語", "עברית", "🜲🜳"]
    paths = [log(tmp_path / name, "train_loss", [3.0, 2.0]) for name in names]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        status, _, err = run(npgpt_main, "plot", *paths, "--out", tmp_path / "a.png")
        for path in paths:
            draw_run(path)
    assert (status, err, warned) == (0, "", [])
    assert all((path / "loss.png").read_bytes().startswith(b"\x89PNG") for path in paths)


def test_a_gradient_of_nothing_but_zeros_is_drawn_without_a_warning(tmp_path):
    """As in GRPO's first steps, when all answers are wrong."""
    lines = [{"step": n, "train_loss": 0.0, "learning_rate": 1e-3, "grad_norm": 0.0}
             for n in (1, 2)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_run(tmp_path)
    assert (tmp_path / "loss.png").exists()


def test_plot_prints_a_table(run, tmp_path):
    one = log(tmp_path / "one", "train_loss", [3.0, 2.0, 2.5])
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "log.jsonl").write_text('{"step": 0, "validation_loss": 4.5}\n')
    status, out, _ = run(npgpt_main, "plot", one, tmp_path / "two", "--out", tmp_path / "a.png")
    rows = [line.split() for line in out.splitlines() if str(tmp_path) in line]
    assert status == 0 and rows == [
        [str(one), "3", "2.5000", "3.5000", "3.0000"],
        [str(tmp_path / "two"), "0", "4.5000", "4.5000"],
        ["picture:", str(tmp_path / "a.png")]]
