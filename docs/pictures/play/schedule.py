"""The learning rate's schedule, to be moved: peak, warm-up, length, minimum, and a step."""

from npgpt.training import warmup_cosine
from playing import Figure, Graph, taken

END = taken("schedule", "END")
INPUTS = {"peak": 1000 * taken("schedule", "LR"), "warmup": taken("schedule", "WARM"),
          "decay": taken("schedule", "DECAY"), "least": 1000 * taken("schedule", "MIN"),
          "step": 300}
EXAMPLE = {name: INPUTS[name] for name in ("warmup", "decay", "least")}
PRESETS = {"none": {"warmup": 0, "step": 0}, "first": {"warmup": 100, "step": 0},
           "half": {**EXAMPLE, "step": (INPUTS["warmup"] + INPUTS["decay"]) // 2},
           "short": {"decay": 500, "step": 500}}


def values(inputs):
    peak, warmup, decay, least, at = (inputs[name] for name in INPUTS)

    def rate(step):  # in thousandths
        return 1000 * warmup_cosine(step, peak / 1000, warmup, decay, least / 1000)

    steps = sorted({*range(0, END + 1, 10), max(warmup - 1, 0), warmup, min(decay, END)})
    phase = ("is warming up" if at < warmup else "holds its minimum" if at >= decay
             else "follows half a cosine")
    return {"curve": [[step, rate(step)] for step in steps], "dot": [at, rate(at)],
            "rate": rate(at), "phase": phase, "part": 100 * rate(at) / peak, "at": at,
            "mean": sum(rate(step) for step in range(END)) / END}


def play():
    figure = Figure(values, INPUTS, end=END, presets=PRESETS)

    def graph(width):
        image = Graph(figure, width, (0, END), (0, 2), "step", "learning rate, × 0.001")
        return image.moved("curve", "ln-att").point("dot")

    sliders = "".join(
        figure.row(words, figure.slider(name, label, low, high, step), kind="ctl-row wide-label")
        for name, words, label, low, high, step in (
            ("peak", "<code>lr</code> × 0.001", "peak rate, in thousandths", 0.1, 2, 0.1),
            ("warmup", "<code>warmup_steps</code>", "warm-up steps", 0, 600, 10),
            ("decay", "<code>decay_steps</code>", "steps until the minimum", 100, 1200, 10),
            ("least", "<code>min_lr</code> × 0.001", "minimum rate, in thousandths", 0, 1, 0.05),
            ("step", "<b>this step</b>", "this step", 0, 1200, 10)))
    return (sliders
            + figure.twice(graph, "The learning rate of each step: a line up, half a cosine "
                                  "down, then the minimum. A dot marks the chosen step.")
            + figure.say("At step {at:0} the rate {phase:s}: {rate:3} thousandths, {part:0} % of "
                         "the peak. The mean over 1,200 steps is {mean:3}.")
            + figure.reset()), figure.data
