"""What each layer does at its edges, written down."""

import numpy as np
import pytest

from parity_tests.halves import both_halves

draw = np.random.default_rng(0).normal
INF = np.inf


def run(half, name, *args, **options):
    """-> output, saved, as the half's own."""
    return getattr(half, name)(*half.array(list(args)), **half.array(options))


def back(half, name, d_y, saved):
    return half.back(getattr(half, f"{name}_backward")(half.array(d_y), saved))


@both_halves
class TestLinear:
    def test_one_input(self, half):
        x, w, b = draw(size=(3, 1)), draw(size=(1, 2)), draw(size=2)
        y, saved = run(half, "linear", x, w, b)
        assert np.allclose(half.back(y), x * w + b, rtol=1e-15)
        d_x, grads = back(half, "linear", np.ones((3, 2)), saved)
        assert d_x.shape == (3, 1) and np.allclose(grads["bias"], [3, 3])

    def test_no_rows(self, half):
        y, saved = run(half, "linear", np.zeros((0, 4, 3)), draw(size=(3, 2)), draw(size=2))
        assert half.back(y).shape == (0, 4, 2)
        d_x, grads = back(half, "linear", np.zeros((0, 4, 2)), saved)
        assert d_x.shape == (0, 4, 3)
        assert not grads["weight"].any() and not grads["bias"].any()

    def test_without_bias_there_is_no_gradient_for_one(self, half):
        _, saved = run(half, "linear", draw(size=(2, 3)), draw(size=(3, 2)))
        assert set(back(half, "linear", draw(size=(2, 2)), saved)[1]) == {"weight"}

    def test_nan_stays_in_its_row(self, half):
        x = draw(size=(3, 2))
        x[1, 0] = np.nan
        y = half.back(run(half, "linear", x, draw(size=(2, 2)))[0])
        assert np.isnan(y).all(axis=1).tolist() == [False, True, False]


@both_halves
class TestEmbedding:
    def test_an_id_seen_twice_gets_both_gradients(self, half):
        _, saved = run(half, "embedding", np.array([1, 1, 0]), draw(size=(3, 2)))
        d_weight = back(half, "embedding", np.array([[1.0, 2], [10, 20], [5, 5]]), saved)["weight"]
        assert d_weight.tolist() == [[5, 5], [11, 22], [0, 0]]

    def test_an_id_beyond_the_table_raises(self, half):
        with pytest.raises(IndexError):
            run(half, "embedding", np.array([3]), draw(size=(3, 2)))

    def test_no_ids(self, half):
        y, saved = run(half, "embedding", np.zeros((0, 2), int), draw(size=(3, 2)))
        assert half.back(y).shape == (0, 2, 2)
        assert not back(half, "embedding", np.zeros((0, 2, 2)), saved)["weight"].any()


@both_halves
class TestPositions:
    def test_the_whole_table_and_its_last_row(self, half):
        weight = draw(size=(3, 2))
        whole, _ = run(half, "positions", np.zeros((2, 3), int), weight)
        assert np.array_equal(half.back(whole), np.stack([weight, weight]))
        last, saved = run(half, "positions", np.zeros((2, 1), int), weight, start=2)
        assert np.array_equal(half.back(last)[0, 0], weight[2])
        assert back(half, "positions", np.ones((2, 1, 2)), saved)["weight"].tolist() == [
            [0, 0], [0, 0], [2, 2]]


@both_halves
class TestSoftmax:
    def test_one_entry_is_certain(self, half):
        y, saved = run(half, "softmax", np.array([[7.0], [-1e300]]))
        assert half.back(y).tolist() == [[1], [1]]
        assert back(half, "softmax", np.array([[3.0], [4.0]]), saved).tolist() == [[0], [0]]

    def test_minus_infinity_has_no_share(self, half):
        y, _ = run(half, "softmax", np.array([0.0, -INF, 0.0]))
        assert half.back(y).tolist() == [0.5, 0, 0.5]

    def test_a_row_of_minus_infinity_is_zero_and_so_is_its_gradient(self, half):
        y, saved = run(half, "softmax", np.full((2, 3), -INF))
        assert not half.back(y).any()
        assert not back(half, "softmax", draw(size=(2, 3)), saved).any()

    def test_huge_scores_do_not_overflow(self, half):
        y, _ = run(half, "softmax", np.array([1e300, 0.0, -1e300]))
        assert half.back(y).tolist() == [1, 0, 0]

    def test_nan_spreads_over_its_row_alone(self, half):
        y = half.back(run(half, "softmax", np.array([[np.nan, 0.0], [0.0, 0.0]]))[0])
        assert np.isnan(y[0]).all() and y[1].tolist() == [0.5, 0.5]


