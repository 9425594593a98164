import numpy as np

from npgpt.checking.case import FunctionCase, backward_of
from npgpt.checking.components._word2vec import IGNORE, drawn_noise, drawn_tables
from npgpt.tree import tree_map


def fit_word_vectors(draw):
    M, G, steps = draw("M", range(1, 4)), draw("G", range(1, 3)), draw("steps", [1, 2])
    V, C = draw("V", range(1, 5)), draw("C", range(1, 4))
    method = draw("method", ["skip_gram", "cbow"])
    numbers = draw.numbers()
    batches = []
    for step in range(steps):
        rows = {"context": numbers.below(V, M, 2)}
        if method == "skip_gram":
            rows = {"focus": numbers.below(V, M)}
        batch = {**rows, "target": numbers.below(V, M),
                 "negatives": drawn_noise(numbers, V, M, G, True)}
        batches.append([batch, step / steps])
    return FunctionCase(
        component="fit_word_vectors", params=drawn_tables(numbers, V, C, "benign"),
        options={"batches": batches, "method": method}, call=call_fit,
        expected=as_the_original_does, scale=fit_scale)


def call_fit(find, case):
    method, results = case.options["method"], {}
    fitted = find("fit_word_vectors")(
        find(method), find(backward_of(method)), case.params, case.options["batches"], 0.25)
    for step, (tables, loss) in enumerate(fitted):
        results |= {f"{name}.{step}": table for name, table in tables.items()}
        results[f"loss.{step}"] = np.array(loss)
    return results


def as_the_original_does(case):
    """word2vec.c's loops: pair by pair and word by word, what a pair does to the vectors before
    the target is collected in `neu1e`; here all pairs of a batch meet the same tables."""
    tables, results = dict(case.params), {}
    for step, (batch, progress) in enumerate(case.options["batches"]):
        after, costs = tree_map(np.copy, tables), []
        for i, target in enumerate(batch["target"]):
            before = batch["focus"][i:i + 1] if "focus" in batch else batch["context"][i]
            neu1 = tables["input_vectors"][before].mean(axis=0)
            neu1e, cost = np.zeros_like(neu1), 0.0
            for word, label in [(target, 1), *((word, 0) for word in batch["negatives"][i])]:
                if word == IGNORE:
                    continue
                syn1 = tables["output_vectors"][word]
                f = 1 / (1 + np.exp(-neu1 @ syn1))
                g = (label - f) * 0.25 * (1 - progress)
                neu1e += g * syn1
                after["output_vectors"][word] += g * neu1
                cost -= np.log(f if label else 1 - f)
            for word in before:
                after["input_vectors"][word] += neu1e / len(before)
            costs.append(cost)
        tables = after
        results |= {f"{name}.{step}": table for name, table in tables.items()}
        results[f"loss.{step}"] = np.mean(costs)
    return results


def fit_scale(case):
    """Scores of order ten at most, moved by what is a little more each step."""
    sizes = {}
    for step in range(len(case.options["batches"])):
        sizes |= {f"{name}.{step}": 10.0 * 4 ** step for name in case.params}
        sizes[f"loss.{step}"] = 20.0 * 4 ** step
    return sizes
