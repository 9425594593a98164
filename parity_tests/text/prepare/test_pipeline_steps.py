"""Each step of the pipeline alone: cleaning, masking, filters, duplicates, split, chunks."""

from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npgpt.errors import InputError
from npgpt.text.corpora.stories import stories
from npgpt.text.prepare import dedup
from npgpt.text.prepare.chunk import chunk
from npgpt.text.prepare.clean import clean
from npgpt.text.prepare.filter import SCRIPTS, scripts, symbol_ratio, why_not
from npgpt.text.prepare.leaks import near_leaks
from npgpt.text.prepare.settings import Limits
from npgpt.text.prepare.split import split_key
from npgpt.text.prepare.strip import looks_like_html, strip_html


@given(st.text(st.characters()), st.sampled_from(["NFC", "NFKC"]))
def test_cleaning_twice_changes_nothing_more(text, form):
    once = clean(text, form)
    assert clean(once, form) == once
    once.encode()  # no half of a surrogate pair


@pytest.mark.parametrize(
    ("raw", "tidy"),
    [
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("e\u200b\u0301", "\u00e9"),
        ("a\0b\x1b[0mc", "ab[0mc"),
        ("soft\u00adhyphen\u200b \ufeff\u202eend", "softhyphen end"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("a\u00a0b\u3000c", "a b c"),
        ("def f():\n    return  1   \n", "def f():\n    return  1"),
        ("a\n \n\t\n\n\nb", "a\n\nb"),
        ("\n\n  indented", "  indented"),
        ("zero\u200dwidth joiner stays", "zero\u200dwidth joiner stays"),
    ],
)
def test_cleaning(raw, tidy):
    assert clean(raw) == tidy


def test_nfkc_folds_what_nfc_keeps():
    assert clean("ﬁle ²", "NFC") == "ﬁle ²"
    assert clean("ﬁle ²", "NFKC") == "file 2"


def test_html_is_stripped_to_what_it_says():
    page = """<!DOCTYPE html><html><head><title>Bread &amp; salt</title>
    <style>p {color: red}</style><script>if (a < b) alert("no")</script></head>
    <body><nav><ul><li>Home</li></ul></nav><h1>How to  bake</h1>
    <p>Take <b>flour</b>,
       water &lt; 1 l.</p><ul><li>mix</li><li>wait</li></ul>
    <table><tr><td>1</td><td>2</td></tr></table><pre>a  b
      c</pre><p>open<p>end<footer>imprint</footer></body></html>"""
    text = strip_html(page)
    assert text == (
        "Bread & salt\n\nHow to bake\n\nTake flour, water < 1 l.\n\nmix\nwait\n\n1 2\n\n"
        "a  b\n      c\n\nopen\n\nend"
    )
    assert "\n\n\n" not in text
    assert looks_like_html(page) and looks_like_html("\ufeff \n<HTML>")
    assert not looks_like_html("a <html> in text")


@given(st.text(alphabet="<>/!-[]&;abp\"'= \n", max_size=80))
def test_any_html_is_read_to_the_end(page):
    with suppress(AssertionError, ValueError):  # what the parser cannot read is dropped
        strip_html(page)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no text"),
        ("word", "too short"),
        ("words and more words " * 20, "too long"),
        ("+-*/ =><! {} " * 5 + "a", "too many symbols"),
        ("Пример текста на русском языке, он довольно длинный.", "not in latin script"),
        ("An example of English text, with the word мир in it as well.", ""),
        ("数字 12345 67890 12345 67890 12345 67890 12345", "not in latin script"),
        ("1234567 " * 6, ""),
        ("exactly twenty signs", ""),
        ("nineteen signs only", "too short"),
        ("words and more words " * 14 + "in all", ""),
        ("words and more words " * 14 + "in alll", "too long"),
    ],
)
def test_filters_name_their_reason(text, reason):
    limits = Limits(shortest=20, longest=300, script="latin")
    assert why_not(text, 0.0, limits) == reason


def test_what_repeats_itself_is_dropped():
    for text, repeats in (
        ("spam and eggs and more spam for everyone\n" * 9, True),
        (next(stories(1)), False),
        ("一二三四五六七" * 20, True),
    ):
        _, share = dedup.shingles(dedup.word_hashes(text))
        assert bool(why_not(text, share, Limits())) == repeats


def test_scripts_are_told_apart():
    samples = {
        "latin": "wörd", "greek": "λόγος", "cyrillic": "слово", "arabic": "كلمة", "hebrew": "מילה",
        "han": "詞語", "kana": "ことば", "hangul": "단어", "thai": "คา", "devanagari": "शबद",
        "armenian": "բառ", "georgian": "სიტყვა", "bengali": "শবদ", "tamil": "சல", "ethiopic": "ቃል",
    }  # fmt: skip
    assert sorted(samples) == SCRIPTS
    for script, text in samples.items():
        assert set(scripts(text)) == {script}, text
    assert scripts("two words, 2 digits") == {"latin": 14}
    # letters of several scripts and of none, of which no run of code points tells
    assert scripts("Oʻzbekchaʼ コーヒー 5 µm") == {"latin": 10, "kana": 4, "other": 2}