@both_halves
class TestLayerNorm:
    def test_one_feature_becomes_the_bias(self, half):
        y, saved = run(half, "layer_norm", draw(size=(4, 1)), np.array([2.0]), np.array([0.5]))
        assert half.back(y).tolist() == [[0.5]] * 4
        d_x, grads = back(half, "layer_norm", draw(size=(4, 1)), saved)
        assert not d_x.any() and not grads["weight"].any()

    def test_a_constant_row_becomes_the_bias(self, half):
        bias = np.array([1.0, 2, 3, 4])
        y, _ = run(half, "layer_norm", np.full((2, 4), 7.0), draw(size=4), bias)
        assert np.array_equal(half.back(y), np.stack([bias, bias]))

    def test_no_rows(self, half):
        y, saved = run(half, "layer_norm", np.zeros((0, 3)), draw(size=3), draw(size=3))
        assert half.back(y).shape == (0, 3)
        assert not back(half, "layer_norm", np.zeros((0, 3)), saved)[1]["weight"].any()


@both_halves
class TestDropout:
    def test_without_a_mask_nothing_happens(self, half):
        x = draw(size=(2, 3))
        y, saved = run(half, "dropout", x)
        assert np.array_equal(half.back(y), x)
        assert np.array_equal(back(half, "dropout", x, saved), x)

    def test_rate_1_silences_all(self, half):
        y, saved = run(half, "dropout", draw(size=(2, 3)), np.zeros((2, 3)))
        assert not half.back(y).any() and not back(half, "dropout", draw(size=(2, 3)), saved).any()


@both_halves
class TestGelu:
    def test_far_out(self, half):
        y, saved = run(half, "gelu", np.array([-40.0, 0.0, 40.0]))
        assert half.back(y).tolist() == [0, 0, 40]
        assert back(half, "gelu", np.ones(3), saved).tolist() == [0, 0.5, 1]


def qkv(T, S, D=3):
    return draw(size=(2, 2, T, D)), draw(size=(2, 2, S, D)), draw(size=(2, 2, S, D))


@both_halves
class TestAttention:
    def test_one_query_and_one_key_gives_the_value(self, half):
        q, k, v = qkv(1, 1)
        y, saved = run(half, "attention", q, k, v)
        assert np.array_equal(half.back(y), v)
        d_q, d_k, d_v = back(half, "attention", v, saved)
        assert np.abs(d_q).max() < 1e-15 > np.abs(d_k).max() and np.array_equal(d_v, v)

    @pytest.mark.parametrize(("T", "S"), [(1, 4), (2, 4), (4, 4), (4, 2)])
    def test_the_causal_mask_is_flushed_bottom_right(self, half, T, S):
        mask = half.back(half.causal_mask(T, S, half.array(draw(size=2))))
        assert mask.tolist() == [[key - S <= query - T for key in range(S)] for query in range(T)]

    def test_a_query_that_sees_nothing_gets_zeros(self, half):
        q, k, v = qkv(3, 2)
        visible = np.array([[False, False], [True, False], [True, True]])
        y, saved = run(half, "attention", q, k, v, visible)
        assert not half.back(y)[:, :, 0].any() and np.isfinite(half.back(y)).all()
        d_q, d_k, d_v = back(half, "attention", q, saved)
        assert not d_q[:, :, 0].any()
        assert all(np.isfinite(grad).all() for grad in (d_q, d_k, d_v))

    def test_where_nothing_is_seen_every_gradient_is_zero(self, half):
        q, k, v = qkv(2, 3)
        y, saved = run(half, "attention", q, k, v, np.zeros((2, 3), bool))
        assert not half.back(y).any()
        assert not any(grad.any() for grad in back(half, "attention", q, saved))

    def test_a_hidden_nan_spoils_its_own_sequence_and_head_alone(self, half):
        """A mask hides numbers: it does not make a NaN one. PyTorch's own
        operator spreads it, too."""
        q, k, v = qkv(2, 3)
        k[0, 1, 2] = np.nan
        visible = np.array([[True, True, False]] * 2)
        y = half.back(run(half, "attention", q, k, v, visible)[0])
        assert np.isnan(y[0, 1]).all()
        y[0, 1] = 0
        assert np.isfinite(y).all()

    def test_hidden_values_do_not_matter(self, half):
        q, k, v = qkv(2, 3)
        visible = np.array([[True, True, False]] * 2)
        one = half.back(run(half, "attention", q, k, v, visible)[0])
        v[:, :, 2] = 1e300
        assert np.array_equal(half.back(run(half, "attention", q, k, v, visible)[0]), one)


@both_halves
class TestCrossEntropy:
    def test_all_targets_ignored(self, half):
        loss, saved = run(half, "cross_entropy", draw(size=(2, 3, 5)), np.full((2, 3), -100))
        assert float(loss) == 0.0
        assert not half.back(half.cross_entropy_backward(1.0, saved)).any()

    def test_a_vocabulary_of_one_costs_nothing(self, half):
        loss, saved = run(half, "cross_entropy", draw(size=(4, 1)), np.zeros(4, int))
        assert float(loss) == 0.0
        assert not half.back(half.cross_entropy_backward(1.0, saved)).any()

    def test_an_even_guess_costs_ln_v(self, half):
        loss, _ = run(half, "cross_entropy", np.zeros((4, 8)), np.arange(4))
        assert abs(float(loss) - np.log(8)) < 1e-15

    def test_far_logits_neither_overflow_nor_lose_the_loss(self, half):
        loss, _ = run(half, "cross_entropy", np.array([[1e4, 0.0]]), np.array([1]))
        assert float(loss) == 1e4
