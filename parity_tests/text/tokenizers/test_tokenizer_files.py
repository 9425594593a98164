"""tokenizer.json, GPT-2's files and token files: read by others, refused when not whole."""

import copy
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.errors import InputError
from npgpt.text import (
    BytePairTokenizer,
    CharacterTokenizer,
    WordTokenizer,
    load_tokenizer,
    tokenizer_config,
)
from npgpt.text.prepare.token_files import open_tokens, write_tokens
from parity_tests.text.tokenizers.tokenizer_checks import END, TRAINING, drawn_text

BYTE_PAIRS = BytePairTokenizer.train(TRAINING, 400)
CHARACTERS = CharacterTokenizer.train(TRAINING + "\r ab", special_tokens=["<end>"])
WORDS = WordTokenizer.train(TRAINING + "\r")
ALL = {"bpe": BYTE_PAIRS, "characters": CHARACTERS, "words": WORDS}
KEPT = "The king's  café \r\n\n\t can't sing , she . \n"  # what tidying would change


def saved(directory, tokenizer, **config):
    tokenizer.save(directory / "tokenizer.json")
    about = json.dumps(tokenizer_config(tokenizer, **config))
    (directory / "tokenizer_config.json").write_text(about)
    return directory


@pytest.mark.parametrize("kind", ALL)
def test_saved_and_loaded_is_the_same(kind, tmp_path):
    tokenizer = ALL[kind]
    tokenizer.save(tmp_path / "tokenizer.json")
    for path in (tmp_path, str(tmp_path / "tokenizer.json")):
        loaded = load_tokenizer(path)
        assert type(loaded) is type(tokenizer)
        assert loaded.to_json() == tokenizer.to_json()
        assert loaded.special_ids == tokenizer.special_ids
        assert loaded.encode(TRAINING) == tokenizer.encode(TRAINING)


@pytest.mark.parametrize("kind", ALL)
def test_tokenizers_opens_it_with_equal_ids(kind):
    from tokenizers import Tokenizer

    tokenizer = ALL[kind]
    theirs = Tokenizer.from_str(tokenizer.to_json())
    theirs.encode_special_tokens = True
    assert theirs.get_vocab_size() == tokenizer.vocab_size
    # not a prefix only: words that are not known, and every special token
    text = KEPT + TRAINING + ("unheard <unk>" if kind == "words" else "")
    ids = tokenizer.encode(text)
    assert theirs.encode(text).ids == ids
    assert theirs.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids)
    name = list(tokenizer.special_ids)[-1]
    theirs.encode_special_tokens = False
    text = KEPT + name + KEPT
    assert theirs.encode(text).ids == tokenizer.encode(text, allowed_special="all")


def test_tokenizers_refuses_an_unknown_character_as_we_do():
    from tokenizers import Tokenizer

    theirs = Tokenizer.from_str(CHARACTERS.to_json())
    with pytest.raises(Exception, match="UNK"):
        theirs.encode("a\u0416")
    with pytest.raises(InputError, match="no character 'Ж'"):
        CHARACTERS.encode("a\u0416")


@pytest.mark.parametrize("kind", ALL)
def test_auto_tokenizer_keeps_line_ends_and_blanks(kind, tmp_path):
    from transformers import AutoTokenizer

    tokenizer = ALL[kind]
    auto = AutoTokenizer.from_pretrained(saved(tmp_path, tokenizer, context_length=77))
    ids = tokenizer.encode(KEPT)
    assert auto(KEPT).input_ids == ids
    assert auto.decode(ids) == KEPT
    assert len(auto) == tokenizer.vocab_size and auto.model_max_length == 77
    assert auto.clean_up_tokenization_spaces is False
    ends = {"bpe": END, "characters": None, "words": "<eos>"}
    assert auto.eos_token == ends[kind]


@pytest.mark.parametrize("kind", ALL)
def test_what_transformers_saves_again_is_read(kind, tmp_path):
    """It adds a template that adds nothing, and padding where it was last used."""
    from transformers import AutoTokenizer

    auto = AutoTokenizer.from_pretrained(saved(tmp_path, ALL[kind]))
    auto.pad_token = list(ALL[kind].special_ids)[-1]
    auto(["a", "a  a"], padding=True, truncation=True, max_length=3)
    auto.save_pretrained(tmp_path / "again")
    again = load_tokenizer(tmp_path / "again")
    assert again.encode(KEPT) == ALL[kind].encode(KEPT)
    assert again.special_ids == ALL[kind].special_ids


def test_an_old_file_without_a_type_is_byte_pairs(tmp_path):
    whole = json.loads(BYTE_PAIRS.to_json())
    del whole["model"]["type"], whole["pre_tokenizer"]["use_regex"]
    whole["added_tokens"][0]["normalized"] = True
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole))
    assert load_tokenizer(tmp_path).encode(KEPT) == BYTE_PAIRS.encode(KEPT)


