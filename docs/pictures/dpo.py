"""DPO drawn: what cross-entropy does to the rejected answer, one pair as a balance, the loss
against the margin."""

from functools import lru_cache

import numpy as np
from npgpt.finetuning import dpo, dpo_backward, dpo_loss_and_grads, target_log_probs
from npgpt.models import gpt2
from npgpt.training import adamw_init, adamw_step, init, loss_and_grads
from svg import Svg, chart, printed, signed

LOG_PROBS = np.array([[[-0.2, -0.7, -1.1], [-0.2, -0.7, -0.4]],
                      [[-0.5, -1.0, 0.0], [-0.6, -1.2, -0.3]]])
REFERENCE = np.array([[-2.4, -1.1], [-1.5, -2.5]])
BETA = 0.5
ANSWERS = ["chosen", "rejected"]
LOGITS = np.array([[2.0, 1.0, 0.0], [0.5, 0.5, 1.5], [1.0, -1.0, 2.0]])
TARGETS = np.array([-100, 2, 0])
# a question of two words, three answers, which share their first two words
WORDS = ["where", "?", "in", "a", "castle", "cottage", "."]
QUESTION, CHOSEN, REJECTED = [0, 1], [2, 3, 4, 6], [2, 3, 5, 6]
STEPS = 30


def worked():
    loss, saved = dpo(LOG_PROBS, REFERENCE, BETA)
    d_log_probs = dpo_backward(1.0, saved)
    moved = dpo(LOG_PROBS - 0.5 * d_log_probs, REFERENCE, BETA)[0]
    _, (probs, _, _) = target_log_probs(LOGITS, TARGETS)
    found = trained()
    names = {"pairs": ["pair 1", "pair 2"], "answers": ANSWERS, "after": moved,
             "tokens": ["token 1", "token 2", "token 3"], "half": BETA, "paths": found,
             "one": LOG_PROBS[0], "two": LOG_PROBS[1], "words": ["A", "B", "C"]}
    return {"dpo": {"args": {"log_probs": LOG_PROBS, "reference": REFERENCE, "beta": BETA},
                    "d_y": 1.0, "names": names},
            "target_log_probs": {"args": {"logits": LOGITS, "targets": TARGETS},
                                 "d_y": np.array([0.0, 1.0, -1.0]), "names": names}}


@lru_cache(maxsize=1)
def trained():
    """The two answers' log-probabilities after each step, by cross-entropy on the chosen one
    from an untrained model on, and by DPO from the middle on: {"cross-entropy": (steps, 2), …}."""
    config = gpt2.Config(len(WORDS), context_length=8, layers=1, heads=2, channels=16)
    params = init(gpt2, config, 1)
    rows = np.array([QUESTION + CHOSEN, QUESTION + REJECTED])
    inputs, targets = rows[:, :-1], rows[:, 1:].copy()
    targets[:, :len(QUESTION) - 1] = -100
    path, state, middle = [sums_of(params, inputs, targets, config)], adamw_init(params), None
    for step in range(2 * STEPS):
        if step == STEPS:
            middle = copied(params)
        _, grads = loss_and_grads(gpt2, params, inputs[:1], targets[:1], config)
        adamw_step(params, grads, state, lr=2e-3, weight_decay=0.0)
        path.append(sums_of(params, inputs, targets, config))
    before, other, state = path[STEPS], path[:STEPS + 1], adamw_init(middle)
    for _ in range(STEPS):
        _, grads = dpo_loss_and_grads(
            gpt2, middle, inputs[None], targets[None], before[None], config, beta=0.5)
        adamw_step(middle, grads, state, lr=2e-3, weight_decay=0.0)
        other.append(sums_of(middle, inputs, targets, config))
    return {"cross-entropy": np.array(path), "DPO": np.array(other)}


def copied(tree):
    if isinstance(tree, dict):
        return {key: copied(part) for key, part in tree.items()}
    return [copied(part) for part in tree] if isinstance(tree, list) else tree.copy()


def sums_of(params, inputs, targets, config):
    logits, _ = gpt2.forward(params, inputs, config)
    return target_log_probs(logits, targets)[0].sum(axis=-1)


def problem(width):
    found, steps = trained(), np.arange(2 * STEPS + 1)
    late = steps[STEPS:]
    return chart(width, {
        "chosen": (steps, found["cross-entropy"][:, 0], "ink"),
        "rejected": (steps, found["cross-entropy"][:, 1], "dim"),
        "rejected, by DPO": (late, found["DPO"][STEPS:, 1], "att"),
    }, "step", "log-probability of the answer, nats")


def plot(width):
    """The loss of a pair and its slope, against the margin."""
    margins = np.linspace(-5, 5, 101)
    losses, slopes = [], []
    for margin in margins:
        loss, saved = dpo(np.array([[[margin], [0.0]]]), np.zeros((1, 2)), 1.0)
        losses.append(float(loss))
        slopes.append(float(dpo_backward(1.0, saved)[0, 0, 0]))
    return chart(width, {"loss": (margins, losses, "att"), "its slope": (margins, slopes, "dim")},
                 "margin", "nats", notes=[(0, np.log(2) + 0.35, "ln 2", "start")])


def picture(width):
    """Each answer's way from the start to now, and the margin between the two ways."""
    phone = width < 500
    image = Svg(width, 344)
    sums = LOG_PROBS.sum(axis=-1)
    left, right = (92 if phone else 130), width - 16
    low, high = -2.8, -0.8

    def at(value):
        return left + (value - low) / (high - low) * (right - left)

    for pair in (0, 1):
        top = 30 + 160 * pair
        image.text(0, top, f"pair {pair + 1}", "nt")
        for answer, name in enumerate(ANSWERS):
            y = top + 34 + 44 * answer
            old, new = REFERENCE[pair, answer], sums[pair, answer]
            image.text(0, y + 4, name, "tok")
            image.line(left, y, right, y, "grid")
            image.dot(at(old), y, 4, "pt-o")
            image.dot(at(new), y)
            if abs(new - old) > 1e-9:
                image.arrow(at(old), y, at(new) - (6 if new > old else -6), y,
                            "ln-dn" if new < old else "ln-up")
            middle = (at(old) + at(new)) / 2
            image.text(middle, y - 10, signed(new - old), "num", "middle")
        margin = BETA * (sums[pair] - REFERENCE[pair])
        image.text(left, top + 114, f"margin {printed(BETA)} · ({signed(margin[0] / BETA)} − "
                   f"({signed(margin[1] / BETA)})) = {printed(margin[0] - margin[1])}", "num")
    for tick in (-2.5, -2, -1.5, -1):
        image.text(at(tick), 336, printed(tick), "nt", "middle")
    image.text(0, 336, "log-probability", "nt")
    return image