@given(st.text(max_size=60))
def test_symbol_ratio_is_a_share_and_the_same_for_ascii_and_others(text):
    assert 0 <= symbol_ratio(text) <= 1
    if text.isascii() and " " in text:
        plain = symbol_ratio(text)
        letters = sum(sign.isalnum() for sign in text)
        blanks = sum(sign.isspace() for sign in text)
        shown = len(text) - sum(map(text.count, " \n\t"))
        assert plain == pytest.approx((len(text) - letters - blanks) / max(1, shown))


INDIC = "मैंने किताब की दुकान से एक नई किताब खरीदी और उसे पढ़ा।"


def test_marks_belong_to_their_letters():
    """Vowel signs of Indic scripts are no symbols, and cut no word."""
    assert symbol_ratio(INDIC) == pytest.approx(1 / len(INDIC.replace(" ", "")))
    assert symbol_ratio("=\t" * 100) == symbol_ratio("= " * 100) == 1
    words = INDIC.rstrip("।").split()
    hashes = dedup.word_hashes(INDIC).tolist()
    assert len(hashes) == len(words) and len(set(hashes)) == len(set(words))
    assert len(set(dedup.word_hashes("की का के को").tolist())) == 4


# duplicates


@given(st.lists(st.text(alphabet="ab é_1.\n", max_size=12), max_size=12))
def test_a_word_has_one_hash_wherever_it_stands(parts):
    import re

    text = " ".join(parts)
    words = re.findall(r"\w+", text.lower())
    hashes = dedup.word_hashes(text).tolist()
    if len(hashes) == len(words):  # else the words are long, and letters count
        assert len(set(hashes)) == len(set(words))
        assert len(set(zip(words, hashes))) == len(set(words))
    else:
        assert sum(map(len, words)) > 12 * len(words)


def test_word_hashes_are_the_same_on_every_machine():
    found = dedup.word_hashes("The king, the Queen").tolist()
    assert found == HASHES
    assert found[0] == found[2]


HASHES = [7074068720568545896, 9094887683797077276, 7074068720568545896, 7800405044201837441]


@given(st.lists(st.integers(0, 5), max_size=40))
def test_exact_duplicates_are_told_by_the_first(numbers):
    rows = np.zeros((len(numbers), 20), np.uint8)
    rows[:, 7] = numbers
    half = len(rows) // 2
    found = dedup.exact_duplicates(lambda: iter([rows[:half], rows[half:]]), len(rows))
    assert found.tolist() == [numbers.index(number) for number in numbers]


def near_texts(count, share):
    """Pairs of texts of distinct words whose groups of five words share about `share`."""
    draw = np.random.default_rng(1)
    for pair in range(count):
        words = [f"w{pair}x{i}" for i in range(400)]
        other = list(words)
        # one changed word makes five groups differ in both
        changes = round(396 * (1 - share) / (1 + share) / 5)
        for place in draw.choice(79, changes, replace=False) * 5 + 2:
            other[place] = "changed"
        yield " ".join(words), " ".join(other)


def jaccard(one, other):
    a, b = (set(dedup.shingles(dedup.word_hashes(text))[0].tolist()) for text in (one, other))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(("share", "least", "most"), [(0.9, 0.97, 1), (0.5, 0, 0.03)])
def test_near_duplicates_at_nine_tenths_are_found(share, least, most):
    texts = [text for pair in near_texts(100, share) for text in pair]
    assert np.mean([jaccard(*texts[i : i + 2]) for i in range(0, 40, 2)]) == pytest.approx(
        share, abs=0.03
    )
    rows = [dedup.signature(dedup.shingles(dedup.word_hashes(text))[0]) for text in texts]
    alive = np.ones(len(rows), bool)
    found = dedup.near_duplicates(lambda start: enumerate(rows[start:], start), alive, 0.8)
    assert (found[::2] == -1).all()
    assert set(found[1::2]) <= {-1, *range(0, 200, 2)}
    assert least <= np.mean(found[1::2] == np.arange(0, 200, 2)) <= most


@pytest.mark.parametrize(("threshold", "found"), [(1.0, [-1, 0, -1]), (0.75, [-1, 0, 0])])
def test_a_share_that_is_just_reached_is_a_near_duplicate(threshold, found):
    rows = np.tile(np.arange(64, dtype=np.uint32), (3, 1))
    rows[2, :16] += 99
    signatures = lambda start: enumerate(rows[start:], start)  # noqa: E731
    assert dedup.near_duplicates(signatures, np.ones(3, bool), threshold).tolist() == found


