"""torchgpt finetune: as npgpt finetune, in PyTorch."""

from typing import Any

from npgpt.cli import options
from npgpt.cli.finetune import (
    FIXED,
    Data,
    Longest,
    MethodName,
    Pack,
    SampleEvery,
    Start,
    go,
    open_finetune,
)
from npgpt.cli.lora_options import LoraOptions
from npgpt.cli.options import with_options, with_settings
from npgpt.cli.preference_options import PreferenceOptions
from npgpt.cli.run import let_threads_sleep
from npgpt.errors import InputError
from torchgpt.cli.train import ByHand, Compile, SharedDropout


@with_options("preference", PreferenceOptions)
@with_options("lora", LoraOptions)
@with_settings(without=FIXED)
def finetune(
    start: Start = None,
    *,
    data: Data = None,
    method: MethodName = None,
    out: options.Out = None,
    resume: options.Resume = False,
    device: options.Device = None,
    by_hand: ByHand = False,
    shared_dropout: SharedDropout = False,
    compile: Compile = False,
    pack: Pack = False,
    longest: Longest = None,
    sample_every: SampleEvery = None,
    lora: LoraOptions,
    preference: PreferenceOptions,
    settings: dict[str, Any],
    as_json: options.AsJson = False,
) -> int:
    """
    \b
    Teach a trained model to answer with PyTorch, or continue a run:
    torchgpt finetune runs/one --data stories:chat --out runs/chat
    """
    let_threads_sleep()
    from npgpt.runs.finetune import ON_REWARDS, tuning_of
    from npgpt.runs.methods import losses_of
    from npgpt.runs.run import cleared_unless_started
    from torchgpt import finetuning
    from torchgpt.device import pick_device
    from torchgpt.runs.trainers import Method, exactly
    from torchgpt.speed import counted_rows

    by_hand = by_hand or method in ("dpo", *ON_REWARDS)
    how = Method(pick_device(device or "auto"), by_hand, shared_dropout, compile)
    how.check(settings)
    if not resume:
        refuse_packed(pack, by_hand)
    exactly(how)
    tuning = {"method": method, "pack": pack or None, "longest": longest,
              "sample_every": sample_every, **lora.given(),
              **preference.given()}
    run = open_finetune("torchgpt finetune", start, data, out, resume, settings, tuning,
                        how.record())
    how = how.as_it_began(run)
    with cleared_unless_started(run):
        refuse_packed(tuning_of(run.path).pack, how.by_hand)
        losses = losses_of(tuning_of(run.path), finetuning, counted_rows)
        return go(run, how.trainer(run, losses), "torchgpt", as_json)


def refuse_packed(pack: bool, by_hand: bool) -> None:
    """The modules take no mask: packed conversations would read one another."""
    if pack and not by_hand:
        raise InputError("packed rows need the hand-written functions: give --by-hand, or leave"
                         " out --pack")
