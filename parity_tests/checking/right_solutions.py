"""Right solutions of the exercises in other forms than the package's: einsum, loops, one-hot
products, the chain rule written out, other names, one line. All must be accepted."""

RIGHT = {
    "linear": ['''
def linear_backward(d_y, saved):
    x, weight, bias = saved
    rows, grads = d_y.reshape(-1, d_y.shape[-1]), {}
    if x is not None:
        grads["weight"] = np.einsum("ri,ro->io", x.reshape(-1, x.shape[-1]), rows)
        if bias is not None:
            grads["bias"] = np.einsum("ro->o", rows)
    return np.einsum("...o,io->...i", d_y, weight), grads
''', '''
def linear_backward(d_y, saved):
    x, weight, bias = saved
    grads = {}
    # (3) shift
    if bias is not None and x is not None:
        grads["bias"] = d_y.sum(axis=tuple(range(d_y.ndim - 1)))
    # (2) weigh the inputs
    if x is not None:
        d_weight = np.zeros_like(weight)
        for row, d_row in zip(x.reshape(-1, x.shape[-1]), d_y.reshape(-1, d_y.shape[-1])):
            d_weight += np.outer(row, d_row)
        grads["weight"] = d_weight
    # (1) one row for each position
    d_x = d_y @ weight.T
    return d_x, grads
''', '''
def linear_backward(d_y, saved):
    x, weight, bias = saved
    rows = d_y.reshape(-1, d_y.shape[-1])
    back = (weight @ rows.T).T.reshape(*d_y.shape[:-1], len(weight))
    if x is None:
        return back, {}
    found = {"weight": (rows.T @ x.reshape(-1, len(weight))).T}
    if bias is not None:
        found["bias"] = np.ones(len(rows)) @ rows
    return back, found
'''],
    "embedding": ['''
def embedding_backward(d_y, saved):
    ids, weight = saved
    if ids is None:
        return {}
    one_hot = np.eye(len(weight))[ids.reshape(-1)]
    return {"weight": one_hot.T @ d_y.reshape(-1, weight.shape[1])}
''', '''
def embedding_backward(d_y, saved):
    ids, weight = saved
    if ids is None:
        return {}
    # (1) look up the row of each id
    d_weight = np.zeros_like(weight)
    for place in np.ndindex(ids.shape):
        d_weight[ids[place]] += d_y[place]
    return {"weight": d_weight}
''', '''
def embedding_backward(d_y, saved):
    ids, weight = saved
    if ids is None:
        return {}
    rows = [d_y[ids == token].sum(axis=0) for token in range(len(weight))]
    return {"weight": np.array(rows)}
'''],
    "position_embedding": ['''
def position_embedding_backward(d_y, saved):
    weight, positions, start, trainable = saved
    if not trainable:
        return {}
    B, T, C = d_y.shape
    if positions is None:
        positions = np.broadcast_to(np.arange(start, start + T), (B, T))
    d_weight = np.zeros_like(weight)
    np.add.at(d_weight, positions, d_y)
    return {"weight": d_weight}
''', '''
def position_embedding_backward(d_y, saved):
    weight, positions, start, trainable = saved
    if not trainable:
        return {}
    d_weight = np.zeros_like(weight)
    for b in range(d_y.shape[0]):
        for t in range(d_y.shape[1]):
            row = start + t if positions is None else positions[b, t]
            d_weight[row] += d_y[b, t]
    return {"weight": d_weight}
''', '''
def position_embedding_backward(d_y, saved):
    weight, positions, start, trainable = saved
    if not trainable:
        return {}
    B, T, C = d_y.shape
    if positions is None:
        positions = np.tile(np.arange(T) + start, (B, 1))
    one_hot = (positions[..., None] == np.arange(len(weight))).astype(float)
    return {"weight": np.einsum("btn,btc->nc", one_hot, d_y)}
'''],
    "dropout": ['''
def dropout_backward(d_y, saved):
    (mask,) = saved
    if mask is None:
        return d_y
    return mask * d_y
''', '''
def dropout_backward(d_y, saved):
    (mask,) = saved
    if mask is None:
        mask = np.ones(d_y.shape)
    return np.einsum("btc,btc->btc", d_y, mask) if d_y.ndim == 3 else d_y * mask
''', '''
def dropout_backward(d_y, saved):
    (mask,) = saved
    # (1) set to 0, or scale up
    d_x = d_y.copy()
    if mask is not None:
        d_x[mask == 0] = 0
        d_x *= mask.max(initial=0)
    return d_x
'''],
    "softmax": ['''
def softmax_backward(d_probs, saved):
    (probs,) = saved
    return probs * (d_probs - (probs * d_probs).sum(-1, keepdims=True))
''', '''
def softmax_backward(d_probs, saved):
    (probs,) = saved
    S = probs.shape[-1]
    jacobian = probs[..., None] * np.eye(S) - probs[..., :, None] * probs[..., None, :]
    return np.einsum("...ij,...j->...i", jacobian, d_probs)
''', '''
def softmax_backward(d_probs, saved):
    (probs,) = saved
    # (3) divide by the sum
    product = d_probs * probs
    total = product.sum(axis=-1)
    # (2) exponentiate
    d_x = product - probs * total[..., None]
    return d_x
'''],
    "gelu": ['''
def gelu_backward(d_y, saved):
    x, gate = saved
    tanh = 2 * gate - 1
    slope = 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh ** 2) * ROOT * (1 + 3 * CUBIC * x ** 2)
    return d_y * slope
''', '''
def gelu_backward(d_y, saved):
    x, gate = saved
    # (2) pass x through it
    d_factor, d_gate = gate * d_y, x * d_y
    # (1) open the gate
    tanh = np.tanh(ROOT * (x + CUBIC * x ** 3))
    d_inner = 0.5 * (1 - tanh * tanh) * d_gate
    d_x = d_factor + ROOT * d_inner + 3 * ROOT * CUBIC * d_inner * x * x
    return d_x
''', '''
def gelu_backward(d_y, saved):
    x, gate = saved
    d_x = np.empty_like(x)
    for i in np.ndindex(x.shape):
        g = gate[i]
        inner = ROOT * (1 + 3 * CUBIC * x[i] ** 2)
        d_x[i] = d_y[i] * (g + 2 * x[i] * inner * g * (1 - g))
    return d_x
'''],
    "silu": ['''
def silu_backward(d_y, saved):
    x, gate = saved
    return d_y * gate * (1 + x * (1 - gate))
''', '''
def silu_backward(d_y, saved):
    x, gate = saved
    y = x * gate
    return d_y * (y + gate * (1 - y))
''', '''
def silu_backward(d_y, saved):
    x, gate = saved
    # (2) times x
    from_x = d_y * gate
    from_gate = d_y * x
    # (1) the sigmoid
    from_x = from_x + from_gate * (gate - gate * gate)
    return from_x
'''],
    "cross_entropy": ['''
def cross_entropy_backward(d_loss, saved):
    probs, right, counted, count = saved
    one_hot = np.zeros_like(probs)
    np.put_along_axis(one_hot, right, 1, axis=-1)
    return (probs - one_hot) * counted[..., None] * d_loss / count
''', '''
def cross_entropy_backward(d_loss, saved):
    probs, right, counted, count = saved
    d_logits = np.zeros_like(probs)
    for place in np.ndindex(counted.shape):
        if counted[place]:
            d_logits[place] = probs[place]
            d_logits[place][right[place][0]] -= 1
            d_logits[place] *= d_loss / count
    return d_logits
''', '''
def cross_entropy_backward(d_loss, saved):
    probs, right, counted, count = saved
    # (4) average over those that count
    d_losses = np.where(counted, d_loss / count, 0)[..., None]
    # (3, 2, 1) the probabilities, less 1 for the right one
    d_logits = probs * d_losses
    d_logits -= d_losses * np.eye(probs.shape[-1])[right[..., 0]]
    return d_logits
'''],
    "layer_norm": ['''
def layer_norm_backward(d_y, saved):
    normed, inv_std, weight, trainable = saved
    C = len(weight)
    grads = {}
    if trainable:
        rows = d_y.reshape(-1, C)
        grads["bias"] = np.einsum("rc->c", rows)
        grads["weight"] = np.einsum("rc,rc->c", rows, normed.reshape(-1, C))
    d = d_y * weight
    total, product = d.sum(-1, keepdims=True), (d * normed).sum(-1, keepdims=True)
    return inv_std / C * (C * d - total - normed * product), grads
''', '''
def layer_norm_backward(d_y, saved):
    normed, inv_std, weight, trainable = saved
    C = weight.shape[0]
    # (3) scale and shift
    grads = {}
    if trainable:
        grads = {"weight": (d_y * normed).reshape(-1, C).sum(axis=0),
                 "bias": d_y.reshape(-1, C).sum(axis=0)}
    d_normed = d_y * weight
    # (2) divide by the standard deviation
    centred = normed / inv_std
    d_inv_std = (d_normed * centred).sum(axis=-1, keepdims=True)
    d_variance = d_inv_std * -0.5 * inv_std ** 3
    d_centred = d_normed * inv_std + d_variance * 2 * centred / C
    # (1) centre
    d_mean = -d_centred.sum(axis=-1, keepdims=True)
    d_x = d_centred + d_mean / C
    return d_x, grads
''', '''
def layer_norm_backward(d_y, saved):
    normed, inv_std, weight, trainable = saved
    d_x, C = np.empty_like(d_y), len(weight)
    d_weight, d_bias = np.zeros_like(weight), np.zeros_like(weight)
    for row in np.ndindex(d_y.shape[:-1]):
        d = d_y[row] * weight
        d = d - d.mean() - normed[row] * (d @ normed[row]) / C
        d_x[row] = d * inv_std[row]
        d_weight += d_y[row] * normed[row]
        d_bias += d_y[row]
    return d_x, {"weight": d_weight, "bias": d_bias} if trainable else {}
'''],
    "split_heads": ['''
def split_heads_backward(d_y, saved):
    return np.concatenate([d_y[:, h] for h in range(d_y.shape[1])], axis=-1)
''', '''
def split_heads_backward(d_y, saved):
    B, H, T, D = d_y.shape
    return np.einsum("bhtd->bthd", d_y).reshape(B, T, -1)
''', '''
def split_heads_backward(d_y, saved):
    B, H, T, D = d_y.shape
    d_x = np.empty((B, T, H * D), d_y.dtype)
    for h in range(H):
        d_x[:, :, h * D:(h + 1) * D] = d_y[:, h]
    return d_x
'''],
    "repeat_heads": ['''
def repeat_heads_backward(d_y, saved):
    (K,) = saved
    group = d_y.shape[1] // K
    return np.stack([d_y[:, k * group:(k + 1) * group].sum(1) for k in range(K)], axis=1)
''', '''
def repeat_heads_backward(d_y, saved):
    (K,) = saved
    H = d_y.shape[1]
    d_x = np.zeros((d_y.shape[0], K, *d_y.shape[2:]), d_y.dtype)
    for h in range(H):
        d_x[:, h // (H // K)] += d_y[:, h]
    return d_x
''', '''
def repeat_heads_backward(d_y, saved):
    (K,) = saved
    H = d_y.shape[1]
    belongs = (np.arange(H) // (H // K) == np.arange(K)[:, None]).astype(float)
    return np.einsum("kh,bhtd->bktd", belongs, d_y)
'''],
    "attention": ['''
def attention_backward(d_y, saved):
    q, k, v, probs, dropout_mask, weights = saved
    d_v = np.einsum("bhts,bhtd->bhsd", weights, d_y)
    d_probs = np.einsum("bhtd,bhsd->bhts", d_y, v)
    if dropout_mask is not None:
        d_probs = d_probs * dropout_mask
    d_scores = probs * (d_probs - (d_probs * probs).sum(-1, keepdims=True))
    d_scores *= q.shape[-1] ** -0.5
    return (np.einsum("bhts,bhsd->bhtd", d_scores, k), np.einsum("bhts,bhtd->bhsd", d_scores, q),
            d_v)
''', '''
def attention_backward(d_y, saved):
    q, k, v, probs, dropout_mask, weights = saved
    # (6) mix the values
    d_v = np.swapaxes(weights, 2, 3) @ d_y
    d_weights = d_y @ np.swapaxes(v, 2, 3)
    # (5) dropout
    d_probs = d_weights if dropout_mask is None else d_weights * dropout_mask
    # (4) turn scores into probabilities, divided by the root at once
    d_scores = softmax_backward(d_probs, (probs,)) / math.sqrt(q.shape[-1])
    # (1) compare each query with each key
    d_k = np.swapaxes(d_scores, 2, 3) @ q
    d_q = d_scores @ k
    return d_q, d_k, d_v
''', '''
def attention_backward(d_y, saved):
    q, k, v, probs, dropout_mask, weights = saved
    root = math.sqrt(q.shape[-1])
    d_q, d_k, d_v = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for b, h in np.ndindex(q.shape[:2]):
        d_v[b, h] = weights[b, h].T @ d_y[b, h]
        d_p = d_y[b, h] @ v[b, h].T
        if dropout_mask is not None:
            d_p = d_p * dropout_mask[b, h]
        d_s = softmax_backward(d_p, (probs[b, h],))
        d_q[b, h] = d_s @ (k[b, h] / root)
        d_k[b, h] = d_s.T @ (q[b, h] / root)
    return d_q, d_k, d_v
'''],
    "mlp": ['''
def mlp_backward(d_y, saved):
    saved_up, saved_gelu, saved_down, saved_dropout = saved
    d, grads = dropout_backward(d_y, saved_dropout), {}
    d, grads["down"] = linear_backward(d, saved_down)
    d, grads["up"] = linear_backward(gelu_backward(d, saved_gelu), saved_up)
    return d, grads
''', '''
def mlp_backward(d_y, saved):
    saved_up, saved_gelu, saved_down, saved_dropout = saved
    # (4) dropout
    (mask,) = saved_dropout
    d_out = d_y if mask is None else d_y * mask
    # (3) down projection
    activated, weight, _ = saved_down
    d_activated = d_out @ weight.T
    # (2) GELU
    d_hidden = gelu_backward(d_activated, saved_gelu)
    # (1) up projection
    d_x, d_up = linear_backward(d_hidden, saved_up)
    d_down = {"weight": (d_out.reshape(-1, d_out.shape[-1]).T
                         @ activated.reshape(-1, activated.shape[-1])).T,
              "bias": d_out.sum(axis=(0, 1))}
    return d_x, {"up": d_up, "down": d_down}
''', '''
def mlp_backward(d_y, saved):
    d, found = dropout_backward(d_y, saved[3]), []
    for back, each in ((linear_backward, saved[2]), (gelu_backward, saved[1]),
                       (linear_backward, saved[0])):
        result = back(d, each)
        d = result[0] if isinstance(result, tuple) else result
        found.append(result)
    return d, {"down": found[0][1], "up": found[2][1]}
'''],
    "multi_head_attention": ['''
def multi_head_attention_backward(d_y, saved):
    saved_qkv, saved_split, saved_attention, saved_merge, saved_out, saved_dropout = saved
    d = dropout_backward(d_y, saved_dropout)
    d, out = linear_backward(d, saved_out)
    d = merge_heads_backward(d, saved_merge)
    d = blockwise_attention_backward(d, saved_attention)
    d, qkv = linear_backward(split_qkv_backward(d, saved_split), saved_qkv)
    return d, {"qkv": qkv, "out": out}
''', '''
def multi_head_attention_backward(d_y, saved):
    (saved_qkv, _, saved_attention, saved_merge, saved_out, saved_dropout) = saved
    # (6) dropout
    d_mixed = dropout_backward(d_y, saved_dropout)
    # (5) output projection
    d_merged, d_out = linear_backward(d_mixed, saved_out)
    # (4) merge the heads
    B, T, C = d_merged.shape
    d_attended = d_merged.reshape(B, T, *saved_merge, -1).swapaxes(1, 2)
    # (3) attention
    parts = blockwise_attention_backward(d_attended, saved_attention)
    # (2) split into heads
    d_qkv = np.concatenate([part.swapaxes(1, 2).reshape(B, T, C) for part in parts], axis=-1)
    # (1) queries, keys and values in one product
    d_x, d_weights = linear_backward(d_qkv, saved_qkv)
    return d_x, {"out": d_out, "qkv": d_weights}
''', '''
def multi_head_attention_backward(d_y, saved):
    grads = {}
    d_mixed = dropout_backward(d_y, saved[5])
    d_merged, grads["out"] = linear_backward(d_mixed, saved[4])
    d_q, d_k, d_v = blockwise_attention_backward(
        merge_heads_backward(d_merged, saved[3]), saved[2])
    d_x, grads["qkv"] = linear_backward(split_qkv_backward((d_q, d_k, d_v), saved[1]), saved[0])
    return d_x, grads
'''],
    "block": ['''
def block_backward(d_y, saved):
    saved_norm_1, saved_attention, saved_norm_2, saved_mlp = saved
    d, feed_forward = mlp_backward(d_y, saved_mlp)
    d, norm_2 = layer_norm_backward(d, saved_norm_2)
    middle = d_y + d
    d, attention = multi_head_attention_backward(middle, saved_attention)
    d, norm_1 = layer_norm_backward(d, saved_norm_1)
    return middle + d, {"norm_1": norm_1, "attention": attention, "norm_2": norm_2,
                        "feed_forward": feed_forward}
''', '''
def block_backward(d_y, saved):
    saved_norm_1, saved_attention, saved_norm_2, saved_mlp = saved
    # (4) residual connection
    d_x = d_y.copy()
    # (3) MLP
    d_normed, d_mlp = mlp_backward(d_y, saved_mlp)
    d_branch, d_norm_2 = layer_norm_backward(d_normed, saved_norm_2)
    d_x += d_branch
    # (1) attention
    d_normed, d_attention = multi_head_attention_backward(d_x, saved_attention)
    d_branch, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)
    d_x += d_branch
    return d_x, {"feed_forward": d_mlp, "norm_2": d_norm_2, "attention": d_attention,
                 "norm_1": d_norm_1}
''', '''
def block_backward(d_y, saved):
    grads = {}

    def branch(back, d, saved_norm, saved_part, norm, part):
        d_normed, grads[part] = back(d, saved_part)
        d_branch, grads[norm] = layer_norm_backward(d_normed, saved_norm)
        return d + d_branch

    d = branch(mlp_backward, d_y, saved[2], saved[3], "norm_2", "feed_forward")
    return branch(multi_head_attention_backward, d, saved[0], saved[1], "norm_1",
                  "attention"), grads
'''],
    "rms_norm": ['''
def rms_norm_backward(d_y, saved):
    normed, inv_rms, weight, trainable = saved
    d = weight * d_y
    d_x = inv_rms * (d - normed * (d * normed).sum(-1, keepdims=True) / len(weight))
    rows = [each.reshape(-1, len(weight)) for each in (normed, d_y)]
    return d_x, {"weight": np.einsum("rc,rc->c", *rows)} if trainable else {}
''', '''
def rms_norm_backward(d_y, saved):
    normed, inv_rms, weight, trainable = saved
    C = weight.shape[0]
    # (2) scale
    grads = {"weight": (d_y * normed).reshape(-1, C).sum(axis=0)} if trainable else {}
    d_normed = d_y * weight
    # (1) divide by the root mean square
    x = normed / inv_rms
    d_inv_rms = (d_normed * x).sum(axis=-1, keepdims=True)
    d_mean_square = -0.5 * inv_rms ** 3 * d_inv_rms
    d_x = d_normed * inv_rms + 2 * x * d_mean_square / C
    return d_x, grads
''', '''
def rms_norm_backward(d_y, saved):
    normed, inv_rms, weight, trainable = saved
    d_x, d_weight = np.empty_like(d_y), np.zeros_like(weight)
    for row in np.ndindex(d_y.shape[:-1]):
        n, d = normed[row], d_y[row] * weight
        d_x[row] = (d - n * (n @ d) / len(n)) * inv_rms[row]
        d_weight += d_y[row] * n
    return d_x, {"weight": d_weight} if trainable else {}
'''],
    "swiglu": ['''
def swiglu_backward(d_y, saved):
    activated, up, saved_silu = saved
    return silu_backward(d_y * up, saved_silu), activated * d_y
''', '''
def swiglu_backward(d_y, saved):
    activated, up, (gate, sigmoid) = saved
    # (2) times the other projection
    d_up = d_y * activated
    d_activated = d_y * up
    # (1) SiLU of the gate
    d_gate = d_activated * (sigmoid + activated * (1 - sigmoid))
    return d_gate, d_up
''', '''
def swiglu_backward(d_y, saved):
    activated, up, (x, sigmoid) = saved
    slope = sigmoid * (1 + x * (1 - sigmoid))
    return np.stack([up * slope, activated])[0] * d_y, d_y * x * sigmoid
'''],
    "rope": ['''
def rope_backward(d_y, saved):
    cos, sin = saved
    half = d_y.shape[-1] // 2
    one, two = d_y[..., :half], d_y[..., half:]
    return np.concatenate([one * cos + two * sin, two * cos - one * sin], axis=-1)
''', '''
def rope_backward(d_y, saved):
    cos, sin = saved
    return rope(d_y, cos, -sin)[0]
''', '''
def rope_backward(d_y, saved):
    cos, sin = saved
    pairs = np.stack(np.split(d_y, 2, axis=-1), axis=-1)
    back = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)
    d_pairs = (back * pairs[..., None, :]).sum(axis=-1)
    return np.concatenate([d_pairs[..., 0], d_pairs[..., 1]], axis=-1)
'''],
}
