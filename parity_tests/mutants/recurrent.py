"""Mistakes in a recurrent network and its gradient through time."""

from parity_tests.mutants.planting import Mutant as M

N, T = "npgpt/layers/recurrence", "torchgpt/layers/recurrence"
R, TR = "npgpt/models/recurrent", "torchgpt/models/recurrent"

MUTANTS = [
    M(N, "the slope is taken as if the state were what tanh is given",
      "1 - states[:, t] ** 2", "1 - np.tanh(states[:, t]) ** 2"),
    M(N, "the weight's gradient takes the state after the token for the one before it",
      "before[:, t].T @ d_mixed", "states[:, t].T @ d_mixed"),
    M(N, "the weight's gradient is the last token's: = for +=",
      "d_weight += before", "d_weight = before"),
    M(N, "the gradient of later tokens is dropped",
      "d_after = d_states[:, t] + d_state ", "d_after = d_states[:, t] * 1 "),
    M(N, "a state leaks into the next text",
      "state = np.where(begins[:, t, None], 0, state)", "state = state * 1"),
    M(N, "a gradient leaks into the text before",
      "d_state = np.where(begins[:, t, None], 0, d_state)", "d_state = d_state * 1"),
    M(N, "the gradient is cut one token late",
      "t > 0 and t % truncate == 0", "t > 1 and (t - 1) % truncate == 0"),
    M(N, "the gradient is cut before the first token, too",
      "t > 0 and t % truncate == 0", "t % truncate == 0"),
    M(N, "the state that is carried in is forgotten",
      "    if state is None:\n        state", "    if True:\n        state", step="2"),
    M(T, "the slope is taken as if the state were what tanh is given",
      "1 - states[:, t] ** 2", "1 - torch.tanh(states[:, t]) ** 2"),
    M(T, "the state goes back by the weight, not its transpose",
      "d_state = d_mixed @ weight.T", "d_state = d_mixed @ weight"),
    M(T, "the weight's gradient is transposed",
      "before[:, t].T @ d_mixed", "d_mixed.T @ before[:, t]"),
    M(T, "the gradient of later tokens replaces the token's own",
      "d_after = d_states[:, t] + d_state ",
      "d_after = d_states[:, t] + d_state if t == T - 1 else d_state * 1 "),
    M(T, "each text of a row begins with the first one's state",
      "state = torch.where(begins[:, t, None], 0, state)",
      "state = torch.where(begins[:, t, None], before[:, 0], state)"),
    M(T, "the weight's gradient is cut with the state's",
      "            d_weight += before[:, t].T @ d_mixed      # (C, C)",
      "            if truncate is None or t == 0 or t % truncate:\n"
      "                d_weight += before[:, t].T @ d_mixed"),
    M(T, "the gradient is counted twice where it is cut",
      "            d_state = torch.zeros_like(d_state)", "            d_state = d_state * 2"),
    M(R, "what is cut is not handed on",
      "truncate=config.truncate", "truncate=None"),
    M(R, "a text begins at position 1",
      "positions == 0", "positions == 1"),
    M(R, "dropout is taken for the first mask", 'get("states")', 'get("embedding")'),
    M(R, "the embedding's dropout is forgotten on the way back",
      "d_x = dropout_backward(d_x, saved_dropout)", "d_x = d_x * 1"),
    M(R, "the state is not handed on in the cache",
      '"state": states[:, 0]', '"state": cache["state"]', component="read"),
    M(TR, "the head reads the states without their dropout",
      "linear(read, **", "linear(states, **"),
    M(TR, "the input weight is passed by",
      "d_x, d_input = linear_backward(d_brought, saved_input)",
      "d_x, d_input = d_brought, linear_backward(d_brought, saved_input)[1]"),
    M(TR, "the cache's state is not read",
      'state = None if cache is None else cache["state"]', "state = None", step="4",
      component="read"),
    M("npgpt/training/clip", "each number is clipped, not the norm of all",
      "lambda grad: grad * scale", "lambda grad: grad.clip(-max_norm, max_norm)"),
]

# changes that are none, and why
EQUIVALENT = [
    M(N, "the gradient is cut before the first token, too: a model's first state is zeros, and"
      " nobody asks for its gradient",
      "t > 0 and t % truncate == 0", "t % truncate == 0", component="recurrent.forward"),
    M(T, "a text that begins with the row may be told to, or not: before it there are zeros",
      "begins[:, t, None], 0, state", "begins[:, t, None] & (t > 0), 0, state",
      component="recurrent.forward"),
]
