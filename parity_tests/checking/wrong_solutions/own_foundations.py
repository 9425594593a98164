"""As own.py, for what stands before the transformer."""

LINE = [
    {"what": "The square's 2 is missing.", "step": "3", "kind": "scale",
     "edits": [("d_loss * (2 / len(x)) * error", "d_loss * (1 / len(x)) * error")]},
    {"what": "The sum's gradient, not the mean's.", "step": "3", "kind": "scale",
     "edits": [("d_loss * (2 / len(x)) * error", "d_loss * 2 * error")]},
    {"what": "The error's sign is reversed.", "step": "3", "kind": "sign",
     "edits": [("d_loss * (2 / len(x)) * error", "-d_loss * (2 / len(x)) * error")]},
    {"what": "The bias gets the mean, not the sum.", "step": "2, 1", "kind": "mean",
     "edits": [("d_bias = d_error.sum()", "d_bias = d_error.mean()")]},
    {"what": "The weight's gradient lacks x.", "step": "2, 1", "kind": "factor",
     "edits": [("d_weight = (d_error * x).sum()", "d_weight = d_error.sum()")]},
    {"what": "The points' gradient lacks the weight.", "step": "2, 1", "kind": "factor",
     "edits": [("d_x = d_error * weight", "d_x = d_error * 1")]},
    {"what": "The points' gradient has x where the weight belongs.", "step": "2, 1",
     "kind": "value", "edits": [("d_x = d_error * weight", "d_x = d_error * x")]},
]
LOGISTIC = [
    {"what": "The sum's gradient, not the mean's.", "step": "3", "kind": "scale",
     "edits": [("d_losses = d_loss / len(z)", "d_losses = d_loss")]},
    {"what": "Decay has the wrong sign.", "step": "3", "kind": "sign",
     "edits": [("d_weight = d_loss * decay * weight", "d_weight = -d_loss * decay * weight")]},
    {"what": "The label less the probability.", "step": "2", "kind": "sign",
     "edits": [("d_z = (sigmoid(z) - labels)", "d_z = (labels - sigmoid(z))")]},
    {"what": "The score is taken for the probability.", "step": "2", "kind": "value",
     "edits": [("d_z = (sigmoid(z) - labels)", "d_z = (z - labels)")]},
    {"what": "The sigmoid's slope is there as well.", "step": "2", "kind": "factor",
     "edits": [("d_z = (sigmoid(z) - labels)",
                "d_z = sigmoid(z) * (1 - sigmoid(z)) * (sigmoid(z) - labels)")]},
    {"what": "What decay gave is forgotten.", "step": "1", "kind": "term",
     "edits": [("d_weight = d_weight + x.T @ d_z", "d_weight = x.T @ d_z")]},
    {"what": "The bias gets the mean, not the sum.", "step": "1", "kind": "mean",
     "edits": [("d_bias = d_z.sum()", "d_bias = d_z.mean()")]},
    {"what": "The messages' gradient is transposed.", "step": "1", "kind": "transposed",
     "edits": [("d_x = d_z[:, None] * weight", "d_x = weight[:, None] * d_z")]},
]
OWN = {"line": LINE, "logistic": LOGISTIC}
