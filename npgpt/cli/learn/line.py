"""npgpt learn line: fit a line by gradient descent, step by step."""

from collections.abc import Callable
from pathlib import Path

from npgpt.cli.learn.lesson import Out, Seed, finish, lesson_directory
from npgpt.cli.options import AsJson
from npgpt.cli.tables import print_table


def line(seed: Seed = 1, out: Out = None, as_json: AsJson = False) -> None:
    """Fit a line to noisy points in ten steps of gradient descent.

    The points lie near y = 3x + 2. The first guess is weight 4.5 and bias 0.4;
    each step goes a little way downhill. A table says what happened, and the
    picture has each step and the landscape of the loss with the path.

    \b
    npgpt learn line
    npgpt learn line --seed 7 --out runs/my-line
    """
    from npgpt.foundations import fit_line

    teach(fit_line, seed, out, as_json)


def teach(fit_line: Callable, seed: int, out: Path | None, as_json: bool) -> None:
    """The lesson, by either package's function."""
    from npgpt.runs.lessons.line import learn_line
    from npgpt.runs.lessons.line_picture import draw_line

    with lesson_directory(out, "line") as directory:
        found = learn_line(fit_line, seed)
        draw_line(found, directory / "line.png")
    if not as_json:
        report(found)
    finish(found, directory, "line", as_json)


def report(found: dict) -> None:
    path, best = found["path"], found["best"]
    first, last = path[0], path[-1]
    print(f"{found['points']} points lie near y = 3·x + 2, each a little off. The first guess is"
          f" y = {first['weight']:g}·x + {first['bias']:g}.")
    print_table(
        ("step", "weight", "bias", "loss"),
        [(str(at["step"]), *(f"{at[name]:.4f}" for name in ("weight", "bias", "loss")))
         for at in path], left=0)
    print(f"After {last['step']} steps the line is y = {last['weight']:.3f}·x +"
          f" {last['bias']:.3f}. The best line for these points is y = {best['weight']:.3f}·x +"
          f" {best['bias']:.3f}: its loss, {best['loss']:.4f}, is the noise that no line can"
          " fit.")
