"""npgpt prepare: its options, what it prints, what it refuses."""

import json
from dataclasses import asdict

import pytest

from npgpt.cli.main import main
from npgpt.text import load_corpus
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.prepared import open_prepared
from npgpt.text.prepare.settings import Limits, Settings


def test_progress_is_told_in_bytes(tmp_path):
    texts = ["ж" * 600_000, *[f"The {word} text is long enough, and the {word} one at that."
                              for word in ("first", "second")]]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    told = []
    prepare(Settings(str(file)), tmp_path / "out", progress=lambda *line: told.append(line))
    assert [done for stage, done, _ in told if stage == "cleaning"][-1] == 1


def test_the_command_prints_counts_and_json(tmp_path, capsys, small_portions):
    out = tmp_path / "out"
    arguments = ["prepare", "stories:40kB", "--out", str(out), "--workers", "1"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "26 documents read, 26 kept" in printed
    assert f"npgpt train --corpus {out}" in printed
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == open_prepared(out).manifest


@pytest.mark.parametrize("name", ["python-docs", "stories", "stories:x", "enwik8", "-out"])
def test_a_directory_called_like_a_corpus_or_an_option_is_told_as_a_path(
    name, tmp_path, capsys, small_portions, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "stories:4kB", f"--out={name}", "--workers", "1"]) == 0
    assert f"npgpt train --corpus ./{name}\n" in capsys.readouterr().out
    assert load_corpus(f"./{name}").documents


def test_every_option_arrives(monkeypatch, tmp_path):
    taken = []

    def stopped(settings, out, workers, tell):
        taken.extend((settings, out, workers))
        raise KeyboardInterrupt

    monkeypatch.setattr("npgpt.cli.prepare.run", stopped)
    limits = Limits(shortest=1, longest=2, symbols=0.1, repetition=0.2, script="han")
    given = Settings(
        "here", "words", "NFKC", limits, near=0.9, mask=False, kinds=("ip", "card"),
        validation=0.3, chunk=5, overlap=2, seed=3, licence="mine", sha256="ab",
        field="words", end_of_text=True)
    line = ["--tokenizer", "words", "--form", "nfkc", "--shortest", "1", "--longest", "2",
            "--symbols", "0.1", "--repetition", "0.2", "--script", "han", "--near", "0.9",
            "--no-mask", "--mask-kinds", "ip,card", "--validation", "0.3", "--chunk", "5",
            "--overlap", "2", "--seed", "3",
            "--licence", "mine", "--sha256", "ab", "--field", "words", "--end-of-text",
            "--workers", "7"]
    assert main(["prepare", "here", "--out", str(tmp_path), *line]) == 130
    assert taken == [given, tmp_path, 7]
    default = asdict(Settings(""))
    assert all(value != default[name] for name, value in asdict(given).items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.txt"], "no corpus and no file"),
        (["stories", "--form", "NFD"], "NFC or NFKC"),
        (["stories", "--near", "0.2"], "from 0.7 to 1"),
        (["stories", "--tokenizer", "bpe:256"], "at least 257"),
        (["stories", "--tokenizer", "nowhere.json"], "nowhere.json"),
        (["stories", "--script", "runes"], "not a script"),
        (["stories", "--validation", "1"], "less than 1"),
        (["stories", "--overlap", "800"], "at most half"),
        (["stories", "--seed", "-1"], "0 or more"),
        (["https://example.org/a.txt"], "needs its checksum"),
        (["stories", "--sha256", "ab"], "no URL"),
        (["stories", "--tokenizer", "bpe:²"], "at least 257"),
        (["stories", "--tokenizer", "bpe:٣٣٣"], "at least 257"),
        (["stories", "--tokenizer", f"bpe:{'9' * 5000}"], "at most 9 digits"),
        (["stories", "--workers", "0"], "0 workers: at least 1"),
        (["stories:1kB", "--shortest", "9000"], "nothing is left of stories:1kB: 1 × too short"),
        (["stories:1kB"], "one document only"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, capsys, arguments, message):
    assert main(["prepare", "--out", str(tmp_path / "out"), "--workers", "1", *arguments]) == 2
    errors = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0]
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_the_help_fits_a_screen(capsys):
    assert main(["prepare", "--help"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) <= 40 and max(map(len, printed)) <= 80
    assert any("npgpt prepare notes/" in line for line in printed)
