"""Plausible wrong solutions of the exercises, as `blind_*.py` beside them, which were written by
someone who did not know the tutor: what is wrong, its step, its kind, and the edits of the
package's file that make it."""

LINEAR = [
    {"what": "The gradient of the weight is transposed.", "step": "2", "kind": "transposed",
     "edits": [("x.reshape(-1, I).T @ d_rows", "d_rows.T @ x.reshape(-1, I)")]},
    {"what": "The weight is not transposed: the product stops.", "step": "2",
     "kind": "transposed", "edits": [("d_rows @ weight.T", "d_rows @ weight")]},
    {"what": "The gradient of the bias has the wrong sign.", "step": "3", "kind": "sign",
     "edits": [("d_bias = d_rows.sum(axis=0)", "d_bias = -d_rows.sum(axis=0)")]},
    {"what": "The gradient of the bias is summed over the features.", "step": "3",
     "kind": "axis", "edits": [("d_bias = d_rows.sum(axis=0)", "d_bias = d_y.sum(axis=(1, 2))")]},
]
EMBEDDING = [
    {"what": "The gradients of equal ids are averaged over the batch.", "step": "1",
     "kind": "mean", "edits": [("np.add.at(d_weight, ids, d_y)",
                                "np.add.at(d_weight, ids, d_y / ids.shape[0])")]},
    {"what": "The gradient has the wrong sign.", "step": "1", "kind": "sign",
     "edits": [("np.add.at(d_weight, ids, d_y)", "np.subtract.at(d_weight, ids, d_y)")]},
    {"what": "The one-hot product is transposed.", "step": "1", "kind": "transposed",
     "edits": [("np.add.at(d_weight, ids, d_y)",
                "d_weight = d_y.reshape(-1, d_y.shape[-1]).T @ (\n"
                "        ids.reshape(-1, 1) == np.arange(len(weight))).astype(float)")]},
]
POSITION_EMBEDDING = [
    {"what": "The gradient is not summed over the batch.", "step": "1", "kind": "sum",
     "edits": [("d_weight[start:start + T] = d_y.sum(axis=0)",
                "d_weight = np.zeros((B, *weight.shape))\n"
                "        d_weight[:, start:start + T] = d_y")]},
    {"what": "Only the first sequence counts.", "step": "1", "kind": "sum",
     "edits": [("d_weight[start:start + T] = d_y.sum(axis=0)",
                "d_weight[start:start + T] = d_y[0]")]},
    {"what": "The positions are in the reverse order.", "step": "1", "kind": "order",
     "edits": [("= d_y.sum(axis=0)", "= d_y.sum(axis=0)[::-1]")]},
]
DROPOUT = [
    {"what": "Divided by the mask's complement of 1.", "step": "1", "kind": "factor",
     "edits": [("d_y * dropout_mask", "d_y * (1 - dropout_mask)")]},
    {"what": "Half a gradient.", "step": "1", "kind": "scale",
     "edits": [("d_y * dropout_mask ", "0.5 * d_y * dropout_mask ")]},
    {"what": "The mask is added.", "step": "1", "kind": "operation",
     "edits": [("d_y * dropout_mask ", "d_y + dropout_mask ")]},
]
SOFTMAX = [
    {"what": "The mean is left out, in one line.", "step": "3", "kind": "term", "edits": [
        ("    mean_grad = (d_probs * probs).sum(axis=-1, keepdims=True)\n"
         "    d_powers = d_probs - mean_grad    # (..., S), times total\n", ""),
        ("d_shifted = probs * d_powers                      # (..., S)\n",
         "d_shifted = probs * d_probs\n")]},
    {"what": "The probabilities are forgotten in the mean, in one line.", "step": "3",
     "kind": "factor", "edits": [
         ("    mean_grad = (d_probs * probs).sum(axis=-1, keepdims=True)\n"
          "    d_powers = d_probs - mean_grad    # (..., S), times total\n", ""),
         ("    d_shifted = probs * d_powers                      # (..., S)\n", ""),
         ("    d_x = d_shifted                                   # (..., S)\n",
          "    d_x = probs * (d_probs - d_probs.sum(axis=-1, keepdims=True))\n")]},
    {"what": "A mean in place of the sum.", "step": "3", "kind": "mean",
     "edits": [("(d_probs * probs).sum(", "(d_probs * probs).mean(")]},
    {"what": "The wrong sign of the whole.", "step": "2", "kind": "sign",
     "edits": [("d_shifted = probs * d_powers", "d_shifted = -probs * d_powers")]},
]
GELU = [
    {"what": "A factor 2 is forgotten.", "step": "1", "kind": "factor",
     "edits": [("2 * d_gate * gate * (1 - gate)", "d_gate * gate * (1 - gate)")]},
    {"what": "The slope of the inner function is forgotten.", "step": "1", "kind": "factor",
     "edits": [("d_x = d_factor + d_inner * slope", "d_x = d_factor + d_inner")]},
    {"what": "x is cubed where it is to be squared.", "step": "1", "kind": "factor",
     "edits": [("3 * CUBIC * x * x)", "3 * CUBIC * x * x * x)")]},
    {"what": "The gate's derivative lacks 1 − gate.", "step": "1", "kind": "factor",
     "edits": [("2 * d_gate * gate * (1 - gate)", "2 * d_gate * gate")]},
]
SILU = [
    {"what": "The product rule's first term is forgotten.", "step": "1", "kind": "term",
     "edits": [("d_x = d_factor + d_gate * gate * (1 - gate)",
                "d_x = d_gate * gate * (1 - gate)")]},
    {"what": "The gate's derivative lacks the gate.", "step": "1", "kind": "factor",
     "edits": [("d_gate * gate * (1 - gate)", "d_gate * (1 - gate)")]},
    {"what": "The derivative of tanh, not of the sigmoid.", "step": "1", "kind": "value",
     "edits": [("d_gate * gate * (1 - gate)", "d_gate * (1 - gate * gate)")]},
]
CROSS_ENTROPY = [
    {"what": "The right token's 1 is not subtracted.", "step": "3", "kind": "term",
     "edits": [("d_logits = probs - one_hot.astype(probs.dtype)", "d_logits = probs.copy()")]},
    {"what": "Not divided by the number of targets.", "step": "4", "kind": "sum",
     "edits": [("(d_loss / count)", "d_loss")]},
    {"what": "The loss's own gradient is forgotten.", "step": "4", "kind": "factor",
     "edits": [("(d_loss / count)", "(1 / count)")]},
    {"what": "The wrong sign.", "step": "3", "kind": "sign", "edits": [
        ("d_logits = probs - one_hot.astype(probs.dtype)",
         "d_logits = one_hot.astype(probs.dtype) - probs")]},
]
LAYER_NORM = [
    {"what": "A sum in place of a mean.", "step": "2", "kind": "sum",
     "edits": [("(d_normed * normed).mean(", "(d_normed * normed).sum(")]},
    {"what": "The standard deviation is taken for a constant.", "step": "2", "kind": "term",
     "edits": [("(d_normed - normed * mean_grad) * inv_std", "d_normed * inv_std")]},
    {"what": "The mean is taken for a constant.", "step": "1", "kind": "term",
     "edits": [("d_x = d_centred - d_centred.mean(axis=-1, keepdims=True)", "d_x = d_centred")]},
    {"what": "The weight is forgotten.", "step": "3", "kind": "factor",
     "edits": [("d_normed = d_y * weight", "d_normed = d_y")]},
    {"what": "The mean has lost its axis: it stops.", "step": "1", "kind": "axis",
     "edits": [("d_centred.mean(axis=-1, keepdims=True)", "d_centred.mean(axis=-1)")]},
]
HEADS = [
    {"what": "Reshaped without the swap.", "name": "split_heads", "step": "2", "kind": "order",
     "edits": [("d_split = d_y.swapaxes(1, 2)                      # (B, T, H, D)\n",
                "d_split = d_y.reshape(d_y.shape[0], d_y.shape[2], d_y.shape[1], -1)\n")]},
    {"what": "Split without the swap.", "name": "merge_heads", "step": "2", "kind": "order",
     "edits": [("d_swapped = d_y.reshape(B, T, H, width // H)", "d_swapped = d_y.reshape(B, H, T,"
                " width // H).swapaxes(1, 2)")]},
    {"what": "A mean over the copies.", "name": "repeat_heads", "step": "1", "kind": "mean",
     "edits": [("d_x = groups.sum(axis=2)", "d_x = groups.mean(axis=2)")]},
    {"what": "Only the first copy counts.", "name": "repeat_heads", "step": "1", "kind": "sum",
     "edits": [("d_x = groups.sum(axis=2)", "d_x = groups[:, :, 0]")]},
    {"what": "The parts are not swapped.", "name": "split_qkv", "step": "2", "kind": "transposed",
     "edits": [("[part.swapaxes(1, 2) for part in d_y]", "list(d_y)")]},
]
ATTENTION = [
    {"what": "The division by √D is forgotten.", "step": "2", "kind": "scale",
     "edits": [("    d_scores = d_scores / math.sqrt(q.shape[-1])      # (B, H, T, S)\n"
                "    # (1)", "    d_scores = d_scores.copy()\n    # (1)")]},
    {"what": "The softmax is taken for independent scores.", "step": "4", "kind": "term",
     "edits": [("softmax_backward(d_probs, (probs,))", "d_probs * probs * (1 - probs)")]},
    {"what": "Dropout is forgotten.", "step": "5", "kind": "factor",
     "edits": [("d_probs = d_weights * dropout_mask", "d_probs = d_weights")]},
    {"what": "d_q with the queries.", "step": "1", "kind": "value",
     "edits": [("d_q = d_scores @ k ", "d_q = d_scores @ q ")]},
    {"what": "The weights are not transposed: the product stops.", "step": "6",
     "kind": "transposed", "edits": [("d_v = weights.swapaxes(-1, -2) @ d_y",
                                      "d_v = weights @ d_y")]},
    {"what": "d_k has the wrong sign.", "step": "1", "kind": "sign", "edits": [
        ("d_k = d_scores.swapaxes(-1, -2) @ q", "d_k = -d_scores.swapaxes(-1, -2) @ q")]},
]
MLP = [
    {"what": "GELU's derivative is forgotten.", "step": "2", "kind": "function",
     "edits": [("d_hidden = gelu_backward(d_activated, saved_gelu)", "d_hidden = d_activated")]},
    {"what": "Dropout is forgotten.", "step": "4", "kind": "function",
     "edits": [("d_out = dropout_backward(d_y, saved_dropout)", "d_out = d_y")]},
    {"what": "A residual connection where there is none.", "step": "1", "kind": "term",
     "edits": [("    return d_x, {\"down\"", "    d_x = d_x + d_y\n    return d_x, {\"down\"")]},
]
MULTI_HEAD_ATTENTION = [
    {"what": "d_k and d_v are interchanged.", "step": "2", "kind": "order",
     "edits": [("split_qkv_backward((d_q, d_k, d_v)", "split_qkv_backward((d_q, d_v, d_k)")]},
    {"what": "Dropout is forgotten.", "step": "6", "kind": "function",
     "edits": [("d_mixed = dropout_backward(d_y, saved_dropout)", "d_mixed = d_y")]},
    {"what": "Scaled by the number of heads.", "step": "3", "kind": "scale",
     "edits": [("    # (2) split into heads\n    d_qkv", "    d_q, d_k, d_v = (each / each.shape[1]"
                " for each in (d_q, d_k, d_v))\n    # (2) split into heads\n    d_qkv")]},
]
BLOCK = [
    {"what": "The path around attention is forgotten.", "step": "1", "kind": "term",
     "edits": [("    d_branch, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)\n"
                "    d_x = d_x + d_branch ",
                "    d_branch, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)\n"
                "    d_x = d_branch ")]},
    {"what": "The norm before the MLP is forgotten.", "step": "3", "kind": "function",
     "edits": [("    d_x = d_x + d_branch                              # (B, T, C)\n"
                "    # (2)", "    d_x = d_x + d_normed\n    # (2)")]},
    {"what": "The norms are interchanged.", "step": "3", "kind": "value",
     "edits": [("d_norm_2 = layer_norm_backward(d_normed, saved_norm_2)",
                "d_norm_2 = layer_norm_backward(d_normed, saved_norm_1)")]},
]
RMS_NORM = [
    {"what": "A sum in place of a mean.", "step": "1", "kind": "sum",
     "edits": [("(d_normed * normed).mean(", "(d_normed * normed).sum(")]},
    {"what": "The root mean square is taken for a constant.", "step": "1", "kind": "term",
     "edits": [("(d_normed - normed * mean_grad) * inv_rms", "d_normed * inv_rms")]},
    {"what": "The weight is forgotten.", "step": "2", "kind": "factor",
     "edits": [("d_normed = d_y * weight", "d_normed = d_y")]},
    {"what": "Not divided by the root mean square.", "step": "1", "kind": "factor",
     "edits": [("(d_normed - normed * mean_grad) * inv_rms", "d_normed - normed * mean_grad")]},
    {"what": "The weight's gradient lacks what it multiplied.", "step": "2", "kind": "factor",
     "edits": [("(d_y * normed).reshape(-1, C)", "d_y.reshape(-1, C)")]},
    {"what": "Centred, as in layer norm.", "step": "1", "kind": "term", "edits": [
        ("    return d_x, grads", "    d_x = d_x - d_x.mean(axis=-1, keepdims=True)\n"
         "    return d_x, grads")]},
]
SWIGLU = [
    {"what": "The two gradients are interchanged.", "step": "2", "kind": "order",
     "edits": [("d_activated = d_y * up ", "d_activated = d_y * activated ")]},
    {"what": "SiLU's derivative is forgotten.", "step": "1", "kind": "function",
     "edits": [("d_gate = silu_backward(d_activated, saved_silu)", "d_gate = d_activated")]},
    {"what": "d_up lacks the gate.", "step": "2", "kind": "factor",
     "edits": [("d_up = d_y * activated", "d_up = d_y")]},
    {"what": "d_up has the wrong sign.", "step": "2", "kind": "sign",
     "edits": [("d_up = d_y * activated", "d_up = -d_y * activated")]},
    {"what": "d_y, not d_activated, goes through SiLU.", "step": "1", "kind": "value",
     "edits": [("silu_backward(d_activated, saved_silu)", "silu_backward(d_y, saved_silu)")]},
    {"what": "The product rule as a sum of both.", "step": "2", "kind": "term",
     "edits": [("d_up = d_y * activated", "d_up = d_y * (activated + up)")]},
]
ROPE = [
    {"what": "Rotated forward once more.", "step": "2", "kind": "sign", "edits": [
        ("d_first = d_y_first * cos + d_y_second * sin      # (B, H, T, D/2)\n"
         "    d_second = d_y_second * cos - d_y_first * sin     # (B, H, T, D/2)\n"
         "    # (1) cut into pairs\n    d_x = np.concatenate(",
         "d_first = d_y_first * cos - d_y_second * sin      # (B, H, T, D/2)\n"
         "    d_second = d_y_second * cos + d_y_first * sin     # (B, H, T, D/2)\n"
         "    # (1) cut into pairs\n    d_x = np.concatenate(")]},
    {"what": "The sines are forgotten.", "step": "2", "kind": "term", "edits": [
        ("d_first = d_y_first * cos + d_y_second * sin      # (B, H, T, D/2)\n"
         "    d_second = d_y_second * cos - d_y_first * sin     # (B, H, T, D/2)\n"
         "    # (1) cut into pairs\n    d_x = np.concatenate(",
         "d_first = d_y_first * cos\n    d_second = d_y_second * cos\n"
         "    # (1) cut into pairs\n    d_x = np.concatenate(")]},
    {"what": "Joined the wrong way round.", "step": "1", "kind": "order",
     "edits": [("np.concatenate([d_first, d_second], axis=-1)",
                "np.concatenate([d_second, d_first], axis=-1)")]},
    {"what": "Joined in turn, as the interleaved form is.", "step": "1", "kind": "order",
     "edits": [("np.concatenate([d_first, d_second], axis=-1)",
                "np.stack([d_first, d_second], axis=-1).reshape(d_y.shape)")]},
    {"what": "Cut in turn, as the interleaved form is.", "step": "3", "kind": "value",
     "edits": [("d_y_first, d_y_second = np.split(d_y, 2, axis=-1)",
                "d_y_first, d_y_second = d_y[..., ::2], d_y[..., 1::2]")]},
    {"what": "Sine and cosine are interchanged.", "step": "2", "kind": "value", "edits": [
        ("    cos, sin = saved\n    # (3) join\n    d_y_first, d_y_second = np.split",
         "    sin, cos = saved\n    # (3) join\n    d_y_first, d_y_second = np.split")]},
]
POST_NORM_BLOCK = [
    {"what": "The MLP gets the gradient from above the norm.", "step": "4", "kind": "value",
     "edits": [("d_mlp_out = d_x\n", "d_mlp_out = d_y\n")]},
    {"what": "The stream goes past the norm, as in a pre-norm block.", "step": "4",
     "kind": "value", "edits": [
         ("d_x, d_norm_2 = layer_norm_backward(d_y, saved_norm_2)\n    d_mlp_out = d_x",
          "d_mlp_out, d_norm_2 = layer_norm_backward(d_y, saved_norm_2)\n    d_x = d_y")]},
    {"what": "The sum's gradient is split in halves between its two terms.", "step": "4",
     "kind": "scale", "edits": [("d_mlp_out = d_x\n", "d_x = d_x / 2\n    d_mlp_out = d_x\n")]},
    {"what": "The way past the MLP is forgotten.", "step": "3", "kind": "term", "edits": [
        ("d_x = d_x + d_branch                              # (B, T, C)\n    # (2)",
         "d_x = d_branch\n    # (2)")]},
    {"what": "The other norm's saved values.", "step": "2", "kind": "value", "edits": [
        ("layer_norm_backward(d_x, saved_norm_1)", "layer_norm_backward(d_x, saved_norm_2)")]},
    {"what": "Attention gets the gradient from above the norm.", "step": "2", "kind": "value",
     "edits": [("d_x, d_norm_1 = layer_norm_backward(d_x, saved_norm_1)\n    d_attended = d_x",
                "d_attended = d_x\n    d_x, d_norm_1 = layer_norm_backward(d_x, saved_norm_1)")]},
    {"what": "The way past attention is forgotten.", "step": "1", "kind": "term", "edits": [
        ("d_x = d_x + d_branch                              # (B, T, C)\n    return",
         "d_x = d_branch\n    return")]},
]
LORA = [
    {"what": "The scale is forgotten.", "step": "2", "kind": "factor",
     "edits": [("d_update = scale * d_scaled", "d_update = d_scaled")]},
    {"what": "The scale is divided by.", "step": "2", "kind": "factor",
     "edits": [("d_update = scale * d_scaled", "d_update = d_scaled / scale")]},
    {"what": "The gradient has the wrong sign.", "step": "2", "kind": "sign",
     "edits": [("d_update = scale * d_scaled", "d_update = -scale * d_scaled")]},
    {"what": "A's gradient is transposed.", "step": "1", "kind": "transposed",
     "edits": [("d_A = d_update @ B.T", "d_A = B @ d_update.T")]},
    {"what": "B's gradient is transposed.", "step": "1", "kind": "transposed",
     "edits": [("d_B = A.T @ d_update", "d_B = d_update.T @ A")]},
    {"what": "A's gradient is half as large.", "step": "1", "kind": "factor",
     "edits": [("d_A = d_update @ B.T", "d_A = d_update @ B.T / 2")]},
    {"what": "The two gradients change places.", "step": "1", "kind": "order",
     "edits": [("d_B = A.T @ d_update", "d_A = A.T @ d_update"),
               ("d_A = d_update @ B.T", "d_B = d_update @ B.T")]},
]
RECURRENCE = [
    {"what": "The slope of tanh is forgotten.",
     "step": "4", "kind": "factor",
     "edits": [("d_after * (1 - states[:, t] ** 2)", "d_after * 1")]},
    {"what": "The slope of tanh is taken at the state, as if the state were what tanh was given.",
     "step": "4", "kind": "value",
     "edits": [("1 - states[:, t] ** 2", "1 - np.tanh(states[:, t]) ** 2")]},
    {"what": "The square is forgotten in the slope of tanh.",
     "step": "4", "kind": "value",
     "edits": [("1 - states[:, t] ** 2", "1 - states[:, t]")]},
    {"what": "The slope is added, not subtracted: tan has 1 + tan², tanh has 1 - tanh².",
     "step": "4", "kind": "sign",
     "edits": [("1 - states[:, t] ** 2", "1 + states[:, t] ** 2")]},
    {"what": "What later words ask of the state is left out.",
     "step": "4", "kind": "term",
     "edits": [("d_states[:, t] + d_state ", "d_states[:, t] * 1 ")]},
    {"what": "The weight's gradient takes the state after the word, not the one before it.",
     "step": "3", "kind": "value",
     "edits": [("before[:, t].T @ d_mixed", "states[:, t].T @ d_mixed")]},
    {"what": "The weight's gradient is the one at the first word alone: = in place of +=.",
     "step": "3", "kind": "sum",
     "edits": [("d_weight += before", "d_weight = before")]},
    {"what": "The weight's gradient is transposed.",
     "step": "3", "kind": "transposed",
     "edits": [("before[:, t].T @ d_mixed", "d_mixed.T @ before[:, t]")]},
    {"what": "The state's gradient is multiplied by the weight, not by its transpose.",
     "step": "3", "kind": "transposed",
     "edits": [("d_mixed @ weight.T", "d_mixed @ weight")]},
]
OWN = {"linear": LINEAR, "embedding": EMBEDDING, "position_embedding": POSITION_EMBEDDING,
       "dropout": DROPOUT, "softmax": SOFTMAX, "gelu": GELU, "silu": SILU,
       "cross_entropy": CROSS_ENTROPY, "layer_norm": LAYER_NORM, "heads": HEADS,
       "attention": ATTENTION, "mlp": MLP, "multi_head_attention": MULTI_HEAD_ATTENTION,
       "block": BLOCK, "rms_norm": RMS_NORM, "swiglu": SWIGLU, "rope": ROPE,
       "post_norm_block": POST_NORM_BLOCK, "lora": LORA, "recurrence": RECURRENCE}
