"""The compiled step against the readable one: the layers, and what stands on
them, by the same witnesses and budgets; clipping and AdamW bit for bit."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt import layers as plain
from npgpt.checking.budgets import budgets, scales
from npgpt.checking.comparison import compared
from npgpt.checking.components import make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.implementations import numpy_implementation
from npgpt.checking.verdict import check_edges, verdict
from npgpt.errors import InputError
from npgpt.models import gpt2
from npgpt.replacing import rewired
from npgpt.runs.settings import Settings
from npgpt.speed import compiled
from npgpt.speed.compiled import adamw, layers, loops, model
from npgpt.speed.threads import sharded
from npgpt.training import (
    Trainer,
    adamw_init,
    adamw_step,
    clip_by_global_norm,
    init,
    loss_and_grads,
)
from npgpt.training.dropout_masks import draw_dropout_masks
from npgpt.tree import tree_leaves, tree_map, tree_map_with_path
from parity_tests.mutants.compiled import ADAMW, ADAMW_LOOP, LAYERS, LOOPS, as_it_is, interpreted
from parity_tests.strategies import cases
from parity_tests.suite import Wrong, implementations

CONFIG = gpt2.Config(vocab_size=31, context_length=150, layers=2, heads=2, channels=16)
COMPONENTS = ["linear", "layer_norm", "gelu", "blockwise_attention", "cross_entropy", "embedding",
              "gpt2.forward", "loss_and_grads"]
ON_LOOPS, ON_LOOPS_LOSS = compiled.on_loops(gpt2), compiled.on_loops(loss_and_grads)


def implementation(pairs=None, size=64):
    """The compiled layers, or others, and our functions on them; attention
    in blocks of so many queries."""
    others = [(original, partial(other, size=size) if other.__name__ == "blockwise_attention"
               else other) for original, other in pairs or model.pairs()]
    ours = numpy_implementation()
    return replace(ours, name="compiled", find=lambda name: rewired(ours.find(name), others))


@pytest.mark.parametrize("component", COMPONENTS)
@given(data=st.data(), size=st.sampled_from([1, 2, 3, 64]))
def test_it_agrees_with_every_witness(component, data, size, device):
    case = data.draw(cases(component))
    involved, _ = implementations(case, device)
    own = implementation(size=size)
    found = verdict(case, [*involved, own], own)
    if found.findings:
        raise Wrong(found.findings, [*involved, own])


@pytest.mark.parametrize("component", COMPONENTS)
def test_at_the_edges_it_does_the_same(component):
    _, findings = check_edges(make_case(component, seeded_draw(0)), implementation())
    assert not findings, findings


@pytest.mark.parametrize("tokens", [64, 65, 150])
@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_long_rows_add_up(tokens, rate):
    """As many tokens as one block of queries holds, one more, and three blocks."""
    params, given = rough(), batch(8, tokens, rate, np.float64)
    loss, grads = sharded(loss_and_grads, gpt2, params, CONFIG, given)
    again, same = sharded(ON_LOOPS_LOSS, ON_LOOPS, params, CONFIG, given)
    assert abs(loss - again) <= 1e-13
    for name, a, b in by_name(grads, same):
        assert a.dtype == b.dtype
        # a key's bias moves no score: its gradient is 0 but for rounding
        assert np.abs(a - b).max() <= 1e-12 * max(np.abs(a).max(), 1e-4), name


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_bits_do_not_depend_on_threads(rate):
    run = partial(sharded, ON_LOOPS_LOSS, ON_LOOPS, init(gpt2, CONFIG), CONFIG,
                  batch(20, 100, rate))
    one = run(threads=1)
    for threads in (2, 4, 2):
        again = run(threads=threads)
        assert again[0].tobytes() == one[0].tobytes()
        for name, a, b in by_name(again[1], one[1]):
            assert a.tobytes() == b.tobytes(), (threads, name)


def test_scores_may_be_huge():
    """Beyond what exp can hold, and rows whose later scores are larger still."""
    def steep(where, weight):
        return weight * 3000 if where.endswith("qkv.weight") else weight

    params = tree_map_with_path(steep, init(gpt2, CONFIG, dtype=np.float64))
    loss, grads = sharded(loss_and_grads, gpt2, params, CONFIG, batch(2, 150))
    again, same = sharded(ON_LOOPS_LOSS, ON_LOOPS, params, CONFIG, batch(2, 150))
    assert np.isfinite(loss) and abs(loss - again) <= 1e-9
    for name, a, b in by_name(grads, same):
        assert np.abs(a - b).max() <= 1e-6 * max(np.abs(a).max(), 1e-2), name


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", [
    "tokens.weight", "blocks.0.attention.qkv.bias", "blocks.0.attention.qkv.weight",
    "blocks.1.norm_2.weight", "blocks.1.feed_forward.up.bias"])
def test_what_is_no_number_stays_none(name, value):
    def spoil(where, weight):
        return np.full_like(weight, value) if where == name else weight

    loss, grads = sharded(
        ON_LOOPS_LOSS, ON_LOOPS, tree_map_with_path(spoil, init(gpt2, CONFIG)), CONFIG,
        batch(2, 20))
    assert not np.isfinite(loss)
    assert not all(np.isfinite(grad).all() for _, grad in tree_leaves(grads))


@pytest.mark.parametrize("name", [
    "blocks.0.norm_1.weight", "blocks.0.norm_2.bias", "blocks.0.attention.qkv.bias",
    "blocks.1.attention.out.bias", "blocks.1.feed_forward.up.bias",
    "blocks.1.feed_forward.down.bias", "norm.weight"])
def test_no_loop_reads_beyond_its_weights(name):
    def cut(where, weight):
        return weight[:-1] if where == name else weight

    with pytest.raises(ValueError):
        sharded(ON_LOOPS_LOSS, ON_LOOPS, tree_map_with_path(cut, init(gpt2, CONFIG)), CONFIG,
                batch(2, 20))


@pytest.mark.parametrize(("name", "given", "d_y", "error"), [
    ("layer_norm", [np.ones((5, 4)), np.ones(4), np.ones(4)], np.ones((4, 4)), ValueError),
    ("layer_norm", [np.ones((5, 4)), np.ones(4), np.ones(4)], np.ones((4, 5)), ValueError),
    ("linear", [np.ones((5, 4)), np.ones((4, 3)), np.ones(3)], np.ones((4, 3)), ValueError),
    ("gelu", [np.ones((5, 4))], np.ones((4, 4)), ValueError),
    ("blockwise_attention", [*np.ones((3, 1, 2, 5, 4)), None, True], np.ones((1, 2, 4, 4)),
     ValueError),
    ("blockwise_attention", [*np.ones((2, 1, 2, 5, 4)), np.ones((1, 2, 4, 4)), None, True], None,
     ValueError),
    ("blockwise_attention", [np.ones((1, 2, 5, 4)), *np.ones((2, 2, 2, 5, 4)), None, True], None,
     ValueError),
    ("blockwise_attention", [*np.ones((3, 1, 2, 5, 4)), None, True, np.ones((1, 2, 5, 3))], None,
     ValueError),
    ("cross_entropy", [np.ones((5, 4)), np.ones(4, int)], None, ValueError),
    ("cross_entropy", [np.ones((5, 4)), np.ones(6, int)], None, ValueError),
    ("cross_entropy", [np.ones((5, 4)), np.full(5, 4)], None, InputError),
    ("cross_entropy", [np.ones((5, 4)), np.full(5, -1)], None, InputError),
    ("embedding", [np.ones(5, int), np.ones((3, 4))], np.ones((4, 4)), ValueError),
    ("embedding", [np.ones(5, int), np.ones((3, 4))], np.ones((5, 3)), ValueError),
])
def test_no_loop_reads_beyond_its_arrays(name, given, d_y, error):
    own = implementation()
    if d_y is None:
        with pytest.raises(error):
            own.find(name)(*given)
        return
    _, saved = own.find(name)(*given)
    with pytest.raises(error):
        own.find(f"{name}_backward")(d_y, saved)


def test_no_row_is_added_beyond_a_table():
    with pytest.raises(IndexError):
        layers.embedding_backward(np.ones((1, 4)), (np.array([3]), np.ones((3, 4))))


def test_more_queries_than_keys_are_the_plain_layers():
    q, k, v = np.ones((1, 1, 3, 2)), np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2))
    y, saved = layers.blockwise_attention(q, k, v, causal=True)
    same, saved_too = plain.blockwise_attention(q, k, v, causal=True)
    assert np.array_equal(y, same)
    for a, b in zip(layers.blockwise_attention_backward(y, saved),
                    plain.blockwise_attention_backward(y, saved_too), strict=True):
        assert np.array_equal(a, b)


def test_backward_may_be_called_twice():
    logits, saved = ON_LOOPS.forward(rough(), batch(2, 80)["inputs"], CONFIG)
    once, again = ON_LOOPS.backward(logits, saved), ON_LOOPS.backward(logits, saved)
    assert all(np.array_equal(a, b) for _, a, b in by_name(once, again))


def test_weights_may_lie_anyhow():
    params = init(gpt2, CONFIG, dtype=np.float64)
    _, grads = sharded(ON_LOOPS_LOSS, ON_LOOPS, params, CONFIG, batch(2, 20))
    strided = tree_map(lambda weight: np.repeat(weight, 2, axis=-1)[..., ::2], params)
    _, same = sharded(ON_LOOPS_LOSS, ON_LOOPS, strided, CONFIG, batch(2, 20))
    for name, a, b in by_name(grads, same):
        assert np.abs(a - b).max() <= 1e-13 * max(np.abs(a).max(), 1e-2), name


# the same text on other layers

STRANGER = """
from npgpt import layers
from npgpt.layers import gelu, gelu_backward
from npgpt.models.gpt2 import Config, dropout_shapes, weights

