"""With --end-of-text a special token ends each document; without it text is text."""

import json

import numpy as np
import pytest

from npgpt.errors import InputError
from npgpt.runs.data import encode_source, open_source
from npgpt.runs.settings import complete
from npgpt.text import BytePairTokenizer, WordTokenizer, load_corpus
from npgpt.text.prepare import documents, sources
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.prepared import open_prepared
from npgpt.text.prepare.settings import Settings

END = "<|endoftext|>"


def tale(i):
    crow = f"a crow with {i * 37 % 101} feathers sat on wall {i}"
    return f"Tale {i}: {crow}.\n\nIt flew {i % 13} miles."


@pytest.fixture
def tales(tmp_path):
    (tmp_path / "tales.txt").write_text("".join(f"{tale(i)}\n{END}\n" for i in range(300)))
    return tmp_path / "tales.txt"


def data_of(corpus, **given):
    settings = complete({"corpus": str(corpus), "context_length": 8, **given})
    source, tokenizer = open_source(settings)
    return encode_source(source, tokenizer, settings)


@pytest.mark.parametrize("tokenizer", ["characters", "words", "bpe:300"])
def test_separators_of_a_file_become_the_token(tales, tokenizer):
    data = data_of(tales, tokenizer=tokenizer, end_of_text=True)
    names = data.tokenizer.special_ids
    end = names.get(END, names.get("<eos>"))
    ids = np.concatenate([data.train, data.validation])
    assert np.count_nonzero(ids == end) == tales.read_text().count(END) == 300
    assert data.train[-1] == data.validation[-1] == end
    documents = load_corpus(tales, end_of_text=True).validation
    assert data.validation.tolist() == [
        id for document in documents for id in [*data.tokenizer.encode(document), end]]
    assert set(documents) < {tale(i) for i in range(300)}
    assert data.validation_bytes == sum(len(document.encode()) for document in documents)


def test_without_the_option_text_is_text(tales):
    data = data_of(tales, tokenizer="bpe:300")
    assert not np.count_nonzero(data.train == data.tokenizer.special_ids[END])
    assert END in data.tokenizer.decode(data.train)


def test_documents_of_other_sources_end_as_well(tmp_path):
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"text": tale(i)}) + "\n" for i in range(9)))
    data = data_of(tmp_path / "rows.jsonl", tokenizer="bpe:280", end_of_text=True)
    assert sum(np.count_nonzero(ids == 279) for ids in (data.train, data.validation)) == 9


def test_what_cannot_end_is_refused(tales, tmp_path):
    (tmp_path / "plain.txt").write_text(tale(1) * 50)
    with pytest.raises(InputError, match=r"has no <\|endoftext\|> in it.*leave out --end-of-text"):
        load_corpus(tmp_path / "plain.txt", end_of_text=True)
    BytePairTokenizer.train("none", 257, special_tokens=["<|other|>"]).save(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"the tokenizer has no <\|endoftext\|>"):
        data_of(tales, tokenizer=str(tmp_path / "none.json"), end_of_text=True)
    with pytest.raises(InputError, match=r"the tokenizer has no <\|endoftext\|>"):
        prepare(Settings(str(tales), tokenizer=str(tmp_path / "none.json"), end_of_text=True),
                tmp_path / "out")


@pytest.mark.parametrize("tokenizer", ["characters", "words", "bpe:300"])
def test_prepared_token_files_have_the_token_after_each_document(
    tales, tmp_path, small_portions, monkeypatch, tokenizer
):
    """Also where a piece of the file ends amid a document."""
    monkeypatch.setattr(sources, "PIECE", 1000)
    settings = Settings(str(tales), tokenizer=tokenizer, near=0, end_of_text=True)
    manifest = prepare(settings, tmp_path / "out")
    assert manifest["documents"]["kept"] == 300
    prepared = open_prepared(tmp_path / "out")
    names = prepared.tokenizer.special_ids
    end = names[END] if END in names else names["<eos>"]
    texts = set()
    for side in ("train", "validation"):
        ids, about = getattr(prepared, side), manifest[side]
        lines = [json.loads(line) for line in (tmp_path / "out" / f"{side}.jsonl").open()]
        assert np.count_nonzero(ids == end) == about["documents"] == len(lines)
        assert ids.tolist() == [
            id for line in lines for id in [*prepared.tokenizer.encode(line["text"]), end]]
        assert about["bytes"] == sum(len(line["text"].encode()) for line in lines)
        texts |= {line["text"] for line in lines}
    assert texts == {tale(i) for i in range(300)}
    data = data_of(tmp_path / "out", end_of_text=True)
    assert data.train.tolist() == prepared.train.tolist()


def test_a_directory_prepared_without_it_is_refused_with_it(tales, tmp_path, small_portions):
    prepare(Settings(str(tales), tokenizer="words", near=0), tmp_path / "out")
    with pytest.raises(InputError, match="was prepared without --end-of-text"):
        data_of(tmp_path / "out", end_of_text=True)
    other = WordTokenizer.train([tale(i) for i in range(300)], vocab_size=60)
    other.save(tmp_path / "words.json")
    data = data_of(tmp_path / "out", tokenizer=str(tmp_path / "words.json"), end_of_text=True)
    assert data.train[-1] == other.special_ids["<eos>"]


def test_a_document_between_separators_is_whole_whatever_its_length(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PIECE", 2000)
    monkeypatch.setattr(sources, "WHOLE", 500)
    long = "\n\n".join(tale(i) for i in range(100))
    (tmp_path / "long.txt").write_text(f"first{END}{long}{END}last{END}")
    found = [document.text for piece in sources.read_pieces(tmp_path / "long.txt", True)
             for document in documents.documents(piece)]
    assert found == ["first", long, "last"]
