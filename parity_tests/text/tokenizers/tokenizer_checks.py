"""What must hold of the tokenizers, as functions of the package under test.

Tests call them with `npgpt.text`; mutants with a copy that has a mistake in it.
"""

import functools
import json
import random
import sys
import tempfile
import unicodedata
from collections import defaultdict
from types import SimpleNamespace

import regex
from hypothesis import example, given
from hypothesis import strategies as st

from parity_tests.text.tokenizers.families import FAMILIES, family_json, loaded, newer_marks

END = "<|endoftext|>"
TRAINING = (
    "The king lives in a castle. The king's daughter can't sing, she'll dance; it's 1999 or 2024.\n"
    "def add(a, b):\n    return a + b  # aaaa aaaaaaaa ababab abababab\n\n"
    "\tfor i in range(10):\n        pass\n"
    "naïve café, Straße, привет мир, مرحبا بالعالم, 你好世界, 😀😀 👩‍👩‍👧 a\u0301\n" * 3
)
FAMILY_TRAINING = TRAINING + "".join(
    f"{n * n} {'a' * (n % 9)}{' ' * (n % 7)}{'=' * (n % 11)}\n" for n in range(300))

# (first, last) code points that people write in, and ones that cause trouble
BLOCKS = (
    (0x00, 0x1F), (0x20, 0x7E), (0x7F, 0xA0), (0xA1, 0x24F), (0x300, 0x36F), (0x400, 0x4FF),
    (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x2000, 0x206F),
    (0x2150, 0x218F), (0x3000, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xACFF), (0xFB50, 0xFDFF),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFF), (0x1D400, 0x1D7FF), (0x1F300, 0x1F64F),
    (0x20000, 0x200FF), (0xE0000, 0xE007F), (0x10FFF0, 0x10FFFF),
)
SNIPPETS = (
    " ", "  ", "\n", "\r\n", "\t\t", " " * 40, "\n" * 9, "\u00a0", "\u3000 ", "'s", "'ll", "'VE",
    "don't", "x = {'a': [1, 2]}", "    if n<=0: return -1\n", "http://a.b/c?d=e&f#g", "aaaaaaa",
    "==========", "1234567890", "½²٣", "e\u0301", "👩‍👩‍👧", "🇫🇷", "\u200b", "\x00\x01", END, "Ġ",
)


def assigned(sign):
    """Newer characters belong to other classes in libraries with older tables."""
    return unicodedata.category(sign) not in ("Cn", "Cs")


ALPHABET = [
    [sign for code in range(first, last + 1) if assigned(sign := chr(code))]
    for first, last in BLOCKS
]
ALPHABET = [block for block in ALPHABET if block]


def drawn_text(seed):
    """A mixed text of up to some hundred characters; every seed gives another."""
    draw = random.Random(seed)
    parts = []
    for _ in range(draw.randrange(1, 12)):
        if draw.random() < 0.4:
            parts.append(draw.choice(SNIPPETS))
        else:
            parts.append("".join(draw.choices(draw.choice(ALPHABET), k=draw.randrange(1, 15))))
        parts.append(draw.choice(("", "", " ", "\n")))
    return "".join(parts)


@functools.cache
def categories_of_unicode():
    by_category = defaultdict(list)
    for character in map(chr, range(sys.maxunicode + 1)):
        if assigned(character):
            by_category[unicodedata.category(character)].append(character)
    assert len(by_category) == 28
    return [*by_category.values()]


def texts_of_all_categories(count):
    """Short texts; in all of them together every category of Unicode's characters."""
    draw, categories = random.Random(1), categories_of_unicode()
    for _ in range(count):
        parts = []
        for _ in range(draw.randrange(1, 20)):
            category = draw.choice(categories)
            parts += draw.choices(category, k=draw.randrange(1, 8))
            parts.append(draw.choice(("", "", " ", "\n", "  ", "a", "'s")))
        yield "".join(parts)


mixed = st.integers(0, 2**32).map(drawn_text)
texts = st.one_of(st.text(max_size=60), mixed)
# few letters, so that runs and ties are the rule
tied = st.text(alphabet="aab ", min_size=1, max_size=60)
# few words, each a number of times
repeated = st.lists(
    st.tuples(st.text(alphabet="abc", min_size=2, max_size=6), st.integers(1, 9)),
    min_size=2, max_size=5,
).map(lambda words: "".join(f" {word}" * count for word, count in words))


def trained(text, merges=200):
    counts = text.tokenizers.byte_pairs.count_words(TRAINING)
    learned = text.tokenizers.byte_pairs.train_merges(counts, merges)
    return text.BytePairTokenizer.train(TRAINING, 257 + len(learned))


def text_comes_back(text):
    tokenizer = trained(text)

    @given(texts)
    def check(sample):
        ids = tokenizer.encode(sample)
        assert tokenizer.decode(ids) == sample
        assert ids == tokenizer.encode_bytes(sample.encode("utf-8"))

    check()


