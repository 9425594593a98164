"""Mistakes in LoRA, and in layers that are frozen."""

from parity_tests.mutants.planting import Mutant as M

N, T = "npgpt/finetuning/lora", "torchgpt/finetuning/lora"
L, TL = "npgpt/layers/", "torchgpt/layers/"
TARGETS = "npgpt/finetuning/targets"

MUTANTS = [
    M(N, "alpha without 1/r", "scale = float(alpha) / r", "scale = float(alpha)"),
    M(N, "alpha is divided by the root of the rank, as in rsLoRA",
      "scale = float(alpha) / r", "scale = float(alpha) / r ** 0.5"),
    M(N, "the rank over alpha", "scale = float(alpha) / r", "scale = r / float(alpha)"),
    M(N, "the update takes the frozen weight's place", "y = weight + scaled", "y = scaled + 0"),
    M(N, "the update is taken off", "y = weight + scaled", "y = weight - scaled"),
    M(N, "backward forgets the scale", "d_update = scale * d_scaled", "d_update = d_scaled"),
    M(N, "backward scales twice", "d_update = scale * d_scaled",
      "d_update = scale * scale * d_scaled"),
    M(N, "A gets its gradient from itself", "d_A = d_update @ B.T",
      "d_A = d_update @ (A.T @ d_update).T"),
    M(N, "the rows of B get one gradient", "d_B = A.T @ d_update  ",
      "d_B = 0 * (A.T @ d_update) + (A.T @ d_update).mean(axis=0)  "),
    M(N, "every layer gets the first one's matrices", "**adapters[layer], alpha",
      "**next(iter(adapters.values())), alpha", step="1"),
    M(N, "a bias is adapted in the weight's place",
      'if name != "weight" or layer', 'if name != "bias" or layer', step="1"),
    M(T, "alpha without 1/r", "scale = float(alpha) / r", "scale = float(alpha)"),
    M(T, "the rank is the number of inputs", "r = A.shape[1]", "r = A.shape[0]", step=""),
    M(T, "backward forgets the scale", "d_update = scale * d_scaled", "d_update = d_scaled"),
    M(T, "A gets no gradient", "d_A = d_update @ B.T", "d_A = 0 * (d_update @ B.T)"),
    M(T, "the gradients come by order, not by name",
      'd_weights[f"{layer}.weight"], each',
      "list(d_weights.values())[list(saved).index(layer)], each"),
    M("npgpt/finetuning/rslora", "times the rank, not its root",
      "alpha * math.sqrt(rank)", "alpha * rank"),
    M("npgpt/finetuning/rslora", "the root is divided by, not multiplied with",
      "alpha * math.sqrt(rank)", "alpha / math.sqrt(rank)"),
    M(TARGETS, "B is drawn and A is 0", '"B": Weight((rank, outputs), zeros)',
      '"B": Weight((rank, outputs), uniform(1 / math.sqrt(inputs)))', step="",
      component="init_adapters"),
    M(TARGETS, "the bound is that of a = 1", "uniform(1 / math.sqrt(inputs))",
      "uniform(math.sqrt(3 / inputs))", step="", component="init_adapters"),
    M(TARGETS, "the bound is of the rank", "uniform(1 / math.sqrt(inputs))",
      "uniform(1 / math.sqrt(rank))", step="", component="init_adapters"),
    M("npgpt/finetuning/adapters", "the seed is forgotten",
      "return init(chosen, config, seed, dtype)", "return init(chosen, config, dtype=dtype)"),
    *[M(folder + "linear", "a frozen layer hands no gradient on",
        "    d_x = d_rows @ weight.T   ",
        "    d_x = d_rows @ weight.T * (x is not None)   ") for folder in (L, TL)],
]
# what nothing is compared with has no step: the checker names the gradient
FROZEN = [
    *[M(folder + name, "a frozen layer's gradient is computed all the same", old, new)
      for folder in (L, TL) for name, old, new in (
          ("linear", "x if trainable else None", "x"),
          ("embedding", "ids if trainable else None", "ids"),
          ("position_embedding", "    if not trainable:\n        return {}\n", ""),
          ("layer_norm", "    if trainable:\n", "    if True:\n"),
          ("rms_norm", "    if trainable:\n", "    if True:\n"))],
]
