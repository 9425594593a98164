"""npgpt learn sequences, as a command."""

import json

import pytest

from npgpt.cli.main import main


@pytest.mark.acceptance
@pytest.mark.parametrize("package", ["npgpt", "torchgpt"])
def test_figures_and_picture(package, tmp_path, capsys):
    if package == "torchgpt":
        from torchgpt.cli.main import main as run
    else:
        run = main
    out = tmp_path / "sequences"
    assert run(["learn", "sequences", "--task", "copy", "--length", "4", "--steps", "150",
                "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((out / "sequences.json").read_text()) | {
        "picture": found["picture"]}
    assert (out / "sequences.png").read_bytes()[:4] == b"\x89PNG"
    assert found["exact"] > 0.9
    assert [row["step"] for row in found["curve"]] == [100, 150]


@pytest.mark.acceptance
def test_in_plain_words(tmp_path, capsys):
    assert main(["learn", "sequences", "--no-positions", "--length", "3", "--steps", "2",
                 "--out", str(tmp_path / "sequences")]) == 0
    said = capsys.readouterr()
    assert "was to write backwards sequences of 3 random letters" in said.out
    assert "Who knows only which letters a sequence has" in said.out
    assert said.err.startswith("step 2: ")


@pytest.mark.parametrize(("words", "error"), [
    (["--task", "turn"], "--task is 'turn': give reverse, copy, sort"),
    (["--length", "99"], "--length is 99: give 2 to 26"),
    (["--steps", "0"], "--steps is 0: give 1 to 100000")])
def test_refused(words, error, tmp_path, capsys):
    assert main(["learn", "sequences", *words, "--out", str(tmp_path / "sequences")]) == 2
    assert capsys.readouterr().err.strip() == f"error: {error}"
    assert not (tmp_path / "sequences").exists()
