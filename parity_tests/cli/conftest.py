import pytest

from parity_tests.runs.conftest import corpus, no_pictures, npgpt, torchgpt, trained

__all__ = ["corpus", "no_pictures", "npgpt", "torchgpt", "trained"]


@pytest.fixture
def run(capsys):
    """Run one of the two commands in this process -> status, stdout, stderr."""

    def run(main, *words):
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return run
