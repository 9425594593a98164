"""npgpt learn words: vectors for words, learned from the words beside them."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated

from npgpt.cli.learn.lesson import Out, Seed, finish, lesson_directory
from npgpt.cli.options import AsJson, option
from npgpt.cli.progress import Bar
from npgpt.cli.tables import print_table
from npgpt.errors import InputError

METHODS = ("skip-gram", "cbow")
Method = Annotated[str, option(
    "--method", "skip-gram: from a word guess its neighbours; cbow: from its neighbours guess the"
    " word.", default="skip-gram")]


def words(
    method: Method = "skip-gram", seed: Seed = 1, out: Out = None, as_json: AsJson = False,
) -> None:
    """Learn a vector for each word from nothing but the words beside it.

    The sentences come from a grammar, so it is known what can be learned: a king
    is to a queen as a man is to a woman, Paris is to France as Rome is to Italy.
    The picture has the words in a plane, and each pair as an arrow.

    \b
    npgpt learn words
    npgpt learn words --method cbow --out runs/my-words
    """
    from npgpt import foundations

    teach(foundations, method, seed, out, as_json)


def teach(
    foundations: ModuleType, method: str, seed: int, out: Path | None, as_json: bool,
    **borders: Callable,
) -> None:
    """The lesson, by either package's functions; borders: see `learn_words`."""
    from npgpt.foundations import pca
    from npgpt.runs.lessons.words import learn_words, write_vectors
    from npgpt.runs.lessons.words_picture import draw_words

    if method not in METHODS:
        raise InputError(f"--method {method} is neither of {', '.join(METHODS)}: give one of them")
    with lesson_directory(out, "words") as directory, Bar() as bar:
        bar.begin("learning")
        last = 0

        def report(progress: float, text: str) -> None:
            nonlocal last
            done = int(100 * progress)
            bar.show(done, 100, text, done >= last + 10, " %")
            last = done if done >= last + 10 else last

        found = learn_words(foundations, seed, method, report=report, **borders)
        draw_words(found, pca, directory / "words.png")
    named, vectors = found.pop("words"), found.pop("vectors")
    write_vectors(directory / "vectors.txt", named, vectors)
    found |= {"words": len(named), "vectors": str(directory / "vectors.txt")}
    if not as_json:
        tell(found)
    finish(found, directory, "words", as_json)


def tell(found: dict) -> None:
    from npgpt.runs.lessons.words import mean_of

    print(f"{found['sentences']:,} sentences with {found['words']} different words, such as:")
    for sentence in found["examples"]:
        print(f"  {sentence}")
    print(f"From the words beside it alone ({found['method']}), each word has got a vector of"
          f" {found['channels']} numbers.")
    before, counts = found["baselines"]["untrained"], found["baselines"]["counts"]
    print_table(
        ("a is to b as c is to …: right, per cent", "untrained", "counted", "learned"),
        [(name, *(f"{100 * each[name]:.1f}" for each in (before, counts, found["accuracy"])))
         for name in found["accuracy"]]
        + [("mean", *(f"{100 * mean_of(each):.1f}"
                      for each in (before, counts, found["accuracy"])))])
    print("Untrained: the random start. Counted: how often each word stands beside each, a"
          f" vector of {found['words']} numbers, with nothing learned.")
    first, second, third = found["asked"]
    said = ", ".join(f"{word} ({cosine:.2f})" for word, cosine in found["answers"])
    print(f"{first} − {second} + {third} lies nearest to {said}.")
    for word, near in found["nearest"].items():
        print(f"Nearest to {word}: " + ", ".join(f"{other} ({cosine:.2f})"
                                                 for other, cosine in near) + ".")
    print(f"All vectors are in {found['vectors']}, in word2vec's own format.")
