"""Personal data: found where it proves itself, left alone where something only looks like it."""

import json
import sys
from pathlib import Path

import pytest

from npgpt.errors import InputError
from npgpt.text.prepare.personal import EXAMPLES, NOT_FOUND, find_personal, mask_personal
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.settings import Settings

LABELLED = Path(__file__).with_name("personal_lines.jsonl")


def same(text):
    """What counts of a span: a bracket or a space more or less does not."""
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("kind", ["email", "ip", "phone"])
def test_labelled_lines_are_found(kind):
    """Lines labelled by somebody who did not know the rules."""
    lines = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    right = wrong = missed = 0
    for line in (line for line in lines if line["kind"] == kind):
        text = line["text"]
        labelled = [same(text[start:end]) for start, end in line["spans"]]
        for start, end, found in find_personal(text):
            if found != kind:
                continue
            if same(text[start:end]) in labelled:
                labelled.remove(same(text[start:end]))
                right += 1
            else:
                wrong += 1
        missed += len(labelled)
    assert right + missed >= 99
    assert right / (right + wrong) >= 0.98
    assert right / (right + missed) >= 0.9


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to ann.b+c@mail.example.org.", "write to <EMAIL>."),
        ("not@all, a @ b, @handle", "not@all, a @ b, @handle"),
        ("at 84.168.0.17 today", "at <IP> today"),
        ("version 1.2.3 and 1.2.3.4.5 and 300.1.1.1", "version 1.2.3 and 1.2.3.4.5 and 300.1.1.1"),
        ("card 4111 1111 1111 1111 ok", "card <CARD> ok"),
        ("no card 4111 1111 1111 1112 ok", "no card 4111 1111 1111 1112 ok"),
        ("card 2223003122003222 ok", "card <CARD> ok"),
        ("pay DE89 3704 0044 0532 0130 00 now", "pay <IBAN> now"),
        ("not DE88 3704 0044 0532 0130 00 now", "not DE88 3704 0044 0532 0130 00 now"),
        ("call +49 30 1234567 or (212) 736-5000", "call <PHONE> or <PHONE>"),
        ("or 212-736-5000.", "or <PHONE>."),
        ("on 2026-11-24 at 10:30:15", "on 2026-11-24 at 10:30:15"),
        ("pi is 3.14159265358979, -3.140000; +3.140000", None),
        ("ISBN 978-3-16-148410-0", None),
        ("x = 1234567890", None),
    ],
)
def test_personal_data_is_masked(text, masked):
    found, counts = mask_personal(text)
    assert found == (text if masked is None else masked)
    assert sum(counts.values()) == found.count("<")


@pytest.mark.parametrize("text", [
    "ListenAddress 127.0.0.1, netmask 255.255.0.0, gateway 10.1.0.254, multicast 224.0.0.5",
    "the driver 91.80.70.60 came with release 12.250.3.1",
    "as said in section 8.8.4.200, and in 2.3.4.5",
    "out = query@W_k.transpose(-1, -2); z = h@cell.to(device)",
    "git@codeberg.org:someone/something.git and ssh://git@example.org/x.git",
    "postgres://reader:secret@db.example.org/shop",
    "Message-ID: <5f3c.77@mail.example.org>",
    "hmac-sha2-256-etm@openssh.com",
    "@@ -31,7 +31,9 @@\n-2125551234\n+2125551235",
    "total 1 250 300 400 of 2 000 000 000",
    "1.5403023058681398 0.4161468365471424 -0.6536436208636119",
    "4111111111111111123 and 41111111111111110000",
    "a[::2], std::move(b), dead::beef, 2:34:56, 00:1b:44:11:3a:b7",
])
def test_what_only_looks_like_it_is_left_alone(text):
    assert mask_personal(text) == (text, {})


def test_ipv6_and_national_numbers_are_masked():
    assert mask_personal("from 2a00:1450:400f:80d::200e to [2606:4700::6810:84e5]:443")[0] == (
        "from <IP> to [<IP>]:443")
    for number in ("020 7946 0321", "089 4567 1234", "01 44 55 66 77", "06-87654321"):
        assert mask_personal(f"call {number} today") == ("call <PHONE> today", {"phone": 1})


def test_only_the_kinds_that_are_asked_for_are_masked():
    text = "ann@example.org, 84.168.0.17, +49 30 1234567"
    assert mask_personal(text, ("ip",)) == ("ann@example.org, <IP>, +49 30 1234567", {"ip": 1})
    assert mask_personal(text, ()) == (text, {})


def write_letters(file):
    letters = [
        f"Letter {i}, by a{i}@example.org to bea{i}@example.org, from 84.168.{i}.17: we wrote of "
        f"{i * 7919} things that nobody had asked for, and of {i * 31} others." for i in range(40)]
    file.write_text("".join(json.dumps({"text": letter}) + "\n" for letter in letters))


def test_the_report_shows_some_of_what_was_masked_and_what_is_not_found(tmp_path, small_portions):
    write_letters(tmp_path / "letters.jsonl")
    manifest = prepare(Settings(str(tmp_path / "letters.jsonl"), near=0), tmp_path / "out")
    assert manifest["masked"] == {"email": 80, "ip": 40}
    figures = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {kind: len(found) for kind, found in figures["masked_examples"].items()} == {
        "email": EXAMPLES, "ip": EXAMPLES}
    assert figures["masked_examples"]["ip"][0] == "<EMAIL>, from 84.….17: we wrote of 0 thin"
    told = (tmp_path / "out" / "report.md").read_text()
    assert "80 × email, 40 × ip" in told and NOT_FOUND in told
    for file in (tmp_path / "out").glob("*.*"):
        assert b"a1@example.org" not in file.read_bytes() and b"84.168" not in file.read_bytes()


def test_a_kind_can_be_left_as_it_is(tmp_path, small_portions):
    write_letters(tmp_path / "letters.jsonl")
    settings = Settings(str(tmp_path / "letters.jsonl"), near=0, kinds=("email",))
    assert prepare(settings, tmp_path / "out")["masked"] == {"email": 80}
    told = (tmp_path / "out" / "report.md").read_text()
    assert "Left as it is: iban, card, ip, phone." in told
    with pytest.raises(InputError, match="'name' is no kind of personal data: email, iban"):
        prepare(Settings("stories:4kB", kinds=("name",)), tmp_path / "other")


@pytest.mark.parametrize("library", ["phonenumbers", "publicsuffixlist"])
def test_without_a_library_one_line_says_so(library, tmp_path, monkeypatch, small_portions):
    """And what it says to do, does: --no-mask."""
    monkeypatch.setitem(sys.modules, library, None)
    write_letters(tmp_path / "letters.jsonl")
    settings = Settings(str(tmp_path / "letters.jsonl"), near=0)
    with pytest.raises(InputError, match=rf"needs {library}: pip install 'npgpt\[data\]'"):
        prepare(settings, tmp_path / "out")
    from npgpt.cli.main import main

    assert main(["prepare", settings.source, "--out", str(tmp_path / "out"), "--workers", "1",
                 "--no-mask"]) == 0
