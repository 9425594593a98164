from npgpt.checking.case import FunctionCase
from npgpt.checking.components.llama import model
from npgpt.models import llama


def llama_step(draw):
    _, _, config, params, options, _ = model(draw)
    return FunctionCase(
        component="llama_step", params=params,
        options={"ids": options["ids"][:1], "config": config}, call=call_step,
        expected=last_logits)


def call_step(find, case):
    """The first sequence, token by token."""
    config, rows = case.options["config"], {}
    cache = find("empty_cache")(find("models.llama"), config, 1, case.params)
    for place, token in enumerate(case.options["ids"][0]):
        logits, cache = find("llama_step")(case.params, int(token), cache, config)
        rows[f"at_{place}"] = logits
    return {"logits": rows, "read": float(cache["start"])}


def last_logits(case):
    ids, config = case.options["ids"], case.options["config"]
    logits, _ = llama.forward(case.params, ids, config)
    return {"read": float(ids.shape[1]),
            **{f"logits.at_{place}": logits[0, place].copy() for place in range(ids.shape[1])}}