def test_byte_pairs_that_tokenizers_trained_are_read(tmp_path):
    """Special tokens come first there, so bytes and merges have other ids."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = decoders.ByteLevel()
    theirs.train_from_iterator([TRAINING], trainers.BpeTrainer(
        vocab_size=350, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<pad>", END], show_progress=False))
    theirs.save(str(tmp_path / "tokenizer.json"))
    ours = load_tokenizer(tmp_path)
    theirs.encode_special_tokens = True
    assert ours.special_ids == {"<pad>": 0, END: 1}
    for seed in range(200):
        text = drawn_text(seed)
        ids = ours.encode(text)
        assert ids == theirs.encode(text).ids
        assert ours.decode(ids) == text
    import tiktoken

    tik = tiktoken.Encoding("x", pat_str=r"[\s\S]+", mergeable_ranks=ours.to_tiktoken_ranks(),
                            special_tokens=ours.special_ids)
    assert tik.encode_ordinary("king") == ours.encode("king")


def test_gpt2_files_give_equal_ids(tmp_path):
    """In GPT-2's own spelling, written by `tokenizers`; its end of text has the last id."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    model = json.loads(BYTE_PAIRS.to_json())["model"]
    merges = [tuple(merge.split(" ")) for merge in model["merges"]]
    theirs = models.BPE(vocab=model["vocab"], merges=merges)
    vocab_json, merges_txt = theirs.save(str(tmp_path))
    ours = BytePairTokenizer.from_gpt2(merges_txt, vocab_json)
    assert ours.special_ids == {END: 399} == BYTE_PAIRS.special_ids
    theirs = Tokenizer(theirs)
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for seed in range(200):
        text = drawn_text(seed)
        assert ours.encode(text) == theirs.encode(text).ids == BYTE_PAIRS.encode(text)
    with pytest.raises(InputError, match=r"cannot read .*nothing"):
        BytePairTokenizer.from_gpt2(tmp_path / "nothing", vocab_json)
    with pytest.raises(InputError, match="damaged"):
        BytePairTokenizer.from_gpt2(merges_txt, merges_txt)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="damaged"):
        BytePairTokenizer.from_gpt2(merges_txt, tmp_path / "deep.json")


def test_a_merge_of_number_signs_is_no_comment(tmp_path):
    whole = BytePairTokenizer.train("## a ## b ####", 260)
    model = json.loads(whole.to_json())["model"]
    assert "# #" in model["merges"]
    merges, vocab = tmp_path / "merges.txt", tmp_path / "vocab.json"
    merges.write_text("\n".join(["#version: 0.2", *model["merges"], ""]))
    vocab.write_text(json.dumps(model["vocab"]))
    assert BytePairTokenizer.from_gpt2(merges, vocab).merges == whole.merges


def change(path, value):
    def apply(whole):
        *parents, last = path
        for key in parents:
            whole = whole[key]
        whole[last] = value(whole[last]) if callable(value) else value

    return apply


def test_tiktoken_ranks_are_refused_where_ids_are_not_in_the_order_of_merges():
    last = len(BYTE_PAIRS.tokens) - 1
    merges = [(last - left, last - right) for left, right in BYTE_PAIRS.merges]
    turned = BytePairTokenizer(BYTE_PAIRS.tokens[::-1], merges, {END: 0})
    assert turned.encode(KEPT) == [last - id for id in BYTE_PAIRS.encode(KEPT)]
    with pytest.raises(InputError, match="order of the merges"):
        turned.to_tiktoken_ranks()


def renamed(vocabulary, old, new):
    return {new if token == old else token: id for token, id in vocabulary.items()}


