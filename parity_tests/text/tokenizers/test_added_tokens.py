"""Tokens that were added to a trained vocabulary, in each of the files that list them:
the ids are those of `transformers`."""

import json
import pickle
import random

import pytest

from npgpt.errors import InputError
from npgpt.text import BytePairTokenizer, load_tokenizer

transformers = pytest.importorskip("transformers")
TEXT = "the harbour and the lighthouse, the harbour and the sea; " * 20
SIZE = 280
TOKENIZER = BytePairTokenizer.train(TEXT, SIZE)
ADDED = ["lighthouse", "light", "sea shell", "Æther", "the"]  # "the" is a token already


def some_texts():
    draw = random.Random(5)
    pieces = [*ADDED, "[PAD]", " ", "  ", "\n", "harbour", "houses", "th", "e", "s", "é", "the sea"]
    yield from ("", "lighthouse", "a lighthouselight  sea shell\n", "theatre", " the  the")
    for _ in range(200):
        yield "".join(draw.choices(pieces, k=draw.randint(1, 9)))


def same_ids(ours, theirs):
    """As text: a special token's name is its letters here, and its id only where allowed."""
    for text in some_texts():
        assert ours.encode(text, "all") == theirs.encode(text), text
        plain = text.replace("[PAD]", "")
        assert ours.encode(plain) == theirs.encode(plain), plain
        assert ours.decode(ours.encode(text)) == text
    assert "[PAD]" not in [ours.decode([id]) for id in ours.encode("a [PAD]")]


@pytest.fixture
def fast(tmp_path):
    TOKENIZER.save(tmp_path / "trained.json")
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(tmp_path / "trained.json"), eos_token="<|endoftext|>")
    theirs.add_tokens(ADDED)
    theirs.add_special_tokens({"pad_token": "[PAD]"})
    theirs.save_pretrained(tmp_path / "fast")
    return theirs, tmp_path / "fast"


def test_in_tokenizer_json(fast, tmp_path):
    theirs, path = fast
    ours = load_tokenizer(path)
    assert ours.vocab_size == len(theirs) == SIZE + len(ADDED)  # but for "the", and [PAD]
    assert set(ours.added) == set(ADDED)
    same_ids(ours, theirs)
    # saved and pickled, it is the same
    ours.save(tmp_path / "again.json")
    again = load_tokenizer(tmp_path / "again.json")
    assert again.to_json() == ours.to_json() == pickle.loads(pickle.dumps(ours)).to_json()
    same_ids(again, transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(tmp_path / "again.json"), eos_token="<|endoftext|>"))
    same_ids(pickle.loads(pickle.dumps(ours)), theirs)


def write_slow(path, encoding="utf-8"):
    """vocab.json and merges.txt, as GPT-2 came."""
    model = json.loads(TOKENIZER.to_json())["model"]
    path.mkdir()
    (path / "vocab.json").write_text(json.dumps(model["vocab"]), encoding=encoding)
    merges = "\n".join(["#version: 0.2", *model["merges"], ""])
    (path / "merges.txt").write_text(merges, encoding=encoding)


NEW = {"lighthouse": SIZE, "light": SIZE + 1, "[PAD]": SIZE + 2, "sea shell": SIZE + 3,
       "Æther": SIZE + 4}


def token(name, special):
    return {"content": name, "special": special, "lstrip": False, "rstrip": False,
            "single_word": False, "normalized": not special}


@pytest.mark.parametrize("files", [
    {"added_tokens.json": NEW, "special_tokens_map.json": {"pad_token": "[PAD]"}},
    {"added_tokens.json": NEW, "special_tokens_map.json": {"pad_token": token("[PAD]", True)}},
    {"added_tokens.json": NEW, "tokenizer_config.json": {"pad_token": "[PAD]"}},
    {"tokenizer_config.json": {"pad_token": "[PAD]", "added_tokens_decoder": {
        **{str(id): token(name, name == "[PAD]") for name, id in NEW.items()},
        str(SIZE - 1): token("<|endoftext|>", True)}}},
], ids=["map", "map with contents", "config", "config's decoder"])
def test_in_the_files_before_tokenizer_json(tmp_path, files):
    write_slow(tmp_path / "slow")
    for name, content in files.items():
        (tmp_path / "slow" / name).write_text(json.dumps(content))
    theirs = transformers.GPT2Tokenizer.from_pretrained(tmp_path / "slow")
    ours = load_tokenizer(tmp_path / "slow")
    assert ours.vocab_size == len(theirs) == SIZE + 5
    assert set(ours.added) == set(NEW) - {"[PAD]"}
    same_ids(ours, theirs)


def test_gpt2_s_two_files_alone_with_byte_order_marks(tmp_path):
    write_slow(tmp_path / "plain")
    write_slow(tmp_path / "marked", "utf-8-sig")
    theirs = transformers.GPT2Tokenizer.from_pretrained(tmp_path / "plain")
    for path in (tmp_path / "plain", tmp_path / "marked"):
        ours = load_tokenizer(path)
        assert ours.to_json() == TOKENIZER.to_json()
        for text in some_texts():
            assert ours.encode(text) == theirs.encode(text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tokenizer_json_with_a_byte_order_mark(tmp_path, encoding):
    (tmp_path / "tokenizer.json").write_text(TOKENIZER.to_json(), encoding=encoding)
    assert load_tokenizer(tmp_path).to_json() == TOKENIZER.to_json()


@pytest.mark.parametrize(("name", "content", "words"), [
    ("tokenizer_config.json", {"add_prefix_space": True}, "add_prefix_space adds to every text"),
    ("tokenizer_config.json", {"add_bos_token": True}, "add_bos_token adds to every text"),
    ("tokenizer_config.json", {"added_tokens_decoder": {"280": {**token("x y", False),
                                                                "rstrip": True}}}, "has rstrip"),
    ("tokenizer_config.json", {"added_tokens_decoder": {"280": "x"}}, "not as transformers"),
    ("tokenizer_config.json", {"added_tokens_decoder": []}, "not as transformers"),
    ("added_tokens.json", {"x y": "280"}, "are not 0 to 280"),
    ("added_tokens.json", {"x y": 999}, "are not 0 to 280"),
    ("added_tokens.json", [], "holds no JSON object"),
    ("vocab.json", [], "holds no vocabulary"),
])
def test_what_would_give_other_ids_is_named(tmp_path, name, content, words):
    write_slow(tmp_path / "slow")
    (tmp_path / "slow" / name).write_text(json.dumps(content))
    with pytest.raises(InputError, match=words) as caught:
        load_tokenizer(tmp_path / "slow")
    assert "\n" not in str(caught.value)


def test_a_whole_word_that_is_added_to_words_is_named(tmp_path):
    from npgpt.text import WordTokenizer

    whole = json.loads(WordTokenizer.train(["a b c"]).to_json())
    whole["added_tokens"].append({**token("b c", False), "id": len(whole["model"]["vocab"])})
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole))
    with pytest.raises(InputError, match="'b c' is not a plain special token"):
        load_tokenizer(tmp_path)