def bytes_come_back(text):
    tokenizer = trained(text)

    @given(st.one_of(st.binary(max_size=80), texts.map(lambda t: t.encode("utf-8")[1:])))
    def check(data):
        assert tokenizer.decode_bytes(tokenizer.encode_bytes(data)) == data

    check()


def stream_is_the_whole(text):
    """For every cut: what was pushed is a beginning of the whole text, without half a
    character, and with what was held back it is what decode gives."""
    tokenizer = trained(text)

    @given(texts)
    def check(sample):
        ids = tokenizer.encode(sample)
        for cut in range(len(ids) + 1):
            stream = tokenizer.stream_decoder()
            shown = "".join([stream.push(id) for id in ids[:cut]])
            assert sample.startswith(shown)
            assert shown + stream.finish() == tokenizer.decode(ids[:cut])
        assert shown == sample

    @given(st.lists(st.integers(0, tokenizer.vocab_size - 1), max_size=40))
    def check_any_ids(ids):
        stream = tokenizer.stream_decoder()
        shown = "".join([stream.push(id) for id in ids])
        assert shown + stream.finish() == tokenizer.decode(ids)

    check()
    check_any_ids()


def merges_are_the_naive_ones(text):
    @given(st.one_of(tied, repeated, texts), st.integers(1, 20))
    def check(sample, limit):
        byte_pairs = text.tokenizers.byte_pairs
        merges = byte_pairs.train_merges(byte_pairs.count_words(sample), limit)
        assert merges == text.tokenizers.naive_byte_pairs.train(sample, 256 + len(merges))
        if len(merges) < limit:  # nothing is left to merge
            words = text.tokenizers.naive_byte_pairs.split(sample)
            for new, pair in enumerate(merges, start=256):
                words = [text.tokenizers.naive_byte_pairs.merge(word, pair, new) for word in words]
            assert all(len(word) == 1 for word in words)

    check()


def counts_overlap(text):
    """"aaaa" holds the pair three times, so it goes before one that stands twice."""
    merges = text.tokenizers.byte_pairs.train_merges({"aaaa": 1, "bc": 2}, 1)
    a = text.tokenizers.naive_byte_pairs.BYTES.index(b"a")
    assert merges == [(a, a)]
    assert text.tokenizers.naive_byte_pairs.train("aaaa bc bc", 257) == [(a, a)]


def ids_are_the_naive_ones(text):
    tokenizer = trained(text)

    @given(st.one_of(tied, texts))
    def check(sample):
        naive = text.tokenizers.naive_byte_pairs
        assert tokenizer.encode(sample) == naive.encode(sample, tokenizer.merges)

    check()


def tables_of_short_words_are_merged_as_one_word_is(text):
    """`short_words` against `merging`: runs that overlap, any bytes, every length."""
    tokenizer = trained(text)
    tables = tokenizer._byte_ids, tokenizer.merges, tokenizer._made
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    short_words = text.tokenizers.short_words.ShortWords(*tables)
    longest = text.tokenizers.short_words.WIDTHS[-1]
    word = st.one_of(st.text(alphabet="ab", min_size=1, max_size=longest).map(str.encode),
                     st.sampled_from(TRAINING.encode().split()).map(lambda word: word[:longest]),
                     st.binary(min_size=1, max_size=longest))

    @given(st.lists(word, min_size=1, max_size=30))
    def check(words):
        assert short_words.merge(words) == [
            text.tokenizers.merging.merge_word(
                [tokenizer._byte_ids[byte] for byte in word], *tables[1:], ranks)
            for word in words]

    check()


def words_are_those_of_the_pattern(text):
    ascii_text = st.text(alphabet=[chr(code) for code in range(128)], max_size=60)

    @given(st.one_of(ascii_text, texts))
    def check(sample):
        cutting = text.tokenizers.cutting
        found = regex.findall(text.tokenizers.naive_byte_pairs.PATTERN, sample)
        assert cutting.cut_words(sample) == found
        # one foreign letter far away: the rest is cut as ASCII, in small blocks
        around = f"{sample}{' word' * 200} é {sample}"
        assert cutting.cut_words(around) == regex.findall(
            text.tokenizers.naive_byte_pairs.PATTERN, around)

    check()


