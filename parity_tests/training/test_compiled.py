"""The compiled step against the readable one: the pass by the same witnesses
and budgets, clipping and AdamW bit for bit."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.checking.components import make_case
from npgpt.checking.draw import seeded_draw
from npgpt.checking.implementations import numpy_implementation
from npgpt.checking.verdict import verdict
from npgpt.families.gpt2 import Config
from npgpt.layers.blockwise_attention import BLOCK
from npgpt.speed.compiled import adamw, loops, loss_and_grads_of_shard, shard
from npgpt.training import adamw_init, adamw_step, clip_by_global_norm, init_gpt, loss_and_grads
from npgpt.training.dropout_masks import draw_keep
from npgpt.tree import leaves, rebuild
from parity_tests.strategies import cases
from parity_tests.suite import Wrong
from torchgpt.checking import witnesses

CONFIG = Config(vocab_size=31, context_length=150, layers=2, heads=2, channels=16)


def compiled_by(one_shard=loss_and_grads_of_shard):
    """Whatever the arrays' layout: a new one is a new compilation."""
    find = {"loss_and_grads": partial(loss_and_grads, shard=one_shard)}.get
    return replace(numpy_implementation(), name="compiled", find=find, layouts={})


def causal(case):
    """The case without its mask, which the compiled pass does not take."""
    return replace(case, options={**case.options, "visible": None})


@given(data=st.data(), block=st.sampled_from([1, 2, 3, BLOCK]))
def test_it_agrees_with_every_witness(data, block, device):
    case = causal(data.draw(cases("loss_and_grads")))
    compiled = compiled_by()
    involved = [*witnesses(case, device), compiled]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard, "BLOCK", block)
        findings = verdict(case, involved, compiled).findings
    if findings:
        raise Wrong(findings, involved)


@pytest.mark.parametrize("tokens", [64, 65, 150])
@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_long_rows_add_up(tokens, rate):
    """As many tokens as one block of queries holds, one more, and three blocks."""
    params = rebuild(init_gpt(CONFIG, dtype=np.float64), rough)
    ids, targets = batch(8, tokens)
    keep = draw_keep(CONFIG, 8, tokens, rate, 1, 1, np.float64)
    loss, grads = loss_and_grads(params, ids, targets, CONFIG, keep=keep)
    again, same = loss_and_grads(
        params, ids, targets, CONFIG, keep=keep, shard=loss_and_grads_of_shard)
    assert abs(loss - again) <= 1e-13
    for (name, a), (other, b) in zip(leaves(grads), leaves(same), strict=True):
        assert name == other and a.dtype == b.dtype
        # a key's bias moves no score: its gradient is 0 but for rounding
        assert np.abs(a - b).max() <= 1e-12 * max(np.abs(a).max(), 1e-4), name


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_bits_do_not_depend_on_threads(rate):
    params, (ids, targets) = init_gpt(CONFIG), batch(20, 100)
    keep = draw_keep(CONFIG, 20, 100, rate, seed=1, step=0)
    run = partial(loss_and_grads, params, ids, targets, CONFIG, keep=keep,
                  shard=loss_and_grads_of_shard)
    one = run(threads=1)
    for threads in (2, 4, 2):
        again = run(threads=threads)
        assert again[0].tobytes() == one[0].tobytes()
        for (name, a), (_, b) in zip(leaves(again[1]), leaves(one[1])):
            assert a.tobytes() == b.tobytes(), (threads, name)


def test_scores_may_be_huge():
    """Beyond what exp can hold, and rows whose later scores are larger still."""
    def steep(where, weight):
        return weight * 3000 if where.endswith("qkv.weight") else weight

    params, (ids, targets) = rebuild(init_gpt(CONFIG, dtype=np.float64), steep), batch(2, 150)
    loss, grads = loss_and_grads(params, ids, targets, CONFIG)
    again, same = loss_and_grads(params, ids, targets, CONFIG, shard=loss_and_grads_of_shard)
    assert np.isfinite(loss) and abs(loss - again) <= 1e-9
    for (name, a), (_, b) in zip(leaves(grads), leaves(same)):
        assert np.abs(a - b).max() <= 1e-6 * max(np.abs(a).max(), 1e-2), name


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", [
    "tokens.weight", "blocks.0.attention.qkv.bias", "blocks.0.attention.qkv.weight",
    "blocks.1.norm_2.weight", "blocks.1.feed_forward.up.bias"])