def forward(params, ids, config, *, mask=None, positions=None, dropout_masks=None, cache=None):
    x, saved_tokens = layers.embedding(ids, **params["tokens"])
    x, saved_norm = layers.layer_norm(x, **params["norm"])
    x, saved_gelu = gelu(x)
    y, saved_head = layers.linear(x, **params["head"])
    return y, (saved_tokens, saved_norm, saved_gelu, saved_head)

def backward(d_y, saved):
    saved_tokens, saved_norm, saved_gelu, saved_head = saved
    d_x, d_head = layers.linear_backward(d_y, saved_head)
    d_x, d_norm = layers.layer_norm_backward(gelu_backward(d_x, saved_gelu), saved_norm)
    d_tokens = layers.embedding_backward(d_x, saved_tokens)
    return {"tokens": d_tokens, "norm": d_norm, "head": d_head}
"""


def stranger():
    """A model of someone else's, with weights for it."""
    module = ModuleType("stranger")
    exec(STRANGER, vars(module))
    params = init(gpt2, replace(CONFIG, tied=False), dtype=np.float64)
    return module, {name: params[name] for name in ("tokens", "norm", "head")}


def test_a_model_of_someone_elses_runs_on_loops(monkeypatch):
    called, norm = [], loops.layer_norm
    monkeypatch.setattr(loops, "layer_norm", lambda *given: called.append(1) or norm(*given))
    module, params = stranger()
    same = compiled.on_loops(module)
    assert same.Config is module.Config and compiled.on_loops(module) is same
    assert compiled.on_loops(same).forward.__code__ is module.forward.__code__
    loss, grads = sharded(loss_and_grads, module, params, CONFIG, batch(2, 20))
    assert not called
    again, same_grads = sharded(ON_LOOPS_LOSS, same, params, CONFIG, batch(2, 20))
    assert called and abs(loss - again) <= 1e-13
    for name, a, b in by_name(grads, same_grads):
        assert np.abs(a - b).max() <= 1e-13, name


