"""A folder to prepare, and settings that make it quick."""

import pytest

from npgpt.text.prepare import inputs, report, sources
from parity_tests.text.prepare.prepare_checks import make_mixed


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A folder of everything that goes wrong; and how many documents to drop for each reason."""
    folder = tmp_path_factory.mktemp("mixed")
    make_mixed(folder, 2_000_000)
    return folder


@pytest.fixture
def small_portions(monkeypatch):
    """Small portions, and no pictures, which take long to draw."""
    monkeypatch.setattr(sources, "PIECE", 20_000)
    monkeypatch.setattr(inputs, "STORIES", 8)
    monkeypatch.setattr(report, "_draw", lambda folder, figures: None)
