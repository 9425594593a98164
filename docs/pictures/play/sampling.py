"""Sampling, to be moved: temperature, top-k and top-p. Repetitions are not penalised here."""

import numpy as np
from npgpt.generation import token_probs
from playing import Figure, taken

ORDER = np.argsort(-taken("sampling", "LOGITS"))  # the largest logit first
LOGITS = taken("sampling", "LOGITS")[ORDER].tolist()
WORDS = [taken("sampling", "WORDS")[i] for i in ORDER]
INPUTS = dict(zip(("temperature", "k", "p"), taken("sampling", "SETTINGS").values()))
PRESETS = {"zero": {"temperature": 0, "k": 6, "p": 1}, "hot": {"temperature": 3, "k": 6, "p": 1},
           "hotk": {"temperature": 3, "k": 3, "p": 1},
           "nucleus": {"temperature": 1, "k": 6, "p": 0.7},
           "sharp": {"temperature": 0.4, "k": 6, "p": 0.7}}


def values(inputs):
    logits = np.array(LOGITS)
    temperature, k, p = (inputs[name] for name in INPUTS)
    before = token_probs(logits, temperature)
    allowed = token_probs(logits, temperature, k, p)
    after = allowed / allowed.sum()
    positive = after[after > 0]
    return {"before": before.tolist(), "after": after.tolist(), "cut": (allowed == 0).tolist(),
            "count": int((allowed > 0).sum()), "held": float(before[allowed > 0].sum()),
            "top": float(after.max()), "first": WORDS[int(after.argmax())],
            "choices": float(np.exp(-(positive * np.log(positive)).sum()))}


def play():
    figure = Figure(values, INPUTS, words=WORDS, logits=LOGITS, presets=PRESETS)
    sliders = "".join(
        figure.row(f"<code>{name}</code>", figure.slider(key, name, low, high, step),
                   kind="ctl-row")
        for key, name, low, high, step in (("temperature", "temperature", 0, 3, 0.1),
                                           ("k", "top_k", 1, 6, 1), ("p", "top_p", 0.05, 1, 0.05)))
    rows = "".join(
        figure.row(word, f'<span class="raw">{logit:.1f}</span>'.replace("-", "−"),
                   figure.value(f"before.{i}", "2", "raw"), figure.bar(f"after.{i}"),
                   figure.value(f"after.{i}"), kind="cuts", off=f"cut.{i}")
        for i, (word, logit) in enumerate(zip(WORDS, LOGITS)))
    captions = ('<div class="row head cuts" aria-hidden="true"><span></span>'
                '<span class="raw">logit</span><span class="raw">before</span>'
                "<span>after the cuts</span><span></span></div>")
    return (sliders + captions + rows
            + figure.say("{count:0} of 6 tokens stay. They held {held} of the probability; "
                         "divided by that they sum to 1 again. {first} is drawn with "
                         "probability {top}. The choice is as open as a fair one among "
                         "{choices:1} tokens.")
            + figure.reset()), figure.data
