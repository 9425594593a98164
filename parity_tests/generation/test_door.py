"""What generation refuses before it computes, in both packages."""

import numpy as np
import pytest
import torch

from npgpt.checking.edges import entered
from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.generation import SamplingSettings
from npgpt.models import gpt2
from npgpt.training import init
from parity_tests.suite import in_both

CONFIG = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)


@in_both
@pytest.mark.parametrize(("options", "what"), [
    ({"temperature": -1.0}, "temperature"), ({"temperature": np.nan}, "temperature"),
    ({"temperature": np.inf}, "temperature"), ({"top_k": 0}, "top_k"),
    ({"temperature": "hot"}, "temperature is 'hot'"), ({"temperature": None}, "temperature"),
    ({"temperature": np.array([1.0])}, "temperature is an array"), ({"temperature": True}, "True"),
    ({"top_k": 2.5}, "top_k is 2.5: give a whole number"), ({"top_k": "3"}, "top_k"),
    ({"top_p": "0.5"}, "top_p"), ({"top_p": np.nan}, "top_p"), ({"top_p": False}, "top_p"),
    ({"max_new_tokens": -1}, "max_new_tokens is -1"), ({"max_new_tokens": 2.0}, "max_new_tokens"),
    ({"max_new_tokens": None}, "max_new_tokens"), ({"seed": -3}, "seed is -3"),
    ({"seed": 1.5}, "seed is 1.5"), ({"seed": "one"}, "seed is 'one'"),
    ({"ids": [1.7]}, "the prompt's id is 1.7: give a whole number"), ({"ids": [1.0]}, "1.0"),
    ({"ids": np.array([1.0, 2.0])}, "the prompt's id"), ({"ids": [True]}, "True"),
    ({"ids": np.array([[1, 2]])}, r"an array of shape \(1, 2\)"), ({"ids": [[1, 2]]}, r"\[1, 2\]"),
    ({"ids": "12"}, "the prompt's id is '1'"), ({"ids": 3}, "the ids of one text"),
    ({"ids": None}, "the ids of one text"), ({"ids": torch.tensor([[1]])}, "of shape"),
    ({"ids": [5]}, "5 is outside the vocabulary"), ({"ids": [-1, 2]}, "-1 is outside"),
    ({"top_p": 0.0}, "top_p"), ({"top_p": 1.5}, "top_p"), ({"ids": []}, "prompt is empty"),
])
def test_settings_without_a_meaning_are_refused(package, options, what):
    options = {"ids": [1], **options}
    params = entered(package, init(gpt2, CONFIG))
    with pytest.raises(InputError, match=what):
        list(package.find("generate")(package.find("models.gpt2"), params, CONFIG, **options))


@in_both
@pytest.mark.parametrize("kind", [
    tuple, np.array, torch.tensor, lambda ids: np.array(ids, np.int32), iter,
    lambda ids: [np.int64(id) for id in ids]],
    ids=["tuple", "int64", "tensor", "int32", "iterator", "scalars"])
def test_ids_and_numbers_of_any_library_are_taken(package, kind):
    params = entered(package, init(gpt2, CONFIG))
    found = list(package.find("generate")(
        package.find("models.gpt2"), params, CONFIG, kind([3, 1]), np.int64(6), np.float32(0.7),
        top_k=np.int32(3), top_p=np.float64(0.9), seed=np.int64(2)))
    assert found == list(package.find("generate")(
        package.find("models.gpt2"), params, CONFIG, [3, 1], 6, float(np.float32(0.7)),
        top_k=3, top_p=0.9, seed=2))


@in_both
def test_a_batch_has_the_same_door(package):
    params = entered(package, init(gpt2, CONFIG))
    for prompts, more, said in (
            ([[1], [0.5]], {}, "the prompt's id is 0.5"), ([[1]], {"seed": 1.0}, "seed is 1.0"),
            ([[1]], {"repetition_penalty": "2"}, "repetition_penalty"),
            ([[1]], {"max_new_tokens": 1.0}, "max_new_tokens")):
        with pytest.raises(InputError, match=said):
            list(package.find("generate_batch")(
                package.find("models.gpt2"), params, CONFIG, prompts, **more))


@pytest.mark.parametrize(("given", "said"), [
    ({"stop": (1,)}, "stop is"), ({"stop": None}, "stop is"), ({"stop": "end"}, "stop is 'end'"),
    ({"end_ids": (1.0,)}, "an end id is 1.0"), ({"top_k": 1.5}, "top_k"),
    ({"max_new_tokens": "9"}, "max_new_tokens is '9'"), ({"seed": None}, "seed is None")])
def test_settings_of_a_text_are_looked_at_once(given, said):
    with pytest.raises(InputError, match=said):
        SamplingSettings(**given)


@in_both
@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38])
def test_logits_that_are_not_finite_are_refused(package, temperature, number):
    """3e38 is finite, but no product of it is."""
    params = init(gpt2, CONFIG)
    params["norm"]["weight"][1] = params["tokens"]["weight"][2, 1] = number
    params, model = entered(package, params), package.find("models.gpt2")
    with np.errstate(all="ignore"), pytest.raises(InputError, match="largest logit is"):
        list(package.find("generate")(model, params, CONFIG, [1], temperature=temperature))
    with np.errstate(all="ignore"), pytest.raises(InputError, match="largest logit is"):
        list(package.find("generate_batch")(
            model, params, CONFIG, [[1], [2, 3]], temperature=temperature))