def blocks_are_the_whole(text):
    """However a text comes, and wherever it is cut, its ids are those of the whole."""
    names = ["<a b>", "b> <", "<a", END]
    tokenizer = text.BytePairTokenizer.train(TRAINING, 320, special_tokens=names)
    part = st.sampled_from([*names, "<a", " ", "b>", "  ", " \n", "\n\n", "ab", "'s", "<"])
    one_by_one = st.lists(part, max_size=12).map("".join).map(list)

    @given(st.one_of(st.lists(st.one_of(texts, part), max_size=12), one_by_one),
           st.integers(1, 12))
    def check(parts, size):
        whole = "".join(parts)
        for allowed in ([], names):
            blocks = [*text.tokenizers.cutting.cut_blocks(parts, allowed, size)]
            assert "".join(blocks) == whole
            ids = [id for block in blocks for id in tokenizer.encode(block, allowed)]
            assert ids == tokenizer.encode(whole, allowed)
            assert ids == [*tokenizer.encode_iterable(parts, allowed)]

    whole = "x <a b> y"
    for place in range(len(whole)):         # one text ends within the name
        for size in range(1, len(whole)):
            blocks = text.tokenizers.cutting.cut_blocks([whole[:place], whole[place:]], names, size)
            assert any("<a b>" in block for block in blocks)
    check()


def special_tokens_are_whole_or_text(text):
    tokenizer = trained(text)
    special = tokenizer.special_ids[END]

    @given(texts, texts)
    def check(before, after):
        sample = before.replace(END, "") + END + after.replace(END, "")
        plain = tokenizer.encode(sample)
        assert special not in plain and tokenizer.decode(plain) == sample
        allowed = tokenizer.encode(sample, allowed_special=[END])
        first, last = (tokenizer.encode(part) for part in sample.split(END))
        assert allowed == [*first, special, *last]
        assert allowed == tokenizer.encode(sample, allowed_special="all")

    check()


def ids_are_those_of_tokenizers(text):
    from tokenizers import Tokenizer

    tokenizer = trained(text)
    theirs = Tokenizer.from_str(tokenizer.to_json())
    theirs.encode_special_tokens = True  # names in text are text, as with us

    @given(mixed)
    def check(sample):
        assert tokenizer.encode(sample) == theirs.encode(sample).ids

    check()


def families_have_the_ids_of_tokenizers(text):
    """SmolLM's, Llama-3's and Qwen's ways to cut and merge; the text's blocks, too."""
    from tokenizers import Tokenizer

    pairs = []
    sources = [family_json(family, FAMILY_TRAINING) for family in FAMILIES]
    other = json.loads(sources[-1])
    other["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {"Regex": r"\p{L}+|\d{2}"}
    for source in [*sources, json.dumps(other)]:
        with tempfile.TemporaryDirectory() as folder:
            pairs.append((loaded(text, source, folder), Tokenizer.from_str(source)))
    parts = ("2024 ", "12345", " e\u0301", "the king's daughter ", "a.\n", "aaaaaaa",
             "    ", "\n\n", "======", ")\n ", *TRAINING.split()[:40])

    @given(mixed, st.lists(st.sampled_from(parts), max_size=6))
    def check(sample, parts):
        sample = "".join([*parts, sample]).replace(END, "")
        sample = "".join([sign for sign in sample if sign not in newer_marks()])
        for ours, theirs in pairs:
            ids = ours.encode(sample)
            assert ids == theirs.encode(sample, add_special_tokens=False).ids
            blocks = text.tokenizers.cutting.cut_blocks([sample], (), 3, ours.cutting.border)
            assert ids == [id for block in blocks for id in ours.encode(block)]

    check()


def merges_in_any_order_have_the_ids_of_tokenizers(text):
    """A file may list a merge before the merges that make its parts: in "abab" the first
    "ab" is "aba" before the second is joined."""
    from tokenizers import Tokenizer

    whole = json.loads(text.BytePairTokenizer.train("a", 257).to_json())
    whole["model"]["vocab"] |= {"ab": 257, "aba": 258, "aa": 259, "aaba": 260}
    whole["model"]["merges"] = ["ab a", "a aba", "a b", "a a"]
    theirs = Tokenizer.from_str(json.dumps(whole))
    with tempfile.TemporaryDirectory() as folder:
        ours = loaded(text, json.dumps(whole), folder)

    @given(tied)
    @example("abab")
    def check(sample):
        assert ours.encode(sample) == theirs.encode(sample).ids

    check()


CHECKS = SimpleNamespace(
    merges_are_the_naive_ones=merges_are_the_naive_ones,
    counts_overlap=counts_overlap,
    ids_are_the_naive_ones=ids_are_the_naive_ones,
    ids_are_those_of_tokenizers=ids_are_those_of_tokenizers,
    tables_of_short_words_are_merged_as_one_word_is=(
        tables_of_short_words_are_merged_as_one_word_is),
    words_are_those_of_the_pattern=words_are_those_of_the_pattern,
    blocks_are_the_whole=blocks_are_the_whole,
    special_tokens_are_whole_or_text=special_tokens_are_whole_or_text,
    merges_in_any_order_have_the_ids_of_tokenizers=(
        merges_in_any_order_have_the_ids_of_tokenizers),
    families_have_the_ids_of_tokenizers=families_have_the_ids_of_tokenizers,
    text_comes_back=text_comes_back,
    bytes_come_back=bytes_come_back,
    stream_is_the_whole=stream_is_the_whole,
)
