"""As right_solutions.py, for what fine-tuning adds."""

RIGHT = {
    "dpo": ['''
def dpo_backward(d_loss, saved):
    wrong, beta, count, T = saved
    pull = beta * wrong * d_loss / count
    return np.stack([-pull, pull], axis=1)[:, :, None] * np.ones(T)
''', '''
def dpo_backward(d_loss, saved):
    wrong, beta, count, T = saved
    # (5) average over the pairs
    d_losses = d_loss / count * np.ones_like(wrong)
    # (4) minus the log of the sigmoid
    d_margins = wrong * -d_losses
    # (3) by how much the chosen one has gained more
    signs = np.array([1.0, -1.0])
    d_gains = (beta * d_margins)[:, None] * signs
    # (1) how likely each answer is as a whole
    return np.tile(d_gains[:, :, None], (1, 1, T))
''', '''
def dpo_backward(d_loss, saved):
    wrong, beta, count, T = saved
    d_log_probs = np.zeros((len(wrong), 2, T), wrong.dtype)
    d_log_probs[:, 0] = -(beta * d_loss / count) * wrong[:, None]
    d_log_probs[:, 1] = -d_log_probs[:, 0]
    return d_log_probs
'''],
    "target_log_probs": ['''
def target_log_probs_backward(d_log_probs, saved):
    probs, right, counted = saved
    d_logits = -probs * (d_log_probs * counted)[..., None]
    there = np.take_along_axis(d_logits, right, axis=-1)
    np.put_along_axis(d_logits, right, there + (d_log_probs * counted)[..., None], axis=-1)
    return d_logits
''', '''
def target_log_probs_backward(d_log_probs, saved):
    probs, right, counted = saved
    # (4) leave out those that do not count
    d_found = d_log_probs * counted
    # (3) take the log of the target's
    one_hot = np.eye(probs.shape[-1])[right[..., 0]]
    # (2, 1) turn logits into probabilities
    return d_found[..., None] * (one_hot - probs)
''', '''
def target_log_probs_backward(d_log_probs, saved):
    probs, right, counted = saved
    one_hot = np.arange(probs.shape[-1]) == right
    return np.where(counted[..., None], d_log_probs[..., None] * (one_hot - probs), 0.0)
'''],
    "clipped_gains": ['''
def clipped_gains_backward(d_gains, saved):
    ratios, size, free, far, beta = saved
    d_log_probs = d_gains * size * ratios * free
    if far is not None:
        d_log_probs = d_log_probs + d_gains * beta * (far - 1)
    return d_log_probs
''', '''
def clipped_gains_backward(d_gains, saved):
    ratios, size, free, far, beta = saved
    # (3) take off the distance from the reference
    d_far = 0.0 if far is None else beta * far - beta
    # (2) multiply by the answer's advantage
    slope = np.where(free, size, 0.0)
    # (1) how many times as likely as when it was drawn
    return (d_far + slope * ratios) * d_gains
''', '''
def clipped_gains_backward(d_gains, saved):
    ratios, size, free, far, beta = saved
    d_log_probs = np.zeros_like(d_gains)
    d_log_probs[free] = (d_gains * size * ratios)[free]
    return d_log_probs if far is None else d_log_probs - beta * (1 - far) * d_gains
'''],
    "grpo": ['''
def grpo_backward(d_loss, saved):
    parts, answers = saved
    return -d_loss * parts / answers
''', '''
def grpo_backward(d_loss, saved):
    parts, answers = saved
    # (2) minus the mean over the answers
    d_means = np.full(parts.shape[:2], -d_loss / answers)
    # (1) the mean over an answer's tokens
    return d_means[:, :, None] * parts
''', '''
def grpo_backward(d_loss, saved):
    parts, answers = saved
    d_gains = parts.copy()
    d_gains *= d_loss / answers
    return -d_gains
'''],
    "lora": ['''
def lora_backward(d_y, saved):
    A, B, scale = saved
    return {"A": scale * (d_y @ B.T), "B": scale * (A.T @ d_y)}
''', '''
def lora_backward(d_y, saved):
    A, B, scale = saved
    # (1) multiply the two thin matrices
    d_A = np.einsum("io,ro->ir", d_y, B) * scale
    d_B = np.einsum("ir,io->ro", A, d_y) * scale
    return {"A": d_A, "B": d_B}
''', '''
def lora_backward(d_y, saved):
    A, B, scale = saved
    # (2) scale
    d_update = d_y * scale
    # (1) multiply the two thin matrices
    grads = {"B": (d_update.T @ A).T}
    grads["A"] = (B @ d_update.T).T
    return grads
'''],
}