def test_what_is_no_number_stays_none(name, value):
    def spoil(where, weight):
        return np.full_like(weight, value) if where == name else weight

    params, (ids, targets) = rebuild(init_gpt(CONFIG), spoil), batch(2, 20)
    loss, grads = loss_and_grads(params, ids, targets, CONFIG, shard=loss_and_grads_of_shard)
    assert not np.isfinite(loss)
    assert not all(np.isfinite(grad).all() for _, grad in leaves(grads))


def test_a_mask_is_refused():
    params, (ids, targets) = init_gpt(CONFIG), batch(2, 20)
    with pytest.raises(ValueError, match="visible"):
        loss_and_grads(params, ids, targets, CONFIG, visible=np.tri(20, dtype=bool),
                       shard=loss_and_grads_of_shard)


@pytest.mark.parametrize("name", [
    "blocks.0.norm_1.weight", "blocks.0.norm_2.bias", "blocks.1.attention.out.bias",
    "blocks.1.feed_forward.up.bias", "blocks.1.feed_forward.down.bias", "norm.weight"])
def test_no_loop_reads_beyond_its_arrays(name):
    def cut(where, weight):
        return weight[:-1] if where == name else weight

    params, (ids, targets) = rebuild(init_gpt(CONFIG), cut), batch(2, 20)
    with pytest.raises(ValueError):
        loss_and_grads(params, ids, targets, CONFIG, shard=loss_and_grads_of_shard)


def test_weights_may_lie_anyhow():
    params, (ids, targets) = init_gpt(CONFIG, dtype=np.float64), batch(2, 20)
    _, grads = loss_and_grads(params, ids, targets, CONFIG, shard=loss_and_grads_of_shard)
    strided = rebuild(params, lambda _, weight: np.repeat(weight, 2, axis=-1)[..., ::2])
    _, same = loss_and_grads(strided, ids, targets, CONFIG, shard=loss_and_grads_of_shard)
    for (name, a), (_, b) in zip(leaves(grads), leaves(same)):
        assert np.abs(a - b).max() <= 1e-13 * max(np.abs(a).max(), 1e-2), name


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
    pairs = zip(leaves([one, state["m"], state["v"]]),
                leaves([other, same_state["m"], same_state["v"]]), strict=True)
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


def rough(_, weight):
    """Scales that are not 1 and biases that are not 0."""
    return weight + 0.3 * np.random.default_rng(weight.size).standard_normal(weight.shape)


def batch(sequences, tokens):
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, 31, (2, sequences, tokens))
    return ids, np.where(rng.random(targets.shape) < 0.1, -100, targets)


# mistakes: the text before and after; run by the interpreter, nothing is compiled