UNREADABLE = {
    "another model": ("bpe", change(["model", "type"], "Unigram"), "its model is Unigram"),
    "a normalizer": ("bpe", change(["normalizer"], {"type": "NFKC"}), "normalizer"),
    "another pattern": (
        "bpe", change(["pre_tokenizer", "use_regex"], False), "in a way that is"),
    "no bytes": ("bpe", change(["pre_tokenizer"], {"type": "Whitespace"}), "GPT-2's pattern"),
    "a space before": ("bpe", change(["pre_tokenizer", "add_prefix_space"], True), "space before"),
    "a template": (
        "bpe", change(["post_processor"], {"type": "TemplateProcessing", "single": [
            {"Sequence": {}}, {"SpecialToken": {"id": "<|endoftext|>"}}]}), "adds tokens around"),
    "another decoder": ("bpe", change(["decoder"], {"type": "WordPiece"}), "decodes otherwise"),
    "dropout": ("bpe", change(["model", "dropout"], 0.1), "has dropout"),
    "word ends": ("bpe", change(["model", "end_of_word_suffix"], "</w>"), "end_of_word_suffix"),
    "bytes missing": (
        "bpe", change(["model", "vocab"], lambda v: {
            token * 3 if len(token) == 1 and token < "k" else token: id
            for token, id in v.items()}), "lacks 7[0-9] of the 256|byte-level tokens"),
    "a token not in bytes": (
        "bpe", change(["model", "vocab"], lambda v: renamed(v, "!", "中")), "byte-level tokens"),
    "a merge of nothing": (
        "bpe", change(["model", "merges"], lambda m: [*m, "zz q"]), "byte-level tokens"),
    "a merge without its token": (
        "bpe", change(["model", "merges"], lambda m: [*m, "! \""]), "makes no token"),
    "a gap in the ids": (
        "bpe", change(["model", "vocab"], lambda v: {**v, "zzz": 999}), "are not 0 to 400"),
    "a stripping token": (
        "bpe", change(["added_tokens", 0, "lstrip"], True), "not a plain special token"),
    "other words": (
        "words", change(["pre_tokenizer", "pattern", "Regex"], r"\w+"), "not one of our"),
    "words that vanish": (
        "words", change(["pre_tokenizer", "behavior"], "Removed"), "does not cut text"),
    "words without unk": (
        "words", change(["added_tokens"], lambda t: t[1:]), "not one of our"),
    "a gap in the characters": (
        "characters", change(["model", "vocab", "a"], 999), "are not 0 to"),
    "no model": ("bpe", lambda whole: whole.pop("model"), "not a tokenizer.json"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_other_kinds_are_refused_in_one_line(name, tmp_path):
    kind, apply, message = UNREADABLE[name]
    whole = copy.deepcopy(json.loads(ALL[kind].to_json()))
    apply(whole)
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole))
    with pytest.raises(InputError, match=message) as caught:
        load_tokenizer(tmp_path)
    assert "\n" not in str(caught.value) and "tokenizer.json" in str(caught.value)


def test_files_that_are_no_json_are_refused(tmp_path):
    file = tmp_path / "tokenizer.json"
    with pytest.raises(InputError, match="cannot read"):
        load_tokenizer(file)
    for text in ("", BYTE_PAIRS.to_json()[:1000], "[]", "\x00", "[" * 100_000):
        file.write_text(text)
        with pytest.raises(InputError, match=r"tokenizer\.json"):
            load_tokenizer(file)
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="not JSON"):
        load_tokenizer(file)


@given(st.lists(st.lists(st.integers(0, 65535), max_size=9), max_size=9), st.booleans())
def test_token_files_come_back(tmp_path_factory, pieces, wide):
    path = tmp_path_factory.getbasetemp() / "ids.npy"
    vocab_size = 65537 if wide else 65536
    flat = [id for piece in pieces for id in piece]
    assert write_tokens(path, iter(pieces), vocab_size) == len(flat)
    ids = open_tokens(path)
    assert isinstance(ids, np.memmap) and not ids.flags.writeable
    assert ids.dtype == (np.uint32 if wide else np.uint16)
    assert ids.tolist() == flat == np.load(path).tolist()


def test_a_token_file_cut_anywhere_or_grown_is_refused(tmp_path):
    path = tmp_path / "ids.npy"
    write_tokens(path, [[1, 2, 3], [4]], 10)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"ids.npy"):
            open_tokens(path)
    for wrong in (whole + b"\0", b"x" * 500, json.dumps([1, 2]).encode()):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match="not a token file"):
            open_tokens(path)
    for other in (np.zeros((2, 2), np.uint16), np.zeros(3), np.array([{}])):
        np.save(path, other, allow_pickle=True)
        with pytest.raises(InputError, match="not a token file"):
            open_tokens(path)
    with pytest.raises(InputError, match="cannot read"):
        open_tokens(tmp_path / "nothing.npy")


def test_a_token_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "ids.npy"
    write_tokens(path, [[1, 2]], 10)
    before = path.read_bytes()

    def broken():
        yield [3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tokens(path, broken(), 10)
    for wrong in ([10], [-1]):
        with pytest.raises(InputError, match="outside the vocabulary of 10"):
            write_tokens(path, [[1], wrong], 10)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="cannot write"):
        write_tokens(tmp_path / "no" / "ids.npy", [[1]], 10)


FULL = """
import resource, signal, sys
from npgpt.errors import InputError
from npgpt.text import CharacterTokenizer
from npgpt.text.prepare.token_files import write_tokens
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
directory = sys.argv[1]
for call in (
    lambda: CharacterTokenizer(map(chr, range(33, 900))).save(directory + "/tokenizer.json"),
    lambda: write_tokens(directory + "/ids.npy", ([1] * 100 for _ in range(1000)), 10),
):
    try:
        call()
    except InputError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files the Unix way")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], check=True,
                          capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and all(line.startswith("cannot write") for line in lines)
    assert list(tmp_path.iterdir()) == []
