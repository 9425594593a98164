"""Mistakes in sampling and generation."""

from parity_tests.mutants.planting import Mutant as M

N, T = "npgpt/generation/", "torchgpt/generation/"

MUTANTS = [
    M(N + "sample", "the temperature multiplies",
      "scores.max()) / temperature", "scores.max()) * temperature"),
    M(N + "sample", "top-k keeps one more",
      "last = np.sort(scores)[-top_k]", "last = np.sort(scores)[-top_k - 1]"),
    M(N + "sample", "top-p leaves out the token that reaches p",
      "probs[order[before >= top_p]] = 0", "probs[order[np.cumsum(probs[order]) >= top_p]] = 0"),
    M(N + "sample", "a token of probability 0 is drawn at u = 0",
      "reached <= u * reached[-1]", "reached < u * reached[-1]", step=""),
    M(T + "sample", "u is not scaled to what is left",
      "reached <= u * reached[-1]", "reached <= u", step=""),
    M(T + "sample", "the smallest k are kept",
      "torch.sort(scores).values[-top_k]", "torch.sort(scores).values[top_k - 1]"),
    M(T + "sample", "the likeliest may be cut by top-p",
      "order = torch.argsort(-probs, stable=True)", "order = torch.argsort(probs, stable=True)"),
    M(N + "generate", "the prompt is read again with each token",
      "logits, cache = one_step(params, window[-1], cache, config)",
      "logits, cache = one_step(params, window[0], cache, config)"),
    M(N + "rows_of_cache", "the rows that go on keep the first rows' cache",
      "array[rows]", "array[:len(rows)]", step="", component="read"),
    M(T + "generate", "a full context restarts with one token too many",
      "window[-max(N // 2, 1):]", "window[-max(N // 2 + 1, 1):]"),
    M("npgpt/speed/one_token/gpt2", "the scale is forgotten",
      "q = q * (1 / math.sqrt(D))", "q = q * 1.0"),
    M("torchgpt/speed/one_token/gpt2", "the place is off by one",
      'place = params["positions"]["weight"][start]',
      'place = params["positions"]["weight"][max(start - 1, 0)]'),
    M(N + "sample", "the penalty divides negative logits, too",
      "np.where(old > 0, old / penalty, old * penalty)", "old / penalty"),
    M(T + "sample", "the log probability is that of another token",
      "scores[token] - ", "scores[token - 1] - ", step=""),
    M(N + "sample", "the draw is turned around",
      "return draw_token(probs, u)", "return draw_token(probs, 1 - u)", step=""),
    M(T + "generate_batch", "all rows share one seed",
      "seed + b, 0", "seed, 0", step=""),
]
