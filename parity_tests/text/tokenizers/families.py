"""Tokenizers of three families, trained here by the `tokenizers` library with each
family's own way to cut text, and written as the family's file is."""

import functools
import json
import sys
import unicodedata
from pathlib import Path

ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LETTERS = r"|[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# as the files of Llama-3 and of Qwen2.5 and Qwen3 have them
PATTERNS = {"llama3": ENDINGS + LETTERS + r"|\p{N}{1,3}" + REST,
            "qwen": ENDINGS + LETTERS + r"|\p{N}" + REST}
FAMILIES = ("smollm", "llama3", "qwen")
SPECIAL = {
    "smollm": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    "llama3": ["<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>", "<|end_header_id|>"],
    "qwen": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
}
# found in any text, though they are not special
ADDED = {"qwen": ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>",
                  "</tool_response>"]}
# the bytes for which SmolLM2's vocabulary has no token
LACKING = bytes([0x04, 0x06, 0x13, 0x14, 0x16, 0x1d, 0xc0, 0xc1, 0xf1, 0xf2, *range(0xf5, 0x100)])
PLAIN = {"add_prefix_space": False, "trim_offsets": True}


def pre_tokenizer(family):
    if family == "smollm":
        return {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", **PLAIN, "use_regex": True}]}
    return {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": PATTERNS[family]}, "behavior": "Isolated",
         "invert": False},
        {"type": "ByteLevel", **PLAIN, "use_regex": False}]}


def begin_of_text(name):
    """What puts Llama-3's first token before a text."""
    def parts(letter, kind):
        return [{"SpecialToken": {"id": name, "type_id": kind}},
                {"Sequence": {"id": letter, "type_id": kind}}]

    return {"type": "Sequence", "processors": [
        {"type": "ByteLevel", **PLAIN, "use_regex": True},
        {"type": "TemplateProcessing", "single": parts("A", 0),
         "pair": parts("A", 0) + parts("B", 1),
         "special_tokens": {name: {"id": name, "ids": [0], "tokens": [name]}}}]}


@functools.cache
def family_json(family, text, size=1200):
    """The tokenizer.json of a family, with merges learned from the text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    model = Tokenizer(models.BPE())
    whole = json.loads(model.to_str())
    whole["pre_tokenizer"] = pre_tokenizer(family)
    whole["normalizer"] = {"type": "NFC"} if family == "qwen" else None
    whole["decoder"] = {"type": "ByteLevel", **PLAIN, "use_regex": True}
    trained = Tokenizer.from_str(json.dumps(whole))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if family == "smollm":
        lacking = {token for byte in LACKING for token in spelt(bytes([byte]))}
        alphabet = [token for token in alphabet if token not in lacking]
    trained.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL[family], initial_alphabet=alphabet,
        show_progress=False))
    whole = json.loads(trained.to_str())
    merges = whole["model"]["merges"]
    merges = [merge.split(" ") if isinstance(merge, str) else merge for merge in merges]
    if family == "smollm":
        merges = [" ".join(merge) for merge in merges]
    if family == "llama3":
        merges = every_way(whole["model"]["vocab"])
        whole["model"]["ignore_merges"] = True
        whole["post_processor"] = begin_of_text(SPECIAL[family][0])
    whole["model"]["merges"] = merges
    whole["added_tokens"] += [
        {"id": len(whole["model"]["vocab"]) + n, "content": name, "single_word": False,
         "lstrip": False, "rstrip": False, "normalized": False, "special": False}
        for n, name in enumerate(ADDED.get(family, []))]
    return json.dumps(whole)


def spelt(data):
    """Bytes as a tokenizer.json spells them."""
    printing = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printing]
    return "".join(chr(byte if byte in printing else 256 + others.index(byte)) for byte in data)


def every_way(vocabulary):
    """Each way in which two tokens make a third, as Llama-3's file lists them; but some
    long ones are made by none, so that they stand for whole words only."""
    merges = []
    for n, token in enumerate(sorted(vocabulary, key=vocabulary.__getitem__)):
        if len(token) > 3 and n % 5 == 0:
            continue
        ways = [[token[:cut], token[cut:]] for cut in range(1, len(token))]
        ways = [way for way in ways if way[0] in vocabulary and way[1] in vocabulary]
        merges += sorted(ways, key=lambda way: [vocabulary[part] for part in way])
    return merges


@functools.cache
def newer_marks():
    """Marks that Python's tables of Unicode order and the library's older ones do not:
    with them, both put a text into a normal form, but each into its own."""
    from tokenizers import normalizers

    theirs = normalizers.NFC()
    around = ("a{}\u0323", "a\u0301{}", "a\u3099{}", "{}\u0338", "{}")
    marks = [mark for mark in map(chr, range(sys.maxunicode + 1)) if unicodedata.combining(mark)]
    return {mark for mark in marks if any(
        theirs.normalize_str(text) != unicodedata.normalize("NFC", text)
        for text in (form.format(mark) for form in around))}


def loaded(text, source, folder):
    """Our tokenizer of a tokenizer.json's text, by the package under test."""
    (Path(folder) / "tokenizer.json").write_text(source, encoding="utf-8")
    return text.tokenizers.loading.load_tokenizer(folder)