def test_models_in_one_process_do_not_disturb_each_other():
    """Each in threads of its own, all at once: the bits of each alone."""
    module, little = stranger()
    params = init(gpt2, CONFIG, dtype=np.float64)
    made = [(loss_and_grads, gpt2, params), (ON_LOOPS_LOSS, ON_LOOPS, params),
            (loss_and_grads, module, little),
            (ON_LOOPS_LOSS, compiled.on_loops(module), little)] * 4

    def run(one):
        function, model, params = one
        return function(model, params, config=CONFIG, **batch(2, 70))

    alone = [run(one) for one in made]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, made))
    for (loss, grads), (again, same) in zip(alone, together):
        assert loss == again
        assert all(np.array_equal(a, b) for _, a, b in by_name(grads, same))
    assert alone[0][0] != alone[2][0]


def test_trainers_in_one_process_do_not_disturb_each_other():
    def trainer(on_loops):
        params = init(gpt2, CONFIG)
        if not on_loops:
            return Trainer(gpt2, CONFIG, params, Settings())
        return Trainer(ON_LOOPS, CONFIG, params, Settings(), loss_and_grads=ON_LOOPS_LOSS,
                       clip=compiled.clip_by_global_norm, update=compiled.adamw_step,
                       by_columns=compiled.by_columns)

    given, ends = batch(4, 30), []
    for kinds in ([False], [True], [False, True, True]):
        trainers = [trainer(kind) for kind in kinds]
        for _ in range(3):
            losses = [each.step(given, 1e-2) for each in trainers]
        ends += zip(kinds, losses, [each.params for each in trainers])
    for kind, losses, params in ends[2:]:
        _, alone, same = ends[kind]
        assert losses == alone
        assert all(np.array_equal(a, b) for _, a, b in by_name(params, same))
    for name, a, b in by_name(ends[0][2], ends[1][2]):
        assert np.abs(a - b).max() <= 1e-3, name


