"""The built book: every page in a browser, every link, every copied pane.

By default one chapter is built and looked at; the whole book is looked at with
`--profile acceptance`, after `npgpt book --no-open`.
"""

import builtins
import dis
import inspect
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(Path(__file__).parent))

ABROAD = ("https://docs.pytorch.org/", "https://colab.research.google.com/",
          "https://github.com/", "https://arxiv.org/", "https://doi.org/", "https://jmlr.org/",
          "https://www.jmlr.org/", "https://www.lesswrong.com/posts/",
          "https://aclanthology.org/", "https://guidance.readthedocs.io/",
          "https://paulgraham.com/", "https://www.math.uni-bielefeld.de/documenta/",
          "https://huggingface.co/", "https://papers.nips.cc/",
          "https://pixel-druid.com/articles/", "https://gist.github.com/karpathy/")

def sphinx(source, site, *more):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", str(DOCS),
               "-b", "html", "-d", str(site.parent / "doctrees"), *more, str(source), str(site)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """A site of two chapters; the pages that they lead to are there, but empty."""
    folder = tmp_path_factory.mktemp("book")
    source = folder / "source"
    (source / "chapters").mkdir(parents=True)
    for name in ("dropout", "layer_norm"):
        shutil.copy(DOCS / "chapters" / f"{name}.md", source / "chapters")
    (source / "index.md").write_text(
        "# A book\n\n## Road\n\n```{toctree}\nchapters/dropout\nchapters/layer_norm\n```\n")
    for path in DOCS.rglob("*.md"):
        other = source / path.relative_to(DOCS)
        if not other.exists() and "_build" not in path.parts:
            other.parent.mkdir(exist_ok=True)
            other.write_text("---\norphan: true\n---\n\n# A page\n")
    done = sphinx(source, folder / "html", "-D", "suppress_warnings=myst.xref_missing")
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def book():
    """The whole book, built where `npgpt book` builds it, by one worker at a time."""
    from filelock import FileLock

    from npgpt.cli.book import build

    (DOCS / "_build").mkdir(exist_ok=True)
    with FileLock(DOCS / "_build" / "lock"):
        return build().parent


@pytest.fixture(scope="module")
def chromium():
    import browsing

    play, found = browsing.browser()
    yield found
    found.close()
    play.stop()


