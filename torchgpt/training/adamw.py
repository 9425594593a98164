"""AdamW: each weight moves by its gradient's running mean, in units of
the gradient's running size (Loshchilov and Hutter, 2019, alg. 2)."""

import torch

from npgpt.tree import tree_map


def adamw_init(params):
    """-> state: no steps taken, both running means zero."""
    return {"step": 0,
            "m": tree_map(torch.zeros_like, params),
            "v": tree_map(torch.zeros_like, params)}


def adamw_step(params, grads, state, lr, betas=(0.9, 0.95), eps=1e-8,
               weight_decay=0.1):
    """Update params and state in place. lr, the paper's rate times its
    schedule, scales the decay as well, which shrinks tensors of two or
    more dimensions; biases and norm scales are left alone."""
    state["step"] += 1
    beta_1, beta_2 = map(float, betas)
    lr, eps, weight_decay = float(lr), float(eps), float(weight_decay)
    bias_1 = 1 - beta_1 ** state["step"]
    bias_2 = 1 - beta_2 ** state["step"]

    def update(weight, grad, m, v):
        # (1) decay
        if weight.ndim >= 2:
            weight *= 1 - lr * weight_decay
        # (2) running mean of the gradient
        m *= beta_1
        m += (1 - beta_1) * grad
        # (3) running mean of its square
        v *= beta_2
        v += (1 - beta_2) * (grad * grad)
        # (4) step; both means began at 0, which bias_1, bias_2 correct
        size = torch.sqrt(v / bias_2) + eps
        weight -= (lr / bias_1) * (m / size)

    tree_map(update, params, grads, state["m"], state["v"])


def adamw_reference(weights, lr, betas=(0.9, 0.95), eps=1e-8,
                    weight_decay=0.1):
    """PyTorch's own optimiser over a list of weights, in two groups."""
    return torch.optim.AdamW(
        [{"params": [w for w in weights if w.ndim >= 2],
          "weight_decay": weight_decay},
         {"params": [w for w in weights if w.ndim < 2],
          "weight_decay": 0.0}], lr=lr, betas=betas, eps=eps)
