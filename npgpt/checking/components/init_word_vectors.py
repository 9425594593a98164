import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import back, call, run


def init_word_vectors(draw):
    V, C = draw("V", range(1, 6)), draw("C", range(1, 6))
    numbers = draw.numbers()
    draws = numbers.uniform(V, C).astype(np.float32).astype(np.float64)
    return FunctionCase(
        component="init_word_vectors", options={"draws": draws},
        call=lambda find, case: dict(find("init_word_vectors")(**case.options)),
        expected=by_definition, scale=lambda case: {"input_vectors": 1, "output_vectors": 0},
        edges=(something_learns,))


def by_definition(case):
    """U(−½, ½)/C and zeros, as word2vec.c begins."""
    draws = case.options["draws"]
    V, C = draws.shape
    rows = [[draws[i, j] / C - 1 / (2 * C) for j in range(C)] for i in range(V)]
    return {"input_vectors": np.array(rows), "output_vectors": np.zeros((V, C))}


def something_learns(package):
    """Were both tables zero, every gradient would be zero, for ever."""
    tables = call(package, "init_word_vectors", np.array([[0.25, 1.0], [0.5, 0.75]]))
    _, saved = run(package, "skip_gram", np.array([0]), np.array([1]), np.array([[0]]), **tables)
    grads = back(package, "skip_gram", np.ones(1), saved)
    yield "d_output_vectors", grads["output_vectors"], [[-0.0625, 0.125], [0.0625, -0.125]]
