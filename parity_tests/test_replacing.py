"""Other functions in the place of a package's own: for a while, and in copies."""

from functools import partial
from types import ModuleType

import numpy as np
import pytest

import npgpt
from npgpt import layers
from npgpt.blocks import mlp
from npgpt.models import gpt2
from npgpt.replacing import replaced, rewired
from npgpt.training import init

CONFIG = gpt2.Config(vocab_size=7, context_length=4, layers=2, heads=2, channels=8)
GELU = layers.gelu
PARAMS, IDS = init(gpt2, CONFIG), np.array([[1, 2, 3]])


def times(factor):
    """A GELU that is another one."""
    def gelu(x):
        y, saved = GELU(x)
        return factor * y, saved

    return [(GELU, gelu)]


def logits(model):
    return model.forward(PARAMS, IDS, CONFIG)[0]


def test_copies_differ_and_leave_everything_else_as_it_was():
    before = logits(gpt2)
    double, half = rewired(gpt2, times(2)), rewired(gpt2, times(0.5))
    apart = [logits(double), logits(half)]
    assert not np.allclose(before, apart[0]) and not np.allclose(before, apart[1])
    assert np.array_equal(logits(rewired(gpt2, times(1))), before)
    for _ in range(2):
        assert np.array_equal(logits(gpt2), before)
        assert np.array_equal(logits(double), apart[0])
        assert np.array_equal(logits(half), apart[1])
    with replaced("npgpt", times(2)):
        assert np.array_equal(logits(gpt2), apart[0])
        assert np.array_equal(logits(half), apart[1])


def test_a_copy_is_the_same_in_all_else():
    copy = rewired(gpt2, times(2))
    assert set(vars(copy)) == set(vars(gpt2)) and copy.__name__ == gpt2.__name__
    assert copy.Config is gpt2.Config and copy.FILES is gpt2.FILES
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__",
                 "__kwdefaults__", "__annotations__", "__code__"):
        assert getattr(copy.forward, name) == getattr(gpt2.forward, name), name
    assert copy.forward is not gpt2.forward and copy.backward.__globals__ is vars(copy)


def test_what_a_partial_calls_is_rewired_and_its_arguments_stay():
    asked = partial(gpt2.forward, PARAMS, config=CONFIG)
    copy = rewired(asked, times(2))
    assert np.array_equal(copy(IDS)[0], logits(rewired(gpt2, times(2))))
    assert np.array_equal(asked(IDS)[0], logits(gpt2))


def test_what_is_replaced_may_itself_be_asked_for():
    (original, other), = times(2)
    assert rewired(original, [(original, other)]) is other


def test_a_function_and_whoever_calls_it():
    x = np.ones((1, 2, 8), np.float32)
    params = PARAMS["blocks"][0]["feed_forward"]
    y, _ = rewired(mlp, times(2))(x, params)
    assert not np.allclose(y, mlp(x, params)[0])


def stranger(text):
    module = ModuleType("stranger")
    exec(text, vars(module))
    return module


@pytest.mark.parametrize("text", [
    "from npgpt.layers import gelu\ndef f(x): return gelu(x)[0]",
    "from npgpt import layers\ndef f(x): return layers.gelu(x)[0]",
    "import npgpt.layers\ndef f(x): return npgpt.layers.gelu(x)[0]",
    "from npgpt.layers import gelu as g\ndef h(x): return g(x)[0]\ndef f(x): return h(x)",
])
def test_a_module_of_someone_elses_may_import_as_it_likes(text):
    module = stranger(text)
    x = np.ones(3)
    assert np.array_equal(rewired(module, times(2)).f(x), 2 * layers.gelu(x)[0])
    assert np.array_equal(module.f(x), layers.gelu(x)[0])
    assert npgpt.layers.gelu is layers.gelu


@pytest.mark.parametrize("thing", [3, "gpt2", partial(gpt2.Config), gpt2.Config])
def test_other_things_are_refused(thing):
    with pytest.raises(TypeError, match="no module and no function"):
        rewired(thing, times(2))
