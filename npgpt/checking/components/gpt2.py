from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import no_step_where_all_is_hidden
from npgpt.checking.components._models import model
from npgpt.checking.laws import batch_independent, causal, linear_in_the_upstream_gradient


def forward(draw):
    config, ids, params, options, numbers = model(draw)
    frozen = draw("frozen", [(), ("tokens", "blocks.0.norm_1", "blocks.0.attention.out")])
    B, T = ids.shape
    return PairCase(
        component="gpt2.forward", params=params, nested=True, frozen=frozen,
        options={"ids": ids, "config": config, **options},
        d_y=numbers.normal(B, T, config.vocab_size),
        laws=(batch_independent, causal, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], True, T, T))
