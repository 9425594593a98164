"""torchgpt learn: as npgpt learn, in PyTorch."""

import typer

from npgpt.cli.learn import line as line_lesson
from npgpt.cli.learn import sequences as sequences_lesson
from npgpt.cli.learn import spam as spam_lesson
from npgpt.cli.learn import words as words_lesson
from npgpt.cli.learn.lesson import Out, Seed
from npgpt.cli.options import AsJson
from npgpt.cli.run import let_threads_sleep

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="The lessons of npgpt learn, with PyTorch's functions.\n\n\b\ntorchgpt learn line",
)


@app.command()
def line(seed: Seed = 1, out: Out = None, as_json: AsJson = False) -> None:
    """Fit a line to noisy points in ten steps of gradient descent.

    \b
    torchgpt learn line
    """
    let_threads_sleep()
    import torch

    from torchgpt.foundations import fit_line

    def fit(x, targets, *how):
        path = fit_line(torch.from_numpy(x), torch.from_numpy(targets), *how)
        return [tuple(map(float, point)) for point in path]

    line_lesson.teach(fit, seed, out, as_json)


@app.command()
def spam(
    corpus: spam_lesson.Corpus = None, seed: Seed = 1, out: Out = None, as_json: AsJson = False,
) -> None:
    """Tell spam from wanted messages by rules, and by learning.

    \b
    torchgpt learn spam
    """
    let_threads_sleep()
    import torch

    from torchgpt.foundations import fit_logistic

    def fit(x, labels, *how):
        weight, bias, losses = fit_logistic(torch.from_numpy(x), torch.from_numpy(labels), *how)
        return weight.numpy(), float(bias), losses

    spam_lesson.teach(fit, corpus, seed, out, as_json)


@app.command()
def sequences(
    task: sequences_lesson.Task = "reverse", length: sequences_lesson.Length = 20,
    steps: sequences_lesson.Steps = 700, no_positions: sequences_lesson.NoPositions = False,
    seed: Seed = 1, out: Out = None, as_json: AsJson = False,
) -> None:
    """Teach an encoder–decoder to write random letters backwards.

    \b
    torchgpt learn sequences
    """
    let_threads_sleep()
    from torchgpt.models import encoder_decoder
    from torchgpt.training import Trainer

    def make_trainer(config, params, settings):
        return Trainer(encoder_decoder, config, params, settings, device="cpu")

    sequences_lesson.teach(
        make_trainer, task, length, steps, no_positions, seed, out, as_json)


@app.command()
def words(
    method: words_lesson.Method = "skip-gram", seed: Seed = 1, out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Learn a vector for each word from nothing but the words beside it.

    \b
    torchgpt learn words
    """
    let_threads_sleep()
    import torch

    from torchgpt import foundations

    words_lesson.teach(
        foundations, method, seed, out, as_json, enter=torch.from_numpy, leave=torch.Tensor.numpy)
