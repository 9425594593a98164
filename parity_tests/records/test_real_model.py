"""The pages about SmolLM2: what they quote stands in the source, what they say in the records,
and a new run gives the records again."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from npgpt.errors import InputError

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "docs" / "records"
sys.path += [str(ROOT / "docs" / "_ext"), str(ROOT / "docs" / "pictures")]


def record(name):
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))


def exhibits():
    return {each["name"]: each for each in record("museum")["exhibits"]}


def test_every_exhibit_s_right_line_stands_in_its_file_and_the_page_has_them_all():
    page = (ROOT / "docs" / "museum.md").read_text(encoding="utf-8")
    order = [page.index(f":::{{exhibit}} {name}\n") for name in exhibits()]
    assert page.count(":::{exhibit}") == len(order) >= 19
    assert order.index(max(order)) == len(order) - 1    # what is no mistake stands last
    for each in exhibits().values():
        source = (ROOT / each["file"]).read_text(encoding="utf-8")
        assert source.count(each["right"]) == 1, each["name"]


def test_what_the_page_says_of_the_groups():
    """Loud ones are loud, invisible ones invisible in the loss, and all lie beyond rounding."""
    found, right = exhibits(), record("museum")["losses"]
    rounding = record("museum")["rounding"]
    for name in ("no last norm", "gate and up", "1 + weight", "tiled heads"):
        assert min(found[name]["losses"]) > np.log(49152)
    for name in ("eps 1e-6", "eps outside", "float16 angles"):
        assert max(abs(a - b) for a, b in zip(found[name]["losses"], right)) < 1e-3
    for name, each in found.items():
        harmless = name == "all one later"
        assert (each["logits"] < 3 * rounding) == harmless, name
        assert bool(each["checks"]) != harmless, name
        assert (each["step"] is None) == (harmless or name == "rows not reordered"), name
    leak = [a - b for a, b in zip(found["one token leaks"]["losses"], right)]
    assert min(leak) < -1 and max(leak) > 0
    late = [a - b for a, b in zip(found["cache one late"]["losses"], right)]
    assert min(late) < 0 < max(late)


@pytest.mark.parametrize("name", [
    "museum", "real_model", "real_embeddings", "before_after", "when_not_to_finetune"])
def test_the_pictures_are_drawn(name):
    """Of the record, for a page and for a phone, within their frames."""
    if name == "museum":    # it reads its record as the page does
        pytest.importorskip("docutils", reason="pip install -e '.[docs]'")
    module = load(name)
    drawn = [value for key, value in vars(module).items() if callable(value)
             and getattr(value, "__code__", None) and value.__code__.co_varnames[:1] == ("width",)
             and value.__code__.co_argcount == 1 and value.__module__ == module.__name__]
    assert len(drawn) >= 3
    for width in (640, 360):
        for picture in drawn:
            text = picture(width).html("both", "x")
            assert "nan" not in text and text.count("<text") > 5
    (names,) = module.worked().values()
    assert names["names"]["commit"]


def load(name):
    import importlib.util

    path = ROOT / "docs" / "pictures" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"picture_of_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made():
    """-> function: a module of docs/records; where there is no model, this says so."""
    from npgpt.runs.fetch import fetch

    try:
        fetch("smollm2", print)
    except InputError as error:
        pytest.skip(f"SmolLM2 is not here and cannot be fetched: {error}")
    sys.path.insert(0, str(RECORDS))
    yield importlib.import_module
    sys.path.remove(str(RECORDS))


@pytest.mark.acceptance
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_museum_again(made):
    """Every loss within 1e-3 of its record, or a thousandth of it; two exhibits' checks."""
    make = made("make_museum")
    found = record("museum")
    for text, loss in zip(found["texts"], found["losses"]):
        assert make.loss_of(make.logits_of(text), text) == pytest.approx(loss, abs=1e-3)
    assert found["texts"] == make.TEXTS and list(exhibits()) == list(make.MISTAKES)
    for name, each in exhibits().items():
        assert (each["right"], each["wrong"]) == make.MISTAKES[name][1:]
        if each["file"] == f"{make.GGUF}.py":
            logits = make.logits_of(make.TEXTS[0], name)
        else:
            with make.planting().planted(make.mutant(name)):
                logits = make.logits_of(make.TEXTS[0], name)
        assert make.loss_of(logits, make.TEXTS[0]) == pytest.approx(
            each["losses"][0], rel=1e-3, abs=1e-3), name
    for name in ("tiled heads", "one token leaks"):
        assert make.checks_that_see(make.mutant(name)) == (
            exhibits()[name]["checks"], exhibits()[name]["step"])


@pytest.mark.acceptance
def test_the_real_model_again(made):
    """Sizes, lens, heads, probabilities; greedy answers up to a step that rounding may turn."""
    make = made("make_real_model")
    found = record("real_model")
    assert json.loads(json.dumps(make.sizes())) == found["sizes"]
    for each in found["lens"]:
        again = make.way(each["prompt"])
        assert again["answer"] == each["answer"]
        for a, b in zip(again["layers"], each["layers"]):
            assert a["right"] == pytest.approx(b["right"], abs=1e-3)
            assert a["stream"] == pytest.approx(b["stream"], rel=1e-3)
            assert a["best"][0][1] == pytest.approx(b["best"][0][1], abs=1e-3)
    for name, scores in make.head_scores().items():
        np.testing.assert_allclose(scores, found["heads"][name], atol=2e-3)
    for each in found["next"]:
        again = dict(map(tuple, make.likeliest(make.logits_of(each["prompt"])[-1], 20)))
        for word, prob in each["best"]:
            assert again[word] == pytest.approx(prob, abs=1e-3)
    for each in found["capitals"]:
        again = make.capital(each["country"], each["right"])
        assert again["probability"] == pytest.approx(each["probability"], abs=1e-3)
    for each in found["answers"]:
        if each["kind"] in ("fact", "news", "three times"):
            again = make.answer(each["question"], 12, each["temperature"], each["seed"])
            assert each["answer"].startswith(again[:24]), each["question"]
    assert make.sums(1)["right"] == pytest.approx(found["sums"][0]["right"], abs=1)


@pytest.mark.acceptance
def test_the_real_embeddings_again(made):
    make = made("make_real_embeddings")
    found, rows = record("real_embeddings"), make.table()
    for each in found["neighbours"]:
        id = make.row_of(each["word"])
        again = make.nearest(rows, rows[id], 8, [id])
        assert [word for word, _ in again] == [word for word, _ in each["nearest"]]
    lines = [line for lines in make.ANALOGIES.values() for line in lines]
    for each, line in zip(found["analogies"], lines):
        assert make.analogy(rows, line) == {k: v for k, v in each.items() if k != "kind"}
    assert [make.odd_one(rows, line) for line in make.ODD] == found["odd"]
    for name, groups in (("projection", make.GROUPS), ("pairs", make.PAIRS)):
        again = make.projection(rows, groups)
        np.testing.assert_allclose(again["variance"], found[name]["variance"], atol=1e-3)
    for each in found["contextual"]:
        again = make.senses(each["word"], make.SENSES[each["word"]])
        assert again["layer"] == each["layer"]
        np.testing.assert_allclose(again["cosines"], each["cosines"], atol=5e-3)
