"""Plausible wrong solutions of cross-attention's backward pass; see own.py."""

OWN = {"cross_attention": [
    {"what": "What the values say of the memory is dropped.", "step": "2", "kind": "term",
     "edits": [("d_memory = d_memory_v + d_memory_k", "d_memory = d_memory_k + 0")]},
    {"what": "The gradients of keys and values change places.", "step": "3", "kind": "value",
     "edits": [("d_q, d_k, d_v = attention_backward", "d_q, d_v, d_k = attention_backward")]},
    {"what": "The gradient of the memory is the mean of both parts.", "step": "2",
     "kind": "scale",
     "edits": [("d_memory = d_memory_v + d_memory_k",
                "d_memory = (d_memory_v + d_memory_k) / 2")]},
    {"what": "The output projection is given d_y, before the dropout.", "step": "5",
     "kind": "value",
     "edits": [("linear_backward(d_mixed, saved_out)", "linear_backward(d_y, saved_out)")]},
    {"what": "The queries are divided by the square root of D once more.", "step": "1",
     "kind": "scale",
     "edits": [("project_heads_backward(d_q, saved_q)",
                "project_heads_backward(d_q / d_q.shape[-1] ** 0.5, saved_q)")]},
    {"what": "The gradient of the queries has the wrong sign.", "step": "1", "kind": "sign",
     "edits": [("project_heads_backward(d_q, saved_q)",
                "project_heads_backward(-d_q, saved_q)")]},
]}
