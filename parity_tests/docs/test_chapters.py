"""Every chapter has every part of a chapter, in order, and says nothing twice."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_ext"))
CHAPTERS = sorted((DOCS / "chapters").glob("*.md"))
NAMES = [path.stem for path in CHAPTERS]
PARTS = ["The problem", "The idea", "One example", "What people get wrong", "Exercises", "Review"]
SHORTEST = 40
LATER = ("kv_cache",)  # called by attention's blocks, explained where text is generated


@pytest.fixture(params=NAMES)
def text(request):
    return (DOCS / "chapters" / f"{request.param}.md").read_text(encoding="utf-8")


def sections(text):
    """{heading: text} of a page, in order."""
    pieces = re.split(r"^## +(.*)$", re.sub(r"^---\n.*?\n---\n", "", text, flags=re.S), flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2]))


def prose(text):
    """A section's sentences: no code, formulas, options, or arrays of an example."""
    text = re.sub(r"^(```|:::+)\{(run|listing|speed|play)\}.*?^\1 *$", " ", text,
                  flags=re.M | re.S)
    text = re.sub(r"(```\{twin\}[^\n]*\n)(.*?)^---$", r"\1", text, flags=re.M | re.S)
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.S)
    text = re.sub(r"^(= |# |:(source|alt|class):|:\w+:(?! )|```|:::+|~~~).*$", " ", text,
                  flags=re.M)
    return re.sub(r"[«»`*$|]", " ", text)


def words_in(text):
    return re.findall(r"[A-Za-z][A-Za-z’'-]+", prose(text))


def twins(text):
    """(name, options, content) of each twin."""
    for match in re.finditer(r"^```\{twin\} (\S+)\n(.*?)^```$", text, re.M | re.S):
        options = re.findall(r"^:([\w-]+):", match[2], re.M)
        yield match[1], options, match[2]


def test_the_parts_stand_in_order(text):
    found = list(sections(text))
    at = [next((i for i, heading in enumerate(found) if heading.startswith(part)), None)
          for part in PARTS]
    missing = [part for part, i in zip(PARTS, at) if i is None]
    assert not missing, f"no section {missing}"
    assert at == sorted(at), found


def test_no_part_is_thin(text):
    for heading, body in sections(text).items():
        if any(heading.startswith(part) for part in PARTS):
            count = len(words_in(body))
            assert count >= SHORTEST, f"{heading}: {count} words"


def test_no_sentence_stands_twice(text):
    seen = {}
    for heading, body in sections(text).items():
        for sentence in re.split(r"(?<=[.!?:])\s+|\n\n+", prose(body)):
            words = tuple(word.lower() for word in re.findall(r"[A-Za-z’'-]+", sentence))
            if len(words) >= 8:
                assert words not in seen, f"{heading} repeats {seen[words]}: {sentence.strip()}"
                seen[words] = heading


def test_the_head_names_what_others_call_it(text):
    head = re.search(r"^```\{chapter\}[^\n]*\n(.*?)^```$", text, re.M | re.S)[1]
    assert re.search(r"^:before:", head, re.M), "the head does not say what comes before"
    assert len([line for line in head.split("\n") if "|" in line]) >= 2, "fewer than two names"
    assert re.search(r"^from: .*\]\(https://", head, re.M), "no paper or source is linked"


def test_every_step_has_its_reason(text):
    found = list(twins(text))
    forward = {name for name, options, _ in found if "backward" not in options}
    for name, options, content in found:
        reasons = content if "backward" in options else content.partition("\n---\n")[2]
        steps = re.findall(r"^\((\d[\d, ]*)\) *(.*)$", reasons, re.M)
        if re.search(r"^ *# \(\d", source_of(name), re.M):
            assert steps, f"twin {name}, {' '.join(options) or 'forward'}: no reasons"
        for number, title in steps:
            assert 1 <= len(title.split()) <= 16, f"{name} ({number}): a title, not {title!r}"
            assert "$" not in title, f"{name} ({number}): the title is a formula"
        assert "backward" not in options or name in forward


def source_of(name):
    """The text of the NumPy function that a twin shows."""
    import inspect

    from cut import find

    return inspect.getsource(inspect.unwrap(find("npgpt", name)))


def test_mistakes_are_real_and_told(text):
    body = next(body for heading, body in sections(text).items()
                if heading.startswith("What people get wrong"))
    found = re.findall(r"^:::\{mistake\} (.*?)\n(.*?)^:::$", body, re.M | re.S)
    assert len(found) >= 2, "fewer than two mistakes"
    for title, content in found:
        source = re.search(r"^:source: (.*)$", content, re.M)
        assert source, title
        assert "http" in source[1] or re.search(r"\b(19|20)\d\d\b", source[1]), source[1]
    assert "```{mutants}" not in text


def test_questions(text):
    assert text.count(":::{exercise}") >= 3, "fewer than three exercises"
    assert text.count(":::{review}") >= 2, "fewer than two review questions"


def test_a_chapter_names_the_layers_that_its_code_calls():
    """What a component imports of other chapters stands in its :before:."""
    from chapters import heads

    for page, before in heads().items():
        for room in ("layers", "blocks"):
            path = ROOT / "npgpt" / room / f"{page}.py"
            if not path.exists():
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("npgpt"):
                    used = {alias.name.removesuffix("_backward") for alias in node.names}
                    used |= {(node.module or "").rpartition(".")[2]}
                    lost = (used & set(NAMES)) - set(before) - {page, *LATER}
                    assert not lost, f"{page}.md does not name {lost} before it"


def test_what_comes_before_is_read_earlier():
    """The order of reading: what a chapter builds on comes earlier."""
    from chapters import heads, road

    order = [page.removeprefix("chapters/") for pages in road().values() for page in pages
             if page.startswith("chapters/")]
    for page, before in heads().items():
        for other in before:
            assert order.index(other) < order.index(page), f"{page} is read before {other}"


def test_every_chapter_has_its_place_on_the_road():
    from chapters import road

    pages = [page for pages in road().values() for page in pages]
    assert sorted(page for page in pages if page.startswith("chapters/")) == [
        f"chapters/{name}" for name in NAMES]
    assert len(pages) == len(set(pages))


def test_each_stretch_has_a_landing_page():
    from chapters import road

    for caption, pages in road().items():
        if not caption[0].isdigit():
            continue
        assert pages[0].startswith("road/"), caption
        body = (DOCS / f"{pages[0]}.md").read_text(encoding="utf-8")
        assert f"```{{road}} {caption}\n" in body
        assert body.count(":::{review}") >= 3
        assert len(words_in(sections(body)["What it teaches"])) >= 60
        assert "npgpt " in sections(body)["Commands"]


def test_commands_on_landing_pages_are_commands():
    import click
    from typer.main import get_command

    from npgpt.cli.main import app

    whole = get_command(app)
    for path in sorted((DOCS / "road").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for line in re.findall(r"^npgpt (.*)$", text, re.M):
            command, context, words = whole, click.Context(whole), line.split()
            while hasattr(command, "commands") and words:
                command = command.get_command(context, words.pop(0))
                assert command, line
            known = {option for parameter in command.params for option in parameter.opts
                     + parameter.secondary_opts}
            for word in words:
                assert not word.startswith("--") or word in known, f"{path.name}: {line}"
