"""What prepare holds out: other text than it trains on, about as much as was asked for."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.errors import InputError
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.settings import Limits, Settings
from npgpt.text.prepare.verdicts import held_out

WORDS = "cold lamp turns slowly above seven grey stones while rain falls on the empty quay"


def paragraphs(count, seed, length=60):
    draw = random.Random(seed)
    return [f"{' '.join(draw.choices(WORDS.split(), k=length))} {i}." for i in range(count)]


@pytest.mark.parametrize("count", [25, 70, 150, 400, 2500])
@pytest.mark.parametrize("asked", [0.1, 0.25])
def test_about_as_much_is_held_out_as_was_asked_for(tmp_path, small_portions, count, asked):
    file = tmp_path / "file.txt"
    file.write_text("\n\n".join(paragraphs(count, seed=count)))
    manifest = prepare(Settings(str(file), near=0, validation=asked), tmp_path / "out")
    sizes = [manifest[side]["characters"] for side in ("train", "validation")]
    assert 0.7 * asked <= sizes[1] / sum(sizes) <= 1.25 * asked


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 500), st.booleans()), min_size=2,
                max_size=60), st.floats(1e-6, 0.999))
def test_never_all_and_never_none(documents, ratio):
    """Keys, sizes, and which documents are no duplicates."""
    keys, sizes, unique = (np.array(column) for column in zip(*documents))
    keys = keys.astype(np.uint64) << np.uint64(58)
    if len(np.unique(keys[unique])) < 2:
        return
    held = held_out(keys, unique, sizes, ratio)[unique]
    assert held.any() and not held.all()
    assert not set(keys[unique][held]) & set(keys[unique][~held])


def test_many_documents_stay_where_they_are_when_others_come(tmp_path, small_portions):
    texts = [json.dumps({"text": text}) + "\n" for text in paragraphs(1500, seed=4)]
    for name, count in (("few", 1000), ("many", 1500)):
        (tmp_path / f"{name}.jsonl").write_text("".join(texts[:count]))
        prepare(Settings(str(tmp_path / f"{name}.jsonl"), near=0), tmp_path / name)
    held = [
        {json.loads(line)["text"] for line in (tmp_path / name / "validation.jsonl").open()}
        for name in ("few", "many")]
    assert len(held[0]) > 50 and held[0] < held[1]


def test_copies_of_a_paragraph_of_one_file_are_on_one_side(tmp_path):
    """Twenty paragraphs, drawn again and again, in a file that is cut into documents."""
    kinds = paragraphs(20, seed=8)
    file = tmp_path / "file.txt"
    file.write_text("\n\n".join(random.Random(2).choices(kinds, k=400)))
    manifest = prepare(Settings(str(file)), tmp_path / "out")
    train, validation = (
        {part for line in (tmp_path / "out" / f"{side}.jsonl").open()
         for part in json.loads(line)["text"].split("\n\n")}
        for side in ("train", "validation"))
    assert train | validation == set(kinds) and not train & validation
    assert len(validation) == 2
    assert manifest["documents"]["dropped"] == {"exact duplicate": 380}


def test_where_one_document_is_left_it_is_said_what_became_of_the_others(tmp_path, small_portions):
    text = paragraphs(1, seed=1)[0]
    for i in range(7):
        (tmp_path / f"{i}.txt").write_text(text)
    (tmp_path / "x.txt").write_text(text.replace("lamp", "light", 1))
    (tmp_path / "y.txt").write_text("short")
    settings = Settings(str(tmp_path))
    with pytest.raises(InputError) as caught:
        prepare(settings, tmp_path.parent / "out")
    said = str(caught.value)
    assert "gives one document only" in said and "9 were read" in said
    assert "1 × too short (y.txt)" in said and "1 × near duplicate (x.txt)" in said
    assert "6 × exact duplicate (1.txt, 2.txt, 3.txt …)" in said
    limits = Limits(shortest=5)
    assert prepare(Settings(str(tmp_path), near=0, limits=limits), tmp_path.parent / "more")
