import pytest

from npgpt.runs import train as loop
from parity_tests.runs.run_checks import flags, write_corpus


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus.txt")


@pytest.fixture
def no_pictures(monkeypatch):
    """Drawing takes longer than these runs."""
    for module in ("train", "run"):
        monkeypatch.setattr(f"npgpt.runs.{module}.draw_run", lambda path: None)


@pytest.fixture
def npgpt(capsys):
    """Run the command in this process -> status, stdout, stderr."""
    from npgpt.cli.main import main

    def run(*argv):
        status = main([str(word) for word in argv])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def torchgpt(capsys):
    from torchgpt.cli.main import main

    def run(*argv):
        status = main([str(word) for word in argv])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from npgpt.cli.main import main

    path = tmp_path_factory.mktemp("trained")
    corpus = write_corpus(path / "corpus.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_run", lambda path: None)
        assert main(["train", *flags(corpus=corpus, steps=2), "--out", str(path / "run")]) == 0
    return path / "run"
