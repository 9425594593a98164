"""Mistakes in cross-attention, in the blocks of an encoder–decoder, and in where norms stand."""

from parity_tests.mutants.planting import Mutant as M

S, TS = "npgpt/layers/sinusoids", "torchgpt/layers/sinusoids"
C, TC = (f"{package}/blocks/cross_attention" for package in ("npgpt", "torchgpt"))
E, TE = (f"{package}/blocks/encoder_block" for package in ("npgpt", "torchgpt"))
D, TD = (f"{package}/blocks/decoder_block" for package in ("npgpt", "torchgpt"))
P, TP = (f"{package}/blocks/post_norm_block" for package in ("npgpt", "torchgpt"))

MUTANTS = [
    M(S, "all sines, then all cosines, as in tensor2tensor",
      "pairs = np.stack(waves, axis=-1) ", "pairs = np.stack(waves, axis=-2) "),
    M(S, "the exponent is i/C, not 2i/C",
      "np.arange(0, C, 2)", "np.arange(0, C // 2)"),
    M(S, "sine and cosine change places",
      "waves = [np.sin(angles), np.cos(angles)]", "waves = [np.cos(angles), np.sin(angles)]"),
    M(TS, "the angles are rounded to float16",
      "angles = rows * frequencies ",
      "angles = (rows * frequencies).to(torch.float16).to(number) "),
    M(TS, "positions are counted anew",
      "positions.to(number)",
      "torch.arange(positions.shape[1]).expand(positions.shape).to(number)"),
    M(C, "the mask is laid on the queries, not on the keys",
      "    attended, saved_attention = attention(\n        q, k, v, mask, False,",
      "    if mask is not None and q.shape[2] == k.shape[2]:\n"
      "        mask = mask.swapaxes(-1, -2)\n"
      "    attended, saved_attention = attention(\n        q, k, v, mask, False,"),
    M(C, "the mask is causal", "q, k, v, mask, False,", "q, k, v, mask, True,"),
    M(C, "the values come from the queries' sequence",
      'v, saved_v = project_heads(memory, params["v"], heads)',
      'v, saved_v = project_heads(memory * 0 + x[:, :1], params["v"], heads)'),
    M(C, "keys and values share a weight",
      'v, saved_v = project_heads(memory, params["v"], heads)',
      'v, saved_v = k, saved_k'),
    M(C, "what the values say of the memory is dropped",
      "d_memory = d_memory_v + d_memory_k", "d_memory = d_memory_k + 0"),
    M(C, "the heads are split in the order of positions",
      "y, saved_split = split_heads(projected, heads)",
      "y, saved_split = split_heads(projected, heads)\n"
      "    y = projected.reshape(y.shape)"),
    M(TC, "the bias is projected twice",
      "projected, saved_linear = linear(x, **params)",
      'projected, saved_linear = linear(x, **params)\n    projected = projected + params["bias"]'),
    M(TC, "padding is hidden by a large negative score, not by −∞",
      "    attended, saved_attention = attention(\n        q, k, v, mask, False,",
      "    if mask is not None and not mask.any(dim=-1).all():\n"
      "        mask = mask | ~mask.any(dim=-1, keepdim=True)\n"
      "    attended, saved_attention = attention(\n        q, k, v, mask, False,"),
    M(TC, "a source that is all padding gives NaN",
      "    # (4) merge the heads\n    merged",
      "    if mask is not None:\n"
      "        attended = attended / mask.any(dim=-1, keepdim=True)\n"
      "    # (4) merge the heads\n    merged", step="3"),
    M(TC, "the gradients of keys and values change places",
      "d_q, d_k, d_v = attention_backward(", "d_q, d_v, d_k = attention_backward("),
    M(TC, "the dropout of the attention is not handed on",
      'dropout_masks.get("cross_attention"))', "None)"),
    M(TC, "the dropout of the output is forgotten on the way back",
      "d_mixed = dropout_backward(d_y, saved_dropout)", "d_mixed = d_y"),
    M(E, "the encoder is causal",
      'normed, params["attention"], heads, mask, False,',
      'normed, params["attention"], heads, mask, True,'),
    M(E, "the mask is laid on the queries, not on the keys",
      "    attended, saved_attention = multi_head_attention(",
      "    mask = None if mask is None else mask.swapaxes(-1, -2)\n"
      "    attended, saved_attention = multi_head_attention("),
    M(TE, "the padding is seen", "heads, mask, False,", "heads, None, False,"),
    M(TE, "the residual connection starts at what is normed",
      "    x = x + attended ", "    x = normed + attended "),
    M(TE, "the gradient of the residual connection is lost",
      "d_x = d_x + d_branch                              # (B, S, C)\n    # (2)",
      "d_x = d_branch\n    # (2)"),
    M(D, "the decoder sees what comes later",
      'normed, params["attention"], heads, mask, True,',
      'normed, params["attention"], heads, mask, False,'),
    M(D, "the two masks change places",
      'normed, memory, params["cross_attention"], heads, memory_mask,',
      'normed, memory, params["cross_attention"], heads, mask,'),
    M(D, "cross-attention and attention share a norm",
      'layer_norm(x, **params["norm_2"])', 'layer_norm(x, **params["norm_1"])'),
    M(D, "the memory is normed again",
      "normed, memory, params", "normed, memory - memory.mean(axis=-1, keepdims=True), params"),
    M(D, "the memory's gradient is handed on with that of the queries",
      "d_normed, d_memory, d_cross = cross_attention_backward(",
      "d_memory, d_normed, d_cross = cross_attention_backward("),
    M(TD, "the queries come from the memory",
      "    attended, saved_cross = cross_attention(\n        normed, memory,",
      "    attended, saved_cross = cross_attention(\n"
      "        normed * 0 + memory.mean(dim=1, keepdim=True), memory,"),
    M(TD, "the memory's padding is seen",
      "heads, memory_mask,", "heads, None,"),
    M(TD, "cross-attention is not added to its input",
      "    # (4) residual connection\n    x = x + attended ",
      "    # (4) residual connection\n    x = attended "),
    M(TD, "the gradient past cross-attention is lost",
      "    d_x = d_x + d_branch                              # (B, T, C)\n    # (2)",
      "    d_x = d_branch\n    # (2)"),
    M(P, "the norm comes first",
      "    attended, saved_attention = multi_head_attention(\n        x, params",
      "    attended, saved_attention = multi_head_attention(\n"
      '        layer_norm(x, **params["norm_1"])[0], params'),
    M(P, "the sum is normed without its input",
      "layer_norm(x + mlp_out,", "layer_norm(mlp_out,"),
    M(P, "the residual connection skips the norm on the way back",
      "    d_x, d_norm_1 = layer_norm_backward(d_x, saved_norm_1)\n    d_attended = d_x",
      "    d_attended, d_norm_1 = layer_norm_backward(d_x, saved_norm_1)", step="1"),
    M(TP, "both norms share the first one's weights",
      '**params["norm_2"])', '**params["norm_1"])'),
    M(TP, "the gradient of the residual connection is lost",
      "    d_branch, d_mlp = mlp_backward(d_mlp_out, saved_mlp)\n    d_x = d_x + d_branch ",
      "    d_branch, d_mlp = mlp_backward(d_mlp_out, saved_mlp)\n    d_x = d_branch * 1 "),
    M(TP, "the block is not causal",
      "heads, mask, True, dropout_masks, past)", "heads, mask, False, dropout_masks, past)"),
]

# changes that are none, and why
EQUIVALENT = [
    M(C, "the keys have another bias: softmax does not see what is added to a whole row",
      'k, saved_k = project_heads(memory, params["k"], heads)',
      'k, saved_k = project_heads(memory, params["k"], heads)\n        k = k + 1.0'),
]
