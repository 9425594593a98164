"""The components that are checked: a name, and how a case of it is drawn.

To add one, write `def name(draw) -> Case` in a file here and list it."""

from dataclasses import replace

from npgpt.checking.cases.attention import attention, blockwise_attention
from npgpt.checking.cases.composites import block, feed_forward, gpt, multi_head
from npgpt.checking.cases.cross_entropy import cross_entropy
from npgpt.checking.cases.generation import (
    causal_mask,
    draw_token,
    extend_cache,
    generate,
    generate_batch,
    gpt_cached,
    gpt_step,
    log_prob,
    padded_mask,
    penalise_repeats,
    sample_token,
    token_probs,
)
from npgpt.checking.cases.heads import merge_heads, split_heads
from npgpt.checking.cases.init import init_gpt
from npgpt.checking.cases.layer_norm import layer_norm
from npgpt.checking.cases.linear import linear
from npgpt.checking.cases.lookups import embedding, positions
from npgpt.checking.cases.pointwise import dropout, gelu
from npgpt.checking.cases.softmax import softmax
from npgpt.checking.cases.training import (
    adamw_step,
    clip_by_global_norm,
    loss_and_grads,
    warmup_cosine,
)
from npgpt.checking.draw import seeded_draw
from npgpt.errors import InputError

CASES = {function.__name__: function for function in (
    linear, embedding, positions, dropout, gelu, softmax, layer_norm, split_heads,
    merge_heads, attention, blockwise_attention, causal_mask, padded_mask,
    extend_cache, cross_entropy, feed_forward, multi_head, block, gpt, gpt_cached, init_gpt,
    loss_and_grads, adamw_step, clip_by_global_norm, warmup_cosine,
    token_probs, draw_token, sample_token, penalise_repeats, log_prob,
    generate, gpt_step, generate_batch,
)}


def make_case(component, draw):
    """A case of a component, with the choices that lead to it."""
    if component not in CASES:
        raise InputError(f"there is no component {component!r}: give one of {', '.join(CASES)}")
    case = CASES[component](draw)
    return replace(case, chosen=dict(draw.chosen))


def functions_of(component):
    """The names of the functions that a component's cases check."""
    case = make_case(component, seeded_draw(0))
    return case.covers or (component, f"{component}_backward")


def all_functions():
    return [name for component in CASES for name in functions_of(component)]
