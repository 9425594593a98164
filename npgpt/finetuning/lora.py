"""LoRA: a frozen weight plus the product of two thin matrices, which
alone are trained (Hu et al., 2021)."""

from npgpt.tree import tree_leaves, tree_map_with_path


def lora(weight, A, B, alpha):
    """weight (I, O), frozen; A (I, r), B (r, O) -> y (I, O), the weight
    that the layer uses."""
    r = A.shape[1]
    # (1) multiply the two thin matrices
    update = A @ B                                    # (I, O)
    # (2) scale
    scale = float(alpha) / r
    scaled = scale * update                           # (I, O)
    # (3) add to the frozen weight
    y = weight + scaled                               # (I, O)
    return y, (A, B, scale)


def lora_backward(d_y, saved):
    """d_y (I, O) -> {"A": (I, r), "B": (r, O)}."""
    A, B, scale = saved
    # (3) add to the frozen weight, which gets no gradient
    d_scaled = d_y                                    # (I, O)
    # (2) scale
    d_update = scale * d_scaled                       # (I, O)
    # (1) multiply the two thin matrices
    d_B = A.T @ d_update                              # (r, O)
    d_A = d_update @ B.T                              # (I, r)
    return {"B": d_B, "A": d_A}


def lora_weights(params, adapters, alpha):
    """params: a model's; adapters: {"blocks.0.attention.q":
    {"A": (I, r), "B": (r, O)}, ...} -> params with the weights that
    `lora` gives in these layers, all others as they are, saved."""
    saved = {}

    def adapted(path, array):
        layer, _, name = path.rpartition(".")
        if name != "weight" or layer not in adapters:
            return array
        y, saved[layer] = lora(array, **adapters[layer], alpha=alpha)
        return y

    # (1) the weight of each adapted layer
    return tree_map_with_path(adapted, params), saved


def lora_weights_backward(d_params, saved):
    """d_params, those of the adapted layers at least -> d_adapters."""
    d_weights = dict(tree_leaves(d_params))
    # (1) the weight of each adapted layer
    d_adapters = {
        layer: lora_backward(d_weights[f"{layer}.weight"], each)
        for layer, each in saved.items()}
    return d_adapters
