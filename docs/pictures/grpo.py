"""GRPO drawn: what comparing with the group is good for, a group of three answers, the clip,
and what a token of a long answer counts."""

from functools import lru_cache

import numpy as np
from npgpt.finetuning import (
    advantages,
    centred_rewards,
    clipped_gains,
    clipped_gains_backward,
    dr_grpo,
    dr_grpo_backward,
    grpo,
    grpo_backward,
    target_log_probs,
    target_log_probs_backward,
)
from svg import Svg, chart, printed, signed

REWARDS = np.array([[1.0, 0.0, 0.0]])
LENGTHS = np.array([2, 1, 3])
COUNTED = (np.arange(3) < LENGTHS[:, None])[None]
RATIOS = np.array([[[1.5, 1.1, 1.0], [0.7, 1.0, 1.0], [1.0, 1.3, 0.9]]])
OLD = np.where(COUNTED, np.log([[[0.4, 0.5, 1.0], [0.5, 1.0, 1.0], [0.6, 0.5, 0.8]]]), 0.0)
NOW = np.where(COUNTED, OLD + np.log(RATIOS), 0.0)
LONGEST = 3
# rewards of five answers, all above 0, and how a small policy learns which is the best
PAYS, GROUP, STEPS, RUNS = np.array([3.0, 3.2, 3.4, 3.6, 4.0]), 8, 60, 20


def worked():
    sizes = advantages(REWARDS)
    gains, saved = clipped_gains(NOW, OLD, sizes)
    _, saved_mean = grpo(gains, COUNTED)
    d_gains = grpo_backward(1.0, saved_mean)
    _, saved_sum = dr_grpo(gains, COUNTED, LONGEST)
    at_first = clipped_gains(OLD, OLD, sizes)[0]
    curves = learned()
    names = {"answers": ["right", "short", "long"], "tokens": ["token 1", "token 2", "token 3"],
             "pays": REWARDS[0], "ratio_now": np.where(COUNTED[0], RATIOS[0], 1.0),
             "a": sizes[0], "centred_too": centred_rewards(REWARDS)[0], "counted_now": COUNTED[0],
             "first_loss": float(grpo(at_first, COUNTED)[0]),
             "d_mean_long": d_gains[0, 2, 0], "d_mean_short": d_gains[0, 1, 0],
             "d_sum": dr_grpo_backward(1.0, saved_sum)[0, 2, 0],
             "raw": curves["the reward itself"][-1], "compared": curves["less the mean"][-1]}
    d_lines = np.where(COUNTED, -1 / 6, 0.0)
    return {
        "clipped_gains": {"args": {"log_probs": NOW, "old": OLD, "advantages": sizes},
                          "d_y": d_lines, "names": names},
        "grpo": {"args": {"gains": gains, "counted": COUNTED}, "d_y": 1.0, "names": names},
        "dr_grpo": {"args": {"gains": gains, "counted": COUNTED, "length": LONGEST}, "d_y": 1.0,
                    "names": names},
        "advantages": {"args": {"rewards": REWARDS}, "names": names},
        "centred_rewards": {"args": {"rewards": REWARDS}, "names": names}}


@lru_cache(maxsize=1)
def learned():
    """The probability of the best of five answers after each step, the mean of some runs:
    each step draws a group and follows the gradient of its gains."""
    found = {}
    for name in "the reward itself", "less the mean":
        total = np.zeros(STEPS + 1)
        for run in range(RUNS):
            draw, logits = np.random.default_rng(run), np.zeros(5)
            for step in range(STEPS + 1):
                probs = np.exp(logits) / np.exp(logits).sum()
                total[step] += probs[4]
                drawn = draw.choice(5, GROUP, p=probs)[None, :, None]
                rewards = PAYS[drawn[..., 0]]
                sizes = rewards if name == "the reward itself" else centred_rewards(rewards)
                rows = np.broadcast_to(logits, (1, GROUP, 1, 5))
                now, saved = target_log_probs(rows, drawn)
                gains, saved_gains = clipped_gains(now, now, sizes)
                _, saved_loss = grpo(gains, np.ones(drawn.shape, bool))
                d_now = clipped_gains_backward(grpo_backward(1.0, saved_loss), saved_gains)
                logits = logits - 1.0 * target_log_probs_backward(d_now, saved).sum(axis=(0, 1, 2))
        found[name] = total / RUNS
    return found


def problem(width):
    found, steps = learned(), np.arange(STEPS + 1)
    return chart(width, {"the reward itself": (steps, 100 * found["the reward itself"], "dim"),
                         "less the mean": (steps, 100 * found["less the mean"], "att")},
                 "step", "probability of the best answer, %", y_range=(0, 100))


def picture(width):
    """One question, three answers: tokens, rewards, advantages."""
    phone = width < 500
    image = Svg(width, 232)
    sizes = advantages(REWARDS)[0]
    left, cell = (66 if phone else 120), (46 if phone else 84)
    image.text(left, 16, "tokens, and how many times as likely", "nt")
    for row, name in enumerate(["right", "short", "long"]):
        y = 34 + 58 * row
        image.text(0, y + 26, name, "tok")
        for token in range(LENGTHS[row]):
            x = left + token * (cell + 6)
            image.rect(x, y, cell, 40, "cellbox att", 3, "--share:.5")
            image.text(x + cell / 2, y + 25, printed(RATIOS[0, row, token]), "num", "middle")
        x = left + 3 * (cell + 6) + 4
        image.text(x, y + 17, f"reward {printed(REWARDS[0, row])}", "num")
        image.text(x, y + 35, f"A = {signed(sizes[row], 2)}", "num")
    image.text(0, 222, "A is compared with the group's mean; it goes to each token alike", "nt")
    return image


def plot(width):
    """A token's gain against its ratio, for a good and for a bad answer."""
    ratios = np.linspace(0.4, 1.6, 121)
    series = {}
    for name, size, kind in (("A = 1", 1.0, "att"), ("A = −1", -1.0, "ink")):
        gains, _ = clipped_gains(np.log(ratios)[None, None], np.zeros((1, 1, 121)),
                                 np.array([[size]]))
        series[name] = (ratios, gains[0, 0], kind)
    return chart(width, series, "how many times as likely as when it was drawn", "gain",
                 x_ticks=[0.4, 0.8, 1.0, 1.2, 1.6])


def lengths(width):
    """The gradient of one token of a bad answer, against the answer's length."""
    sizes = np.arange(1, 17)
    series = {"GRPO": [], "Dr. GRPO": []}
    for size in sizes:
        counted = (np.arange(16) < size)[None, None]
        gains = np.where(counted, -1.0, 0.0)
        series["GRPO"].append(-grpo_backward(1.0, grpo(gains, counted)[1])[0, 0, 0])
        series["Dr. GRPO"].append(-dr_grpo_backward(1.0, dr_grpo(gains, counted, 16)[1])[0, 0, 0])
    return chart(width, {"GRPO": (sizes, series["GRPO"], "ink"),
                         "Dr. GRPO": (sizes, series["Dr. GRPO"], "att")},
                 "tokens of the answer", "pull on each of its tokens", y_range=(0, 1.05))
