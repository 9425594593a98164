"""word2vec's start, its noise and its training, as in the original
program (Mikolov et al., 2013, word2vec.c)."""

import torch


def init_word_vectors(draws):
    """draws (V, C), from 0 to 1 -> both tables (V, C): input vectors
    from −1/2C to 1/2C, output vectors zero."""
    # (1) small input vectors, no two alike
    input_vectors = (draws - 0.5) / draws.shape[1]    # (V, C)
    # (2) output vectors of zeros
    output_vectors = torch.zeros_like(draws)             # (V, C)
    return {"input_vectors": input_vectors,
            "output_vectors": output_vectors}


def noise_probs(counts, power=0.75):
    """counts (V,), how often each word occurs -> probs (V,), with which
    it is drawn as noise."""
    # (1) raise rare words
    raised = counts ** power                          # (V,)
    # (2) divide by the sum
    probs = raised / raised.sum()                     # (V,)
    return probs


def fit_word_vectors(forward, backward, tables, batches, rate):
    """forward, backward: skip_gram and its backward, or cbow's; tables:
    both, (V, C); batches: pairs of a batch, forward's other arguments,
    and the progress, from 0 to 1; rate: at the start, it falls to 0.
    Yields the tables and the mean loss after each batch."""
    for batch, progress in batches:
        # (1) tell neighbours from noise
        losses, saved = forward(**batch, **tables)    # (M,)
        grads = backward(torch.ones_like(losses), saved)
        # (2) a step downhill, shorter and shorter
        step = rate * (1 - progress)
        tables = {name: table - step * grads[name]
                  for name, table in tables.items()}
        yield tables, float(losses.mean())
