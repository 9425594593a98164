"""GRPO, to be moved: eight rewards and their advantages, and one token's ratio with its clip."""

import numpy as np
from npgpt.finetuning import advantages, centred_rewards, clipped_gains, clipped_gains_backward
from playing import Figure, Graph, head

LEAST, MOST = 0.4, 1.6
INPUTS = {"reward": [1, 0.5, 0, 1, 0, 0, 0.5, 0], "which": 0, "ratio": 1.1, "clip": 0.2}
PRESETS = {"equal": {"reward": [1] * 8}, "most": {"reward": [1] * 7 + [0], "which": 7},
           "plus": {"+reward": 1}, "far": {"which": 0, "ratio": 1.5, "clip": 0.2},
           "back": {"which": 0, "ratio": 0.6, "clip": 0.2},
           "bad": {"which": 2, "ratio": 1.5, "clip": 0.2}}
JUST_WITHIN = 1 - 1e-12     # so that rounding does not decide where a ratio is at the clip


def gain_of(ratio, size, clip):
    """-> a token's gain, and its slope by the token's log-probability."""
    now = np.full((1, 1, 1), np.log(ratio) * JUST_WITHIN)
    gain, saved = clipped_gains(now, np.zeros((1, 1, 1)), np.full((1, 1), float(size)), clip)
    return gain.item(), clipped_gains_backward(np.ones((1, 1, 1)), saved).item()


def values(inputs):
    rewards = np.array([inputs["reward"]], dtype=float)
    which, ratio, clip = (inputs[name] for name in ("which", "ratio", "clip"))
    sizes, spread = advantages(rewards)[0], float(rewards.std())
    size = 0.0 if spread < 1e-9 else float(sizes[which])
    gain, slope = gain_of(ratio, size, clip)
    beyond = abs(ratio - 1) > clip + 1e-9
    return {"centred": centred_rewards(rewards)[0].tolist(), "advantage": sizes.tolist(),
            "mean": float(rewards.mean()), "std": spread, "answer": which + 1, "size": size,
            "ratio": ratio, "gain": gain, "slope": slope, "dot": [ratio, gain],
            "curve": [[x, gain_of(x, size, clip)[0]] for x in (LEAST, 1 - clip, 1 + clip, MOST)],
            "read": "all rewards are equal, and the group teaches nothing" if spread < 1e-9
            else "its reward is the mean, so nothing pulls at it" if abs(size) < 1e-9
            else "clipped, for it has gone far enough the right way" if slope == 0
            else "not clipped, though it is far: it has gone the wrong way" if beyond
            else "not clipped"}


def play():
    figure = Figure(values, INPUTS, presets=PRESETS)
    rows = "".join(
        figure.row(f'<label class="pick">{figure.radio("which", i, f"a token of answer {i + 1}")}'
                   f"{i + 1}</label>",
                   figure.slider(f"reward.{i}", f"reward of answer {i + 1}", 0, 3),
                   figure.value(f"centred.{i}", "+2", "raw"),
                   figure.bar(f"advantage.{i}", 3, signed=True),
                   figure.value(f"advantage.{i}", "+2"))
        for i in range(8))
    more = "".join(
        figure.row(words, figure.slider(name, label, low, high, step), kind="ctl-row wide-label")
        for name, words, label, low, high, step in (
            ("ratio", "ratio of the token", "ratio of the token", LEAST, MOST, 0.05),
            ("clip", "<code>clip</code>", "clip", 0.1, 0.4, 0.05)))

    def graph(width):
        image = Graph(figure, width, (LEAST, MOST), (-5, 5), "ratio", "gain of the token")
        return image.moved("curve", "ln-att").point("dot")

    return (head("answer", "reward", "− mean", "divided by the standard deviation, −3 to 3", "")
            + rows + more
            + figure.twice(graph, "The gain of a token of the chosen answer against its ratio. "
                                  "A dot marks the chosen ratio.")
            + figure.say("The mean reward is {mean}, the standard deviation {std}. A "
                         "token of answer {answer:0} has the advantage {size:+2}. It is {ratio} "
                         "times as likely as when it was drawn: its gain is {gain:+2}, the slope "
                         "by its log-probability {slope:+2} ({read:s}).")
            + figure.reset()), figure.data
