"""Sampling at its edges, written down."""

import numpy as np
import pytest

from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.training import init_gpt
from parity_tests.halves import both_halves

CONFIG = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)
LOGITS = np.array([1.0, 3.0, 2.0, 3.0, 0.0], np.float32)


@both_halves
@pytest.mark.parametrize(("options", "kept"), [
    ({"temperature": 0}, [1]),                      # of equals the first
    ({"top_k": 1}, [1, 3]),                         # what equals the last stays
    ({"top_k": 99}, [0, 1, 2, 3, 4]),
    ({"top_p": 1e-9}, [1]),                         # the likeliest always stays
    ({"top_p": 1.0}, [0, 1, 2, 3, 4]),
    ({"top_k": 3, "top_p": 0.5}, [1, 3]),
    ({"temperature": 1e-3}, [1, 3]),
    pytest.param({"temperature": 5e-324}, [1, 3],   # the others may overflow to -inf
                 marks=pytest.mark.filterwarnings("ignore:overflow encountered in divide")),
])
def test_which_tokens_may_be_drawn(half, options, kept):
    probs = half.back(half.token_probs(half.array(LOGITS), **options))
    assert np.flatnonzero(probs).tolist() == kept
    assert probs.dtype == np.float64


@both_halves
def test_top_p_stops_where_the_sum_is_just_reached(half):
    halves = half.array(np.array([0.0, 0.0, -np.inf]))          # exactly ½ and ½
    probs = half.back(half.token_probs(halves, temperature=1.0, top_p=0.5))
    assert np.flatnonzero(probs).tolist() == [0]


@both_halves
@pytest.mark.parametrize(("u", "token"), [(0.0, 1), (0.49, 1), (0.5, 3), (1 - 2**-53, 3)])
def test_where_a_draw_falls(half, u, token):
    assert half.draw_token(half.array(np.array([0.0, 0.5, 0.0, 0.5, 0.0])), u) == token


@both_halves
@pytest.mark.parametrize(("options", "what"), [
    ({"temperature": -1.0}, "temperature"), ({"temperature": np.nan}, "temperature"),
    ({"temperature": np.inf}, "temperature"), ({"top_k": 0}, "top_k"),
    ({"top_p": 0.0}, "top_p"), ({"top_p": 1.5}, "top_p"), ({"ids": []}, "prompt is empty"),
])
def test_settings_without_a_meaning_are_refused(half, options, what):
    options = {"ids": [1], **options}
    with pytest.raises(InputError, match=what):
        list(half.generate(half.array(init_gpt(CONFIG)), CONFIG, **options))


@both_halves
def test_a_cache_takes_no_more_than_the_context(half):
    params = half.array(init_gpt(CONFIG))
    cache = half.empty_cache(CONFIG, 1, params["tokens"]["weight"])
    _, cache = half.gpt_cached(params, half.array(np.array([[1, 2, 3]])), cache, CONFIG)
    with pytest.raises(InputError, match="5 tokens do not fit the context of 4"):
        half.gpt_cached(params, half.array(np.array([[4, 0]])), cache, CONFIG)


@both_halves
@pytest.mark.parametrize("length", [1, 3, 4, 5, 9])
def test_prompts_of_every_length_go_on(half, length):
    params = half.array(init_gpt(CONFIG))
    tokens = list(half.generate(params, CONFIG, [1] * length, max_new_tokens=10))
    assert len(tokens) == 10 and all(0 <= token < 5 for token in tokens)
    assert tokens == list(half.generate(params, CONFIG, [1] * length, max_new_tokens=10))
    assert list(half.generate(params, CONFIG, [1] * length, max_new_tokens=0)) == []
