import pytest

from parity_tests.runs.run_checks import write_corpus


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
