"""A recurrent network: from token ids to the logits of the next token,
and back (Elman, 1990; Mikolov et al., 2010)."""

from npgpt.families.checks import check_no_mask
from npgpt.families.recurrent import (
    FILES,
    TAKES_MASK,
    Config,
    cache_shapes,
    dropout_shapes,
    products,
    weights,
)
from npgpt.layers.dropout import dropout, dropout_backward
from npgpt.layers.embedding import embedding, embedding_backward
from npgpt.layers.linear import linear, linear_backward
from npgpt.layers.recurrence import recurrence, recurrence_backward

__all__ = [
    "FILES", "TAKES_MASK", "Config", "backward", "cache_shapes",
    "dropout_shapes", "forward", "products", "weights",
]


def forward(params, ids, config, *, mask=None, positions=None,
            dropout_masks=None, cache=None):
    """ids (B, T) -> logits (B, T, V), saved.

    Each token changes the state that the earlier ones left. positions
    (B, T): where one is 0, a text begins; None: one text from the
    first token on. mask: refused, for no token can be hidden. With a
    cache: the logits of the last token alone, (B, 1, V), and the cache
    for the next tokens, a new one; nothing is saved for a backward
    pass."""
    check_no_mask(mask)
    dropout_masks = dropout_masks or {}
    # (1) token embedding
    x, saved_tokens = embedding(ids, **params["tokens"])     # (B, T, C)
    # (2) dropout
    x, saved_dropout = dropout(x, dropout_masks.get("embedding"))
    # (3) what each token brings
    brought, saved_input = linear(x, **params["input"])
    # (4) recurrence
    state = None if cache is None else cache["state"]
    begins = None if positions is None else positions == 0
    states, saved_recurrence = recurrence(
        brought, state=state, begins=begins, truncate=config.truncate,
        **params["recurrence"])                       # (B, T, C)
    if cache is not None:
        states = states[:, -1:]                       # (B, 1, C)
        cache = {"state": states[:, 0],               # (B, C)
                 "start": cache["start"] + ids.shape[1]}
    # (5) dropout of what the head reads
    read, saved_states = dropout(states, dropout_masks.get("states"))
    # (6) logits
    logits, saved_head = linear(read, **params["head"])
    if cache is not None:
        return logits, cache
    return logits, (saved_tokens, saved_dropout, saved_input,
                    saved_recurrence, saved_states, saved_head)


def backward(d_logits, saved):
    """d_logits (B, T, V) -> gradients shaped like params."""
    (saved_tokens, saved_dropout, saved_input, saved_recurrence,
     saved_states, saved_head) = saved
    # (6) logits
    d_read, d_head = linear_backward(d_logits, saved_head)
    # (5) dropout of what the head reads
    d_states = dropout_backward(d_read, saved_states)  # (B, T, C)
    # (4) recurrence: the first state is zeros, its gradient is not used
    d_brought, *_, d_recurrence = recurrence_backward(
        d_states, saved_recurrence)
    # (3) what each token brings
    d_x, d_input = linear_backward(d_brought, saved_input)
    # (2) dropout
    d_x = dropout_backward(d_x, saved_dropout)        # (B, T, C)
    # (1) token embedding
    d_tokens = embedding_backward(d_x, saved_tokens)
    return {"tokens": d_tokens, "input": d_input,
            "recurrence": d_recurrence, "head": d_head}
