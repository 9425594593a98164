import math

import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call


def solve_analogies(draw):
    V, C, M = draw("V", range(4, 9)), draw("C", range(1, 5)), draw("M", range(1, 4))
    numbers = draw.numbers()
    return FunctionCase(
        component="solve_analogies",
        options={"vectors": numbers.normal(V, C), "questions": numbers.below(V, M, 3)},
        call=lambda find, case: {"answers": find("solve_analogies")(**case.options)},
        expected=by_trying_each, scale=lambda case: {"answers": 0.0}, discrete=True,
        edges=(the_corner_of_a_square, a_word_of_zeros))


def by_trying_each(case):
    """Each other word, the first of the nearest."""
    vectors = [np.array(row) / math.hypot(*row) for row in case.options["vectors"]]
    answers = []
    for a, b, c in case.options["questions"]:
        wanted = vectors[b] - vectors[a] + vectors[c]
        others = [i for i in range(len(vectors)) if i not in (a, b, c)]
        answers.append(max(others, key=lambda i: round(float(wanted @ vectors[i]), 12)))
    return {"answers": np.array(answers)}


def the_corner_of_a_square(package):
    """man, woman, king, queen, and a word between the last two."""
    vectors = np.array([[1.0, 1, 0], [1, -1, 0], [1, 1, 1], [1, -1, 1], [1, 0, 1]])
    questions = np.array([[0, 1, 2], [1, 0, 3], [0, 2, 1]])
    yield "answers", call(package, "solve_analogies", vectors, questions), [3, 2, 3]


def a_word_of_zeros(package):
    """It lies in no direction, and is not a number's error."""
    vectors = np.array([[1.0, 0], [0, 1], [1, 1], [0, 0], [-1, 2]])
    yield "answer", call(package, "solve_analogies", vectors, np.array([[0, 1, 2]])), [4]