def test_it_is_made_once(monkeypatch):
    monkeypatch.setattr(model, "COPIES", {})
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(compiled.on_loops, [gpt2] * 8))
    assert len(made) == 1


# AdamW


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [1.0, 0.0, 1e-30, 1e30, np.inf, np.nan])
def test_adamw_gives_the_same_bits(dtype, value):
    assert not moves_apart(adamw, dtype, value)


def moves_apart(compiled, dtype="float32", value=1.0):
    """-> whether the two optimisers part in four steps, two of them clipped."""
    rng = np.random.default_rng(0)
    shapes = {"weight": (40, 33), "cube": (3, 5, 7), "bias": (65,), "none": (0,)}

    def draw(shape):
        return rng.standard_normal(shape).astype(dtype)

    one = {name: draw(shape) for name, shape in shapes.items()}
    other = {name: weight.copy() for name, weight in one.items()}
    state, same_state = adamw_init(one), adamw_init(other)
    for limit, options in ((0.5, {}), (1e9, {"weight_decay": 0.3, "betas": (0.8, 0.99)}),
                           (2.0, {"eps": 1e-3}), (1e9, {})):
        grads = {name: draw(shape) for name, shape in shapes.items()}
        grads["weight"][1, 2:4] *= np.asarray(value, dtype)
        clipped, norm = clip_by_global_norm(grads, limit)
        adamw_step(one, clipped, state, 1e-2, **options)
        clipped, same_norm = compiled.clip_by_global_norm(grads, limit)
        compiled.adamw_step(other, clipped, same_state, 1e-2, **options)
        if not np.array_equal(norm, same_norm, equal_nan=True):
            return True
    pairs = zip(tree_leaves([one, state["m"], state["v"]]),
                tree_leaves([other, same_state["m"], same_state["v"]]), strict=True)
    same = all(np.array_equal(a, b, equal_nan=True) for (_, a), (_, b) in pairs)
    return not same or state["step"] != same_state["step"]


@pytest.mark.parametrize("spoilt", range(4))
def test_adamw_refuses_what_it_cannot_walk_through(spoilt):
    """A shorter array, which a loop would read beyond, and a weight in strides,
    of which a copy would be moved."""
    for spoil, message in ((lambda a: a[:-1].copy(), "needs"), (lambda a: a[:, ::2], "side by")):
        arrays = [np.ones((4, 6)) for _ in range(4)]
        arrays[spoilt] = spoil(arrays[spoilt])
        params, grads, m, v = ({"weight": array} for array in arrays)
        with pytest.raises(ValueError, match=message):
            adamw.adamw_step(params, (grads, 1.0), {"step": 0, "m": m, "v": v}, 0.1)