LOOPS = [
    ("x[r, c] += more[r, c] + shift[c]", "x[r, c] += more[r, c]"),
    ("x[r, c] += more[r, c] + shift[c]", "x[r, c] = more[r, c] + shift[c]"),
    ("mean = total * share\n        # (2) divide", "mean = total\n        # (2) divide"),
    ("centred = x[r, c] - mean", "centred = x[r, c]"),
    ("math.sqrt(squares * share + kind(eps))", "math.sqrt(squares * share)"),
    ("normed[r, c] = (x[r, c] - mean) * inv", "normed[r, c] = x[r, c] * inv"),
    ("normed[r, c] * weight[c] + bias[c]", "normed[r, c] * weight[c]"),
    ("d_weight[c] += d_y[r, c] * normed[r, c]", "d_weight[c] += d_y[r, c]"),
    ("d_bias[c] += d_y[r, c]\n            d_normed", "d_bias[c] = d_y[r, c]\n            d_normed"),
    ("along *= share", "along *= 1"),
    ("mean = total * share\n        # (2, 1)", "mean = 0 * share\n        # (2, 1)"),
    ("d_x[r, c] += (d_normed", "d_x[r, c] = (d_normed"),
    ("normed[r, c] * along) * inv_std[r, 0]", "normed[r, c] * along)"),
    ("x[r, c] += bias[c]\n", "pass\n"),
    ("(one + three * x[r, c] * x[r, c])", "(one + three * x[r, c])"),
    ("gate = half * tanh[r, c] + half", "gate = half * tanh[r, c]"),
    ("kind(2 * ROOT), kind(6 * ROOT * CUBIC)", "kind(2 * ROOT), kind(2 * ROOT * CUBIC)"),
    ("y * (one - gate) * d_inner", "y * gate * d_inner"),
    ("d_y[r, c] *= slope[r, c]", "d_y[r, c] *= 1"),
    ("d_bias[c] += d_y[r, c]\n    return", "d_bias[c] = d_y[r, c]\n    return"),
    ("S - T + t + 1", "min(S, S - T + t + 2)"),
    ("S - T + t + 1", "t + 1"),
    ("(row[s] - top) * factor", "row[s] - top"),
    ("row[s] = -np.inf", "row[s] = 0"),
    ("total += row[s]", "total = row[s]"),
    ("row[s] * (d_row[s] - less) * factor", "row[s] * (d_row[s] - less)"),
    ("row[s] * (d_row[s] - less) * factor", "row[s] * d_row[s] * factor"),
    ("d_weight[ids[r], c] += d_y[r, c]", "d_weight[ids[r], c] = d_y[r, c]"),
]
SHARD = [
    ("tokens += places", "places"),
    ("x = times(tokens.reshape(R, C), keep.get(\"embedding\"))", "x = tokens.reshape(R, C)"),
    ("d_head = d_logits.T @ normed if", "d_head = 2 * d_logits.T @ normed if"),
    ("else normed.T @ d_logits", "else 2 * normed.T @ d_logits"),
    ("d_blocks = [block_backward(d_x, saved) for saved in reversed(saved_blocks)]",
     "d_blocks = [block_backward(d_x, saved) for saved in saved_blocks]"),
    ("d_blocks[::-1]", "d_blocks"),
    ("d_x = times(d_x, keep.get(\"embedding\"))", "d_x = d_x"),
    ("d_head if tied else", "np.zeros_like(weight) if tied else"),
    ("keep.get(\"attention_out\"))\n    # (2)", "None)\n    # (2)"),
    ("keep.get(\"feed_forward_out\"))\n    return more", "None)\n    return more"),
    ("d_narrow = times(d_x, keep.get(\"feed_forward_out\"))", "d_narrow = d_x"),
    ("\"bias\": column_sum(d_narrow)", "\"bias\": column_sum(bent)"),
    ("d_up = {\"weight\": normed_2.T", "d_up = {\"weight\": normed_1.T"),
    ("d_mixed = times(d_x, keep.get(\"attention_out\"))", "d_mixed = d_x"),
    ("(d_mixed.T @ seen).T", "(d_mixed.T @ normed_1).T"),
    ("(d_mixed.T @ seen).T", "d_mixed.T @ seen"),
    ("(d_narrow.T @ bent).T", "2 * (d_narrow.T @ bent).T"),
    ("qkv += params[\"bias\"]", "params[\"bias\"]"),
    ("kept = times(probs, keep, rows, end)", "kept = probs"),
    ("(d_rows @ v[:, :, :end].swapaxes(-1, -2), keep, rows, end)",
     "(d_rows @ v[:, :, :end].swapaxes(-1, -2), None, rows, end)"),
    ("y.swapaxes(1, 2)[:, :, rows]", "y.swapaxes(1, 2)[:, :, :end - rows.start]"),
    ("[(slice(*cut), cut[1]) for cut in cuts]", "[(slice(*cut), T) for cut in cuts]"),
    ("for (rows, end), (probs, kept) in", "for (rows, end), (kept, probs) in"),
    ("add_product(kept.swapaxes", "add_product(probs.swapaxes"),
    ("d_k[:, :, :end], first=end == T", "d_k[:, :, :end], first=True"),
    ("d_v[:, :, :end], first=end == T", "d_v[:, :, :end], first=True"),
    ("along = np.vecdot(y, d_y).swapaxes(1, 2)",
     "along = np.vecdot(y, d_y).reshape(B, H, T)"),
    ("return times(y + shift, mask), np.zeros_like(shift)", "return times(y, mask), shift"),
    ("return times(y + shift, mask), np.zeros_like(shift)", "return times(y + shift, mask), shift"),
    ("y * mask[:, :, rows, :end]", "y * mask[:, :, :end - rows.start, :end]"),
    ("EPS = 1e-5", "EPS = 1e-6"),
    ("\"bias\": column_sum(d_mixed)", "\"bias\": column_sum(seen)"),
    ("\"bias\": column_sum(d_qkv)", "\"bias\": 0 * column_sum(d_qkv)"),
]
ADAMW_LOOP = [
    ("g = grad[n] * kind(scale)", "g = grad[n]"),
    ("weight[n] *= kind(shrink)", "pass"),
    ("m[n] * kind(beta_1)", "m[n] * kind(beta_2)"),
    ("kind(1 - beta_1) * g", "kind(1 - beta_1) * grad[n]"),
    ("(g * g)", "g"),
    ("kind(1 - beta_2) * (g * g)", "(kind(1 - beta_2) * g) * g"),
    ("math.sqrt(v[n] / kind(bias_2)) + kind(eps)", "math.sqrt(v[n]) + kind(eps)"),
    ("math.sqrt(v[n] / kind(bias_2)) + kind(eps)", "math.sqrt(v[n] / kind(bias_2))"),
    ("weight[n] -= kind(rate) * (m[n] / size)", "weight[n] -= kind(rate) * m[n] / size"),
    ("weight[n] -= kind(rate) * (m[n] / size)", "weight[n] -= kind(rate) * (g / size)"),
]
ADAMW = [
    ("norm > limit", "norm < limit"),
    ("limit / norm if", "1 / norm if"),
    ("math.isfinite(norm) and ", ""),
    ("state[\"step\"] += 1", "pass"),
    ("weight.ndim >= 2", "weight.ndim >= 1"),
    ("weight.ndim >= 2", "weight.ndim >= 3"),
    ("lr / bias_1, bias_2", "lr, bias_2"),
    ("in_line(means[name]), in_line(squares[name])",
     "in_line(squares[name]), in_line(means[name])"),
]


