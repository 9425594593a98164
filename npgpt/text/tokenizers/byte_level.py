"""What a tokenizer.json says of byte-level byte pairs beside their merges: how text is cut
into words, and which tokens stand before a text."""

import re
from collections.abc import Iterable
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.text.tokenizers.cutting import GPT2, Cutting
from npgpt.text.tokenizers.tokenizer_json import write_json

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
              "use_regex": True}
# what means the same in the `regex` module and in the library's Oniguruma
_ALIKE = re.compile(
    r"""(?: \\[pP]\{\w+\} | \\[sSdrnt] | \\[^\w\s]         # classes, and signs as they are
    | \[ \^? (?: \\[pP]\{\w+\} | \\[sSdrnt] | \\[^\w\s] | (?!&&|--|\|\||~~)[^\[\]\\] )+ \]
    | \(\?(?:i?:|=|!|<=|<!) | \( (?!\?) | \) | \|
    | \{\d+(?:,\d*)?\} (?!\+) | [?*+]
    | [^\\\[\](){}?*+|.^$] )*""", re.VERBOSE)
DIGITS = {"type": "Digits", "individual_digits": True}


def write_byte_level(
    model: dict[str, Any], cutting: Cutting, special_ids: dict[str, int],
    added: Iterable[str], before: Iterable[str],
) -> str:
    """The text of the whole file."""
    steps: list[dict[str, Any]] = [DIGITS] if cutting.single_digits else []
    if cutting.pattern == GPT2.pattern:
        steps.append(BYTE_LEVEL)
    else:
        steps += [{"type": "Split", "pattern": {"Regex": cutting.pattern},
                   "behavior": "Isolated", "invert": False},
                  {**BYTE_LEVEL, "use_regex": False}]
    first = steps[0] if len(steps) == 1 else {"type": "Sequence", "pretokenizers": steps}
    return write_json(model, first, BYTE_LEVEL, special_ids, added,
                      normalizer={"type": "NFC"} if cutting.nfc else None,
                      post_processor=template(before, special_ids))


def template(before: Iterable[str], special_ids: dict[str, int]) -> dict[str, Any] | None:
    """What puts the tokens `before` in front of a text."""
    names = [*before]
    if not names:
        return None

    def parts(text: str) -> list[dict[str, Any]]:
        kind = 0 if text == "A" else 1
        return [*({"SpecialToken": {"id": name, "type_id": kind}} for name in names),
                {"Sequence": {"id": text, "type_id": kind}}]

    return {"type": "TemplateProcessing", "single": parts("A"), "pair": parts("A") + parts("B"),
            "special_tokens": {name: {"id": name, "ids": [special_ids[name]], "tokens": [name]}
                               for name in names}}


def read_cutting(whole: dict[str, Any]) -> Cutting:
    """How the file cuts text. InputError for what is not read here."""
    normalizer = whole.get("normalizer") or {"type": None}
    if normalizer["type"] not in (None, "NFC"):
        raise InputError("it changes the text first, by a normalizer"
                         f" ({str(normalizer['type'])[:40]}), which is not done here")
    nfc = normalizer["type"] == "NFC"
    for token in whole["added_tokens"] if nfc else ():
        if token.get("normalized"):
            raise InputError(f"added token {quote(token['content'])} is looked for in the"
                             " normalized text, which is not done here")
    first = whole["pre_tokenizer"] or {}
    steps = first["pretokenizers"] if first.get("type") == "Sequence" else [first]
    kinds = [step.get("type") for step in steps]
    if not steps or kinds[-1] != "ByteLevel":
        raise InputError("its BPE does not cut text by GPT-2's pattern into bytes")
    last = steps[-1]
    if last["add_prefix_space"]:
        raise InputError("it puts a space before every text, which is not done here")
    by_gpt2 = last.get("use_regex", True)
    if kinds == ["ByteLevel"] and by_gpt2:
        return Cutting(nfc=nfc)
    if kinds == ["Digits", "ByteLevel"] and by_gpt2 and steps[0].get("individual_digits"):
        return Cutting(single_digits=True, nfc=nfc)
    if kinds == ["Split", "ByteLevel"] and not by_gpt2:
        split = steps[0]
        pattern = split["pattern"].get("Regex")
        if pattern and split["behavior"] == "Isolated" and not split.get("invert"):
            return Cutting(compiled(pattern), nfc=nfc)
    raise InputError(f"its BPE cuts text by {', '.join(map(str, kinds))[:60]}, in a way that is"
                     " not read here")


def compiled(pattern: str) -> str:
    """The pattern, if it can be used, and means here what it means in the library."""
    import regex

    if not _ALIKE.fullmatch(pattern):
        raise InputError(f"its pattern {quote(pattern)} holds what regular expressions do not"
                         " all read alike")
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise InputError(f"its pattern cannot be read: {error}") from None
    return pattern


def read_before(whole: dict[str, Any]) -> list[str]:
    """The special tokens that the file puts before a text. InputError where it puts
    some after it, too."""
    after = whole.get("post_processor") or {"type": "ByteLevel"}
    steps = after["processors"] if after["type"] == "Sequence" else [after]
    before: list[str] = []
    for step in steps:
        if step["type"] == "ByteLevel":
            continue
        parts = [next(iter(part.items())) for part in step.get("single", [])]
        names = [value["id"] for kind, value in parts[:-1] if kind == "SpecialToken"]
        known = parts and parts[-1][0] == "Sequence" and len(names) == len(parts) - 1
        if step["type"] != "TemplateProcessing" or not known:
            raise InputError(f"it adds tokens around the text ({str(step['type'])[:60]}),"
                             " not done here")
        before += names
    return before
