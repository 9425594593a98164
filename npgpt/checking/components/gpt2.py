import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import no_step_where_all_is_hidden
from npgpt.checking.components._models import model, model_params
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import run
from npgpt.checking.laws import batch_independent, causal, linear_in_the_upstream_gradient
from npgpt.families.gpt2 import Config


def forward(draw):
    config, ids, params, options, numbers = model(draw)
    frozen = draw("frozen", [(), ("tokens", "blocks.0.norm_1", "blocks.0.attention.out")])
    B, T = ids.shape
    return PairCase(
        component="gpt2.forward", params=params, nested=True, frozen=frozen,
        options={"ids": ids, "config": config, **options},
        d_y=numbers.normal(B, T, config.vocab_size),
        laws=(batch_independent, causal, linear_in_the_upstream_gradient),
        edges=(an_empty_batch_has_no_logits,),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], True, T, T))


def an_empty_batch_has_no_logits(package):
    config = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)
    params = model_params(Numbers(1), config)
    logits, _ = run(package, "gpt2.forward", params, np.zeros((0, 3), int), config)
    yield "the shape of the logits", logits.shape, (0, 3, 5)
