"""What generation refuses before it computes, in both packages."""

import numpy as np
import pytest

from npgpt.checking.edges import entered
from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.training import init
from parity_tests.suite import in_both

CONFIG = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)


@in_both
@pytest.mark.parametrize(("options", "what"), [
    ({"temperature": -1.0}, "temperature"), ({"temperature": np.nan}, "temperature"),
    ({"temperature": np.inf}, "temperature"), ({"top_k": 0}, "top_k"),
    ({"top_p": 0.0}, "top_p"), ({"top_p": 1.5}, "top_p"), ({"ids": []}, "prompt is empty"),
])
def test_settings_without_a_meaning_are_refused(package, options, what):
    options = {"ids": [1], **options}
    params = entered(package, init(gpt2, CONFIG))
    with pytest.raises(InputError, match=what):
        list(package.find("generate")(package.find("models.gpt2"), params, CONFIG, **options))


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