def interpreted(module, old=None, new=None, **names):
    """A module's text, with a mistake in it, run without numba."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    if old:
        assert source.count(old) == 1, f"{source.count(old)} times: {old!r}"
        source = source.replace(old, new)
    for line in ("from numba import njit\n", "from npgpt.speed.compiled import loops\n"):
        source = source.replace(line, "")
    planted = ModuleType(module.__name__)
    vars(planted).update(names)
    exec(compile(source, module.__file__, "exec"), vars(planted))
    return planted


def as_it_is(**options):
    return lambda function: function


def found(planted_loops, planted_shard):
    """-> whether one of 50 examples tells."""
    planted_shard.loops = planted_loops
    for seed in range(50):
        case = causal(make_case("loss_and_grads", seeded_draw(seed)))
        planted_shard.BLOCK = 1 + seed % 3
        compiled = compiled_by(planted_shard.loss_and_grads_of_shard)
        if verdict(case, [numpy_implementation(), compiled], compiled).findings:
            return True
    return False


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), LOOPS)
def test_mistakes_in_a_loop_are_found(old, new):
    assert found(interpreted(loops, old, new, njit=as_it_is), interpreted(shard))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), SHARD)
def test_mistakes_in_the_pass_are_found(old, new):
    assert found(interpreted(loops, njit=as_it_is), interpreted(shard, old, new))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), ADAMW_LOOP)
def test_mistakes_in_adamws_loop_are_found(old, new):
    assert moves_apart_by_hand(interpreted(loops, old, new, njit=as_it_is), interpreted(adamw))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("old", "new"), ADAMW)
def test_mistakes_in_adamw_are_found(old, new):
    assert moves_apart_by_hand(interpreted(loops, njit=as_it_is), interpreted(adamw, old, new))


def test_where_no_directory_takes_the_machine_code_it_is_made_anew():
    def njit(cache=False, **options):
        def refuse(function):
            raise RuntimeError("cannot cache function: no locator available")
        return refuse if cache else as_it_is()

    assert not found(interpreted(loops, njit=njit), interpreted(shard))


def moves_apart_by_hand(planted_loops, planted_adamw):
    planted_adamw.loops = planted_loops
    try:
        return any(moves_apart(planted_adamw, value=value) for value in (1.0, np.inf))
    except (ZeroDivisionError, ValueError):  # a root of less than 0
        return True


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_without_a_mistake_nothing_is_found():
    planted_loops = interpreted(loops, njit=as_it_is)
    assert not found(planted_loops, interpreted(shard))
    assert not moves_apart_by_hand(planted_loops, interpreted(adamw))