def test_signatures_agree_as_much_as_the_sets_do():
    draw = np.random.default_rng(2)
    for share in (0.2, 0.5, 0.9):
        agree = []
        for _ in range(40):
            both = draw.integers(0, 2**32, 1000, np.uint32)
            common = int(1000 * share)
            rest = (1000 - common) // 2
            one, other = both[: common + rest], np.r_[both[:common], both[common + rest :]]
            agree.append(np.mean(dedup.signature(one) == dedup.signature(other)))
        assert np.mean(agree) == pytest.approx(share, abs=0.03)
    many = draw.integers(0, 2**32, 25_000, np.uint32)
    parts = [dedup.signature(many[start : start + 7000]) for start in range(0, 25_000, 7000)]
    assert (dedup.signature(many) == np.minimum.reduce(parts)).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=25), st.integers(1, 12), st.integers(0, 25))
def test_the_size_of_the_index_changes_nothing(kinds, group, dead):
    draw = np.random.default_rng(0)
    base = draw.integers(0, 2**32, (7, dedup.PERMUTATIONS), np.uint32)
    rows = base[kinds] if kinds else base[:0]
    rows = rows.copy()
    for i, row in enumerate(rows):
        row[i % dedup.PERMUTATIONS] = i
    alive = np.arange(len(rows)) != dead
    signatures = lambda start: enumerate(rows[start:], start)  # noqa: E731
    found = dedup.near_duplicates(signatures, alive, 0.8, group)
    assert found.tolist() == dedup.near_duplicates(signatures, alive, 0.8, 1000).tolist()
    assert dead >= len(rows) or found[dead] == -1
    firsts = {}
    for i, kind in enumerate(kinds):
        if alive[i]:
            assert found[i] == firsts.setdefault(kind, -1) or firsts[kind] == -1
            firsts[kind] = i if firsts[kind] == -1 else firsts[kind]


def test_the_index_never_holds_more_than_a_group(monkeypatch):
    made = []

    def recorded(threshold, make=dedup.empty_index):
        made.append(make(threshold))
        return made[-1]

    monkeypatch.setattr(dedup, "empty_index", recorded)
    rows = np.random.default_rng(0).integers(0, 2**32, (25, dedup.PERMUTATIONS), np.uint32)
    dedup.near_duplicates(
        lambda start: enumerate(rows[start:], start), np.ones(25, bool), 0.8, group=10
    )
    assert [len(index.keys) for index in made] == [10, 10, 5]


def test_near_leaks_are_those_that_all_pairs_show():
    draw = np.random.default_rng(3)
    train = draw.integers(0, 2**32, (60, 64), np.uint32)
    validation = draw.integers(0, 2**32, (20, 64), np.uint32)
    validation[3] = train[50]
    validation[7] = train[2]
    validation[7, ::10] += 1
    validation[9, :30] = train[4, :30]
    validation[11] = validation[3]
    pairs = (train[:, None] == validation[None]).mean(axis=2) >= 0.8
    leaks = near_leaks([train[:40], train[40:]], [validation[:5], validation[5:]], 0.8, 9, 7)
    assert leaks == int(pairs.any(axis=0).sum()) == 3
    assert near_leaks([train], [validation[:0]], 0.8, 9, 7) == 0


def test_without_datasketch_one_line_says_so(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(InputError, match=r"pip install 'npgpt\[data\]'"):
        dedup.load_datasketch()


# split and chunks


def test_copies_that_differ_in_case_blanks_and_rules_have_one_key():
    one = "The if statement\n****************\n\nIt is used   for choices.\n"
    other = "The IF statement\n================\nIt is used for\n\nchoices."
    assert split_key(one) == split_key(other)
    assert split_key(one) != split_key(one + " More.")
    assert split_key(one) != split_key(one, seed=1)


def test_a_chunk_begins_behind_the_first_blank_of_the_overlap():
    assert chunk("aaaaaaaa \na", 4, 2)[-1] == (9, 11)


@given(st.text(alphabet="ab. \n", max_size=400), st.integers(4, 60), st.data())
def test_chunks_cover_the_text_and_overlap(text, size, data):
    overlap = data.draw(st.integers(0, size // 2))
    cuts = chunk(text, size, overlap)
    assert cuts[0][0] == 0 and cuts[-1][1] == len(text)
    assert all(end - start <= size for start, end in cuts)
    for (_, before), (start, end) in pairwise(cuts):
        assert before - overlap <= start <= before < end
        if overlap and start < before:
            blank = any(sign in " \n" for sign in text[before - overlap : before - 1])
            assert text[start - 1] in " \n" if blank else start == before - overlap


def test_chunks_end_where_a_paragraph_line_or_sentence_does():
    text = "First paragraph here.\n\nSecond one. It goes on and on for quite some time."
    parts = [text[start:end] for start, end in chunk(text, 30, 0)]
    assert parts[0] == "First paragraph here.\n\n"
    assert all(part[-1] in " \n." for part in parts)
    words = "word " * 100
    assert all(words[start - 1] == " " for start, _ in chunk(words, 52, 13)[1:])
    with pytest.raises(InputError, match="at most half"):
        chunk(text, 30, 16)