class Links(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.answers = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        if "id" in held:
            assert held["id"] not in self.anchors, f"two elements have the id {held['id']}"
            self.anchors.add(held["id"])
        for key in ("href", "src"):
            if held.get(key):
                self.links.append(held[key])


def dead_links(site, anchors_of=lambda path: True):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    dead, abroad = [], []
    for path, page in pages.items():
        for link in page.links:
            if link.startswith(("http:", "https:")):
                abroad.append(link)
                continue
            if link.startswith(("data:", "mailto:")):
                continue
            place, _, anchor = link.partition("#")
            target = (path.parent / unquote(place.partition("?")[0])).resolve() if place else path
            known = target in pages and anchors_of(target)
            anchors = pages[target].anchors if known else {unquote(anchor)}
            if not target.exists() or (anchor and unquote(anchor) not in anchors):
                dead.append(f"{path.relative_to(site)}: {link}")
    return dead, abroad


@pytest.mark.acceptance
def test_no_dead_link_in_a_chapter(chapter):
    dead, _ = dead_links(chapter, lambda path: path.stem in ("dropout", "layer_norm"))
    assert not dead


@pytest.mark.acceptance
def test_a_chapter_in_the_browser(chapter, chromium):
    import browsing

    axe, path = browsing.axe_script(), chapter / "chapters" / "layer_norm.html"
    faults = browsing.look(chromium, path, axe)
    faults += browsing.look_at_hover(chromium, path)
    assert not faults, "\n".join(faults)


def run_copied(path, texts):
    """Each copied pane compiles and runs, each cell too."""
    count = 0
    for kind, text in texts:
        space = {}
        exec(compile(text, f"{path.stem}, copied {kind}", "exec"), space)
        for function in filter(inspect.isfunction, list(space.values())):
            if function.__globals__ is not space:  # imported, not copied
                continue
            wanted = {i.argval for i in dis.get_instructions(function) if i.opname == "LOAD_GLOBAL"}
            lost = wanted - set(space) - set(dir(builtins))
            assert not lost, f"{path.stem}: {function.__name__}, copied, lacks {lost}"
        count += kind != "run"
    return count


def test_copied_code_runs(chapter, chromium, capsys):
    import browsing

    path = chapter / "chapters" / "layer_norm.html"
    assert run_copied(path, browsing.copied(chromium, path)) == 4


def search(chromium, site, words):
    page = chromium.new_page()
    page.goto((site / "search.html").as_uri() + f"?q={words}")
    page.wait_for_selector("#search-results li a")
    page.wait_for_timeout(300)
    first = page.eval_on_selector("#search-results li a", "a => a.getAttribute('href')")
    page.close()
    return first


def test_search_finds_the_chapter_first(chapter, chromium):
    assert search(chromium, chapter, "layer_norm").startswith("chapters/layer_norm.html")


def test_a_page_that_lies_stops_the_build(tmp_path):
    source = tmp_path / "source"
    (source / "chapters").mkdir(parents=True)
    text = (DOCS / "chapters" / "layer_norm.md").read_text(encoding="utf-8")
    old = "s                 | inv_std  | (..., 1)"
    assert old in text
    (source / "index.md").write_text("# A book\n\n```{toctree}\nchapters/layer_norm\n```\n")
    lying = source / "chapters" / "layer_norm.md"
    lying.write_text(text.replace(old, old.replace("1)", "C)")))
    done = sphinx(source, tmp_path / "html", "-D", "suppress_warnings=myst.xref_missing")
    assert done.returncode != 0
    line = text[: text.index(old)].count("\n") + 1
    assert f"layer_norm.md:{line}: the table says inv_std is (..., C); it is" in done.stderr


# ---- the whole book ------------------------------------------------------


@pytest.mark.acceptance
def test_no_dead_link(book):
    dead, abroad = dead_links(book)
    assert not dead, "\n".join(dead)
    assert {link for link in abroad if not link.startswith(ABROAD)} == set()


PAGES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for folder in (
    ".", "chapters", "road") for path in (DOCS / folder).glob("*.md"))


@pytest.mark.acceptance
@pytest.mark.parametrize("name", [*PAGES, "search", "source/npgpt/layers/layer_norm"])
def test_every_page_in_the_browser(book, chromium, name):
    import browsing

    faults = browsing.look(chromium, book / f"{name}.html", browsing.axe_script())
    assert not faults, "\n".join(faults)


@pytest.mark.acceptance
def test_no_listing_is_too_wide(book, chromium):
    """The pages of the source files are all drawn by one loop: the largest are looked at."""
    import browsing

    faults = []
    listings = sorted((book / "source").rglob("*.html"), key=lambda path: path.stat().st_size)
    for path in listings[-12:]:
        faults += browsing.look(chromium, path, views=[(390, "light")])
    assert not faults, "\n".join(faults)


@pytest.mark.acceptance
@pytest.mark.parametrize("name", [page for page in PAGES if page.startswith("chapters/")])
def test_every_chapter_lights_up_and_copies(book, chromium, capsys, name):
    import browsing

    path = book / f"{name}.html"
    faults = browsing.look_at_hover(chromium, path)
    run_copied(path, browsing.copied(chromium, path))
    assert not faults, "\n".join(faults)


@pytest.mark.acceptance
def test_search_finds_every_chapter_first(book, chromium):
    for path in sorted((book / "chapters").glob("*.html")):
        text = (DOCS / "chapters" / f"{path.stem}.md").read_text(encoding="utf-8")
        words = path.stem if f"{{twin}} {path.stem}" in text else path.stem.replace("_", "+")
        assert search(chromium, book, words).startswith(f"chapters/{path.name}"), words
