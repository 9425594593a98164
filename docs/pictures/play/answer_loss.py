"""Loss on answers, to be moved: what counts, how hard the questions are, and how two
conversations share rows."""

import numpy as np
from npgpt.finetuning.rows import example, fill_rows, packed
from npgpt.layers.cross_entropy import IGNORE
from playing import Figure, taken

WORDS, LEARNT, IDS, NAMES = (taken("answer_loss", name)
                             for name in ("WORDS", "LEARNT", "IDS", "NAMES"))
LENGTH = len(WORDS) // 2 - 1        # of an example: its last token has no target
STARTS = (0, len(WORDS) // 2)
LOSSES = [float(taken("answer_loss", "token_losses")()[start + i])
          for start in STARTS for i in range(LENGTH)]
ASKED = [word in ("Who", "went", "Where") for start in STARTS
         for word in WORDS[start + 1:start + 1 + LENGTH]]
INPUTS = {"learn": 1, "ask": 2.5, "together": 0, "apart": True, "T": 8}
PRESETS = {"all": {"learn": 0, "ask": 2.5}, "hard": {"learn": 0, "ask": 6},
           "deaf": {"learn": 1, "ask": 6}, "mute": {"learn": 2},
           "pack": {"together": 1, "T": 12, "apart": True},
           "leak": {"together": 1, "T": 12, "apart": False}}


def learnt_of(start, learn):
    """Which tokens count: all, the answers with the token that ends them, or without it."""
    where = slice(start, start + LENGTH + 1)
    return [learn == 0 or (mark == 1 and (learn == 1 or word != "END"))
            for word, mark in zip(WORDS[where], LEARNT[where])]


def values(inputs):
    learn, ask, together, apart, T = inputs.values()
    examples = [example(IDS[start:start + LENGTH + 1], learnt_of(start, learn))
                for start in STARTS]
    rows = fill_rows([LENGTH] * 2, T) if together else [[0], [1]]
    found = packed([[examples[number] for number in row] for row in rows], T)
    targets, positions = (np.concatenate([found[name][row, at:at + LENGTH]
                                          for row, each in enumerate(rows)
                                          for at in range(0, LENGTH * len(each), LENGTH)])
                          for name in ("targets", "positions"))
    shared = len(rows) == 1
    if shared and not apart:
        positions = np.arange(2 * LENGTH)
    losses = np.where(ASKED, float(ask), LOSSES)
    counted = targets != IGNORE
    count, total = int(counted.sum()), float(losses[counted].sum())
    return {"target": ["−" if each == IGNORE else NAMES[each] for each in targets],
            "position": positions.tolist(),
            "part": (100 * np.where(counted, losses, 0) / total).tolist(), "count": count,
            "loss": total / count, "places": found["targets"].size,
            "shape": f"1 row of {T} places" if shared else f"2 rows of {T} places",
            "empty": found["targets"].size - 2 * LENGTH,
            "read": "The second conversation reads the first one as well"
            if shared and not apart else "The second conversation reads nothing of the first"
            if shared else "Each conversation has a row of its own"}


def play():
    figure = Figure(values, INPUTS, words=NAMES, presets=PRESETS, losses=LOSSES, asked=ASKED,
                    targets=[IDS[start + 1 + i] for start in STARTS for i in range(LENGTH)],
                    answers=[LEARNT[start + 1 + i] for start in STARTS for i in range(LENGTH)])
    read = [WORDS[start + i] for start in STARTS for i in range(LENGTH)]
    rows = "".join(
        figure.row(word, figure.out(f"target.{i}", "2", "span", "raw"),
                   figure.value(f"position.{i}", "0", "raw"), figure.bar(f"part.{i}", 50),
                   figure.value(f"part.{i}", "0"), kind="cuts")
        for i, word in enumerate(read))
    captions = ('<div class="row head cuts" aria-hidden="true"><span>read</span>'
                '<span class="raw">target</span><span class="raw">pos.</span>'
                "<span>its part of the loss, up to 50 %</span><span></span></div>")
    sliders = "".join(
        figure.row(words, figure.slider(name, label, low, high, step), kind="ctl-row wide-label")
        for name, words, label, low, high, step in (
            ("ask", "loss of a question", "loss of a question's words, in nats", 0.5, 8, 0.5),
            ("T", "places in a row", "places in a row", 6, 16, 1)))
    return ('<div class="ctl">' + figure.choice(
                "learn", "what counts:", {0: "every token", 1: "answers", 2: "without END"})
            + "</div>" + captions + rows + sliders + '<div class="ctl">'
            + figure.choice("together", "rows:", {0: "one for each", 1: "packed"})
            + figure.tick("apart", "mask, and positions that restart",
                          "with a mask, and positions that restart") + "</div>"
            + figure.say("{count:0} tokens count, and their mean loss is {loss} nats. "
                         "In {shape:s}, {empty:0} of {places:0} places are padding. {read:s}.")
            + figure.reset()), figure.data