def rough():
    """Scales that are not 1 and biases that are not 0."""
    return tree_map(lambda weight: weight + (
        0.3 * np.random.default_rng(weight.size).standard_normal(weight.shape)),
        init(gpt2, CONFIG, dtype=np.float64))


def batch(sequences, tokens, rate=0.0, dtype=np.float32):
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, 31, (2, sequences, tokens))
    made = {"inputs": ids, "targets": np.where(rng.random(targets.shape) < 0.1, -100, targets)}
    masks = draw_dropout_masks(gpt2, CONFIG, sequences, tokens, rate, 1, 1, dtype)
    return made | ({"dropout_masks": masks} if masks else {})


def by_name(one, other):
    """Yields name, and the array of that name in each tree."""
    others = dict(tree_leaves(other))
    assert [name for name, _ in sorted(tree_leaves(one))] == sorted(others)
    yield from ((name, array, others[name]) for name, array in tree_leaves(one))


# mistakes


def planted(loops_=None, layers_=None):
    """-> the pairs of layers with a mistake in a loop or in a layer."""
    module = interpreted(layers, *layers_ or ())
    module.loops = loops_ if isinstance(loops_, ModuleType) else (
        interpreted(loops, *loops_ or (), njit=as_it_is))
    return [(getattr(plain, name), getattr(module, name)) for name in module.__all__]


def found(pairs, mistaken=True, examples=20):
    """-> whether one of so many examples tells. Matrices lie by columns, as a
    trainer's do, where they have no more columns than rows."""
    def enter(array, dtype):
        array = numpy_implementation().enter(array, dtype)
        tall = array.ndim == 2 and array.shape[0] >= array.shape[1]
        return np.asfortranarray(array) if tall else array

    for seed in range(examples):
        own = replace(implementation(pairs, 1 + seed % 3), enter=enter)
        for component in ("loss_and_grads", "gpt2.forward", "blockwise_attention"):
            case, right, allowed = right_answer(component, seed)
            try:
                values = own.compute(case)
            except (ValueError, IndexError):    # it stops: a number is to tell
                assert mistaken, f"{component} stops at example {seed}"
                continue
            if compared("witness", case, values, right, ("compiled", "numpy"), allowed)[1]:
                return True
    return False


@cache
def right_answer(component, seed):
    """-> case, the plain layers' results, how far others may lie from them."""
    case, ours = make_case(component, seeded_draw(seed)), numpy_implementation()
    values = ours.compute(case)
    return case, values, budgets(case, scales(case, ours, values), "float64")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), LOOPS)
def test_mistakes_in_a_loop_are_found(old, new):
    assert found(planted((old, new)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), LAYERS)
def test_mistakes_in_a_layer_are_found(old, new):
    assert found(planted(None, (old, new)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), ADAMW_LOOP)
def test_mistakes_in_adamws_loop_are_found(old, new):
    assert moves_apart_by_hand(interpreted(loops, old, new, njit=as_it_is), interpreted(adamw))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), ADAMW)
def test_mistakes_in_adamw_are_found(old, new):
    assert moves_apart_by_hand(interpreted(loops, njit=as_it_is), interpreted(adamw, old, new))


def moves_apart_by_hand(planted_loops, planted_adamw):
    planted_adamw.loops = planted_loops
    try:
        return any(moves_apart(planted_adamw, value=value) for value in (1.0, np.inf))
    except (ZeroDivisionError, ValueError):  # a root of less than 0
        return True


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_without_a_mistake_nothing_is_found():
    assert not found(planted(), mistaken=False)
    assert not moves_apart_by_hand(interpreted(loops, njit=as_it_is), interpreted(adamw))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_where_no_directory_takes_the_machine_code_it_is_made_anew():
    def njit(cache=False, **options):
        def refuse(function):
            raise RuntimeError("cannot cache function: no locator available")
        return refuse if cache else as_it_is()

    assert not found(planted(interpreted(loops, njit=njit)), mistaken=False, examples=1)
