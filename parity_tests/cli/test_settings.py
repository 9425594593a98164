"""Settings are declared once; command lines, checks and run.json follow from that."""

import json
import math
import re
from dataclasses import dataclass, replace

import pytest

from npgpt.errors import InputError
from npgpt.families import gpt2
from npgpt.families.setting import check_setting, default_of, flag_of, setting
from npgpt.runs import settings as module
from npgpt.runs.settings import Settings, complete, declared, read_settings

NAMES = [each.name for each in declared()]


def test_the_sizes_of_a_model_are_its_family_s():
    own = {"layers", "heads", "channels", "tied"}
    assert own <= set(NAMES) and own.isdisjoint(vars(Settings()))
    assert complete({"layers": 2, "tied": True, "steps": 40}).stored(gpt2.Config) == {
        "corpus": "python-docs", "tokenizer": None, "start_from": None,
        "seed": 1, "context_length": 64,
        "dtype": "float32", "steps": 40, "batch_size": 12, "accumulate": 1, "dropout": 0.0,
        "learning_rate": 1e-3, "minimum_rate": 1e-4, "warmup_steps": 2, "decay_steps": 40,
        "weight_decay": 0.1, "beta_1": 0.9, "beta_2": 0.99, "clip": 1.0, "evaluate_every": 100,
        "evaluate_batches": None, "save_every": 100,
        "field": "text", "end_of_text": False,
            "layers": 2, "heads": 4, "channels": 128, "tied": True}
    assert complete({}).config(7, gpt2.Config).tied is False
    assert gpt2.Config(7).tied is True  # GPT-2's own head is tied


def test_a_size_that_the_family_lacks_is_refused():
    @dataclass(frozen=True)
    class Config:
        vocab_size: int
        channels: int = 8

    assert complete({"channels": 4}).config(7, Config) == Config(7, 4)
    with pytest.raises(InputError, match=r"has no heads and no tied: leave out --heads, --tied"):
        complete({"channels": 4, "heads": 2, "tied": False}).config(7, Config)


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_every_setting_is_an_option_with_its_default(request, command):
    status, text, _ = request.getfixturevalue(command)("train", "--help")
    listed = re.finditer(r"^  --(\S+?)[ ,].*?  (\S.*)$", text, re.M)
    lines = {match[1]: match[2] for match in listed}
    assert status == 0
    for each in declared():
        flag = flag_of(each).split("/")[0].removeprefix("--")
        if each.metadata.get("hidden"):
            assert flag not in lines
            continue
        line = lines[flag]
        help, shown = re.fullmatch(r"(.+\.) \[(.+)\]", line).groups()
        assert help == each.metadata["help"] and help[0].isalpha()
        default = default_of(each)
        if isinstance(default, bool):
            on, _, off = each.metadata["flag"].partition("/--")
            assert shown == (on.removeprefix("--") if default else off or "off")
        elif default is not None:
            assert shown == (f"{default:g}" if isinstance(default, float) else str(default))
        else:
            assert shown == each.metadata["unset"]


@pytest.mark.parametrize("each", declared(), ids=NAMES)
def test_a_value_outside_the_bounds_is_refused(each):
    about, kind = each.metadata, float if each.type in (float, float | None) else int
    wrong = []
    if "least" in about:
        wrong.append(about["least"] - 1 if kind is int else math.nextafter(about["least"], -9))
        check_setting(each, about["least"])
    if "above" in about:
        wrong.append(about["above"])
    if "most" in about:
        wrong.append(about["most"] + 1 if kind is int else math.nextafter(about["most"], 9))
        check_setting(each, about["most"])
    if "below" in about:
        wrong.append(about["below"])
    if kind is float:
        wrong += [math.nan, math.inf, -math.inf]
    if "choices" in about:
        wrong += ["", "float16"]
    assert wrong or each.type in (bool, str, str | None)
    for value in wrong:
        with pytest.raises(InputError, match=f"^{each.name} is "):
            complete({each.name: value})


def test_a_setting_that_an_older_run_json_lacks_has_the_value_of_then(monkeypatch):
    stored = complete({}).stored(gpt2.Config)

    @dataclass(frozen=True)
    class Config(gpt2.Config):
        window: int | None = setting(32, "Window.", before=None)
        bias: bool = setting(True, "Biases.")

    with pytest.raises(InputError, match="another version: bias; start"):
        read_settings(stored, {}, "run.json", Config)
    found = read_settings({**stored, "bias": True}, {}, "run.json", Config)
    assert found.sizes["window"] is None
    assert replace(found, sizes={}).sizes_for(Config)["window"] == 32


def test_what_a_resumed_run_may_change_is_one_list(npgpt, tmp_path, corpus, monkeypatch):
    out = tmp_path / "run"
    line = ["train", "--out", out, "--corpus", corpus, "--steps", 1, "--layers", 1,
            "--channels", 8, "--evaluate-batches", 1]
    assert npgpt(*line)[0] == 0
    before = json.loads((out / "run.json").read_text())
    assert before["settings"]["layers"] == 1
    for name in NAMES:
        if name not in module.CHANGEABLE:
            value = {"tied": True}.get(name, 1)
            with pytest.raises(InputError, match="cannot be given with --resume"):
                read_settings(before["settings"], {name: value}, "run.json", gpt2.Config)
