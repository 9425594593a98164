"""A cache changes nothing: every split of a text, one token at a time on one
page, and several prompts at once give what one pass over each text gives."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import npgpt.generation
import npgpt.layers
import npgpt.models
import npgpt.speed.one_token
import npgpt.training
import torchgpt.generation
import torchgpt.layers
import torchgpt.models
import torchgpt.speed.one_token
from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.speed.memory_order import by_longer_side
from npgpt.tree import tree_leaves, tree_map, tree_map_with_path


@st.composite
def models(draw):
    """A small model with weights large enough to have opinions, in float64."""
    heads = draw(st.integers(1, 3))
    config = Config(
        vocab_size=draw(st.integers(3, 12)), context_length=draw(st.integers(1, 9)),
        layers=draw(st.integers(1, 2)), heads=heads, channels=heads * draw(st.integers(1, 4)),
        tied=draw(st.booleans()))
    seed = draw(st.integers(0, 2**32))
    params = tree_map_with_path(lambda name, weight: (
        weight.astype(np.float64) + 0.4 * normals(weight.shape, seed, 0, name)),
        npgpt.training.init(gpt2, config, seed))
    return config, params


def texts(draw, config, longest):
    id = st.integers(0, config.vocab_size - 1)
    return draw(st.lists(id, min_size=1, max_size=longest))


class NumPy:
    layers, model, generation = npgpt.layers, npgpt.models.gpt2, npgpt.generation
    one_token = npgpt.speed.one_token

    @staticmethod
    def take(tree):
        return tree

    @staticmethod
    def ids(rows):
        return np.array(rows)


class Torch:
    layers, model, generation = torchgpt.layers, torchgpt.models.gpt2, torchgpt.generation
    one_token = torchgpt.speed.one_token

    @staticmethod
    def take(tree):
        return tree_map(lambda weight: torch.from_numpy(weight), tree)

    @staticmethod
    def ids(rows):
        return torch.tensor(rows)


both = pytest.mark.parametrize("half", [NumPy, Torch])


def near(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=0, atol=1e-11)


@both
@given(data=st.data())
def test_every_split_of_a_prompt_gives_the_uncached_logits(half, data):
    config, params = data.draw(models())
    params = half.take(params)
    ids = texts(data.draw, config, config.context_length)
    whole, _ = half.model.forward(params, half.ids([ids]), config)
    for cut in range(1, len(ids) + 1):
        cache = half.generation.empty_cache(half.model, config, 1, params)
        first, cache = half.model.forward(params, half.ids([ids[:cut]]), config, cache=cache)
        near(first, whole[:, cut - 1:cut])
        if cut < len(ids):
            second, cache = half.model.forward(params, half.ids([ids[cut:]]), config, cache=cache)
            near(second, whole[:, -1:])
        assert cache["start"] == len(ids)


@both
@given(data=st.data())
def test_a_call_with_a_cache_may_be_repeated(half, data):
    """The cache that is handed in says still how much is read; its storage is shared."""
    config, params = data.draw(models())
    params = half.take(params)
    ids = texts(data.draw, config, config.context_length)
    cache = half.generation.empty_cache(half.model, config, 1, params)
    for id in ids:
        first, new = half.model.forward(params, half.ids([[id]]), config, cache=cache)
        again, other = half.model.forward(params, half.ids([[id]]), config, cache=cache)
        near(first, again)
        assert new["start"] == other["start"] == cache["start"] + 1
        assert new["blocks"][0]["keys"] is cache["blocks"][0]["keys"]
        cache = new


@both
@given(data=st.data())
def test_one_token_on_one_page_is_a_column_of_the_whole(half, data):
    config, params = data.draw(models())
    params = half.take(params)
    ids = texts(data.draw, config, config.context_length)
    whole, _ = half.model.forward(params, half.ids([ids]), config)
    cache = half.generation.empty_cache(half.model, config, 1, params)
    step = half.one_token.for_model(half.model)
    for place, id in enumerate(ids):
        logits, cache = step(params, id, cache, config)
        near(logits, whole[0, place])
    other = half.generation.empty_cache(half.model, config, 1, params)
    _, other = half.model.forward(params, half.ids([ids]), config, cache=other)
    for (name, one), (_, two) in zip(tree_leaves(cache), tree_leaves(other), strict=True):
        near(one, two), name


@both
def test_a_model_of_someone_else_has_no_step_of_ours(half):
    assert half.one_token.for_model(half.generation) is None


@given(data=st.data())
def test_weights_stored_along_their_longer_side_are_the_same_weights(data):
    config, params = data.draw(models())
    turned = by_longer_side(params)
    for (name, one), (_, other) in zip(tree_leaves(params), tree_leaves(turned)):
        np.testing.assert_array_equal(one, other)
        taken_by_row = name == "positions.weight" or (name == "tokens.weight" and not config.tied)
        if taken_by_row or one.ndim < 2 or one.shape[0] < one.shape[1]:
            assert other.flags.c_contiguous, name
        else:
            assert other.flags.f_contiguous, name
    ids = texts(data.draw, config, 3)
    one, two = (list(npgpt.generation.generate(gpt2, each, config, ids, 9, temperature=1.0))
                for each in (params, turned))
    assert one == two


@both
@given(data=st.data())
def test_padding_on_the_left_changes_no_logit(half, data):
    config, params = data.draw(models())
    params = half.take(params)
    rows = [texts(data.draw, config, config.context_length)
            for _ in range(data.draw(st.integers(1, 4)))]
    T = max(map(len, rows))
    pads = [T - len(row) for row in rows]
    filler = data.draw(st.integers(0, config.vocab_size - 1))
    padded = half.ids([[filler] * pad + row for pad, row in zip(pads, rows)])
    weight = params["tokens"]["weight"]
    mask = half.layers.padding_mask(pads, T, weight)
    positions = half.layers.padded_positions(pads, T, T, weight)
    logits, _ = half.model.forward(params, padded, config, mask=mask, positions=positions)
    cache = half.generation.empty_cache(half.model, config, len(rows), params)
    last, _ = half.model.forward(
        params, padded, config, mask=mask, positions=positions, cache=cache)
    for row_of, (pad, row, found, counted) in enumerate(zip(pads, rows, logits, positions)):
        alone, _ = half.model.forward(params, half.ids([row]), config)
        near(found[pad:], alone[0])
        near(last[row_of], alone[0, -1:])
        assert counted.tolist() == [0] * pad + list(range(len(row)))


@both
@given(data=st.data())
def test_a_batch_gives_each_prompt_what_it_gets_alone(half, data):
    config, params = data.draw(models())
    params = half.take(params)
    prompts = [texts(data.draw, config, 2 * config.context_length)
               for _ in range(data.draw(st.integers(1, 4)))]
    how = {"temperature": data.draw(st.sampled_from([0, 1.0, 3.0])),
           "top_k": data.draw(st.sampled_from([None, 2])), "max_new_tokens": 14}
    seed = data.draw(st.integers(0, 99))
    lengths = [data.draw(st.integers(1, 14)) for _ in prompts]  # when each is ended
    batch = [[] for _ in prompts]
    for row, token, log_prob in half.generation.generate_batch(
            half.model, params, config, prompts, seed=seed,
            ended=lambda row: len(batch[row]) >= lengths[row], **how):
        batch[row].append(token)
        assert log_prob <= 0
    for row, prompt in enumerate(prompts):
        alone = list(half.generation.generate(
            half.model, params, config, prompt, seed=seed + row, **how))
        assert len(alone) == 14
        assert batch[row] == alone[:lengths[row]]


@given(data=st.data())
def test_both_halves_draw_the_same_with_every_option(data):
    config, params = data.draw(models())
    prompts = [texts(data.draw, config, 12) for _ in range(2)]
    how = {"temperature": 1.0, "top_p": 0.9, "repetition_penalty": 1.5, "max_new_tokens": 10}
    one = list(npgpt.generation.generate_batch(gpt2, params, config, prompts, **how))
    two = list(torchgpt.generation.generate_batch(
        torchgpt.models.gpt2, Torch.take(params), config, prompts, **how))
    assert [found[:2] for found in one] == [found[:2] for found in two]
    near([found[2] for found in one], [found[2] for found in two])


@both
@pytest.mark.parametrize("more", range(4))
def test_of_a_long_prompt_the_last_ids_that_fit_are_read(half, more):
    """All of them: another first one changes what is predicted."""
    config = Config(7, 6, 2, 2, 8)
    params = half.take(tree_map_with_path(lambda name, weight: weight + normals(
        weight.shape, 1, 0, name), npgpt.training.init(gpt2, config, 3, np.float64)))
    window = [3, 1, 4, 1, 5, 2]

    def first(prompt):
        (_, token, log_prob), = half.generation.generate_batch(
            half.model, params, config, [prompt], 1, temperature=0)
        (alone,) = half.generation.generate(
            half.model, params, config, prompt, 1, temperature=0)
        assert alone == token
        return log_prob

    read = first([6] * more + window)
    near(read, first(window))
    other = first([6] * more + [0] + window[1:])
    assert abs(read - other) > 1e-5


@both
def test_draws_are_made_as_they_are_needed(half):
    """So that a text may be as long as it likes; a stream is one long draw."""
    config = Config(7, 6, 1, 1, 2)
    params = half.take(npgpt.training.init(gpt2, config, 3))
    endless = half.generation.generate(half.model, params, config, [1], 10**9, seed=4)
    found = [next(endless) for _ in range(70)]
    assert found == list(half.generation.generate(
        half.model, params, config, [1], 70, seed=4))
    pairs = half.generation.generate_batch(half.model, params, config, [[1]], 10**9, seed=4)
    assert [next(pairs)[1] for _ in range(70)] == found


@both
@given(data=st.data())
def test_log_probabilities_are_the_models_own(half, data):
    """Whatever bends the draw, the log-probability is that of the plain softmax."""
    config, params = data.draw(models())
    params = half.take(params)
    prompt = texts(data.draw, config, config.context_length)
    (_, token, log_prob), = half.generation.generate_batch(
        half.model, params, config, [prompt], 1, temperature=2.0, top_k=2, repetition_penalty=1.7)
    logits, _ = half.model.forward(params, half.ids([prompt]), config)
    powers = np.exp(np.asarray(logits)[0, -1].astype(np.float64))
    near(log_prob, np.log(powers[token] / powers.sum()))


@both
def test_a_penalty_pushes_down_what_was_there_once_each(half):
    logits = half.take({"x": np.array([2.0, -2.0, 1.0, 0.0, -1.0])})["x"]
    used = half.take({"x": np.array([True, True, False, True, False])})["x"]
    pushed = half.generation.penalise_repeats(logits, used, 2.0)
    assert pushed.tolist() == [1.0, -4.0, 1.0, 0.0, -1.0]
    assert logits.tolist() == [2.0, -2.0, 1.0, 0.0, -1.0]
    same = half.generation.penalise_repeats(logits, used, 1.0)
    assert same.tolist() == logits.tolist()


def test_a_penalty_is_transformers_own():
    transformers = pytest.importorskip("transformers")
    theirs = transformers.RepetitionPenaltyLogitsProcessor(1.3)
    ids = np.array([3, 1, 3, 7])
    logits = normals((9,), 1, 0, "logits")
    expected = theirs(torch.from_numpy(ids[None]), torch.from_numpy(logits[None].copy()))[0]
    near(npgpt.generation.penalise_repeats(logits, np.isin(np.arange(9), ids), 1.3), expected)


@both
def test_bad_prompts_and_settings_are_named(half):
    config = Config(5, 4, 1, 1, 2)
    params = half.take(npgpt.training.init(gpt2, config, 1))
    batch = partial(half.generation.generate_batch, half.model)
    with pytest.raises(InputError, match="the prompt is empty"):
        list(batch(params, config, [[1], []]))
    with pytest.raises(InputError, match="there is no prompt"):
        list(batch(params, config, []))
    with pytest.raises(InputError, match="repetition_penalty is 0"):
        list(batch(params, config, [[1]], repetition_penalty=0))
    with pytest.raises(InputError, match="-1 is outside the vocabulary"):
        list(batch(params, config, [[1, -1], [2]]))
    with pytest.raises(InputError, match="5 is outside the vocabulary"):
        list(half.generation.generate(
            half.model, params, config, [5]))
    assert list(batch(params, config, [[1]], max_new_tokens=0)) == []
