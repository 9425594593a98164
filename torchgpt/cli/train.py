"""torchgpt train: as npgpt train, in PyTorch."""

from contextlib import nullcontext
from typing import Annotated, Any

from npgpt.cli import options
from npgpt.cli.options import option, with_settings
from npgpt.cli.progress import stop_flag
from npgpt.cli.run import let_threads_sleep
from npgpt.cli.train import examine, go, open_run, refuse_resume
from npgpt.errors import InputError
from npgpt.models import gpt2
from npgpt.runs.checkpoint import read_backend

ByHand = Annotated[
    bool, option("--by-hand", "Use the hand-written functions, not autograd.", None)
]
SharedDropout = Annotated[
    bool, option("--shared-dropout", "Use NumPy's dropout masks, not PyTorch's.", None)
]
Compile = Annotated[bool, option("--compile", "Compile the model with torch.compile.", None)]


@with_settings()
def train(
    *,
    out: options.Out = None,
    resume: options.Resume = False,
    device: options.Device = None,
    by_hand: ByHand = False,
    shared_dropout: SharedDropout = False,
    compile: Compile = False,
    settings: dict[str, Any],
    check: options.Check = False,
    as_json: options.AsJson = False,
) -> int:
    """Train a GPT on a text with PyTorch, or go on with a run.

    \b
    torchgpt train --out runs/one --steps 500 --device auto
    """
    let_threads_sleep()
    from npgpt.runs.run import cleared_unless_started
    from torchgpt import distributed
    from torchgpt.device import pick_device, pick_dtype

    if check and distributed.launched():
        raise InputError("--check needs one process: leave torchrun away")
    if distributed.launched():
        with distributed.joined(device or "auto") as place:
            return one_of_several(
                place, out, resume, settings, by_hand, shared_dropout, compile, as_json)
    place = pick_device(device or "auto")
    if check:
        refuse_resume(resume)
        check_by_hand(by_hand, settings, compile)
        pick_dtype(settings.get("dtype", "float32"), place)
        make = by_hand_trainer if by_hand else module_trainer
        return examine(settings, gpt2, lambda run: make(run, place), as_json)
    run = begin(place, out, resume, settings, by_hand, shared_dropout, compile)
    with cleared_unless_started(run):
        by_hand, shared_dropout = as_it_began(run, by_hand, shared_dropout)
        check_by_hand(by_hand, settings, compile)
        if by_hand:
            trainer = by_hand_trainer(run, place)
        else:
            trainer = module_trainer(run, place, shared_dropout=shared_dropout, compiled=compile)
        return go(run, trainer, "torchgpt train", as_json, prefetch=ahead_of(place, by_hand))


def by_hand_trainer(run, place):
    """The trainer of a run by the hand-written functions."""
    from npgpt.runs.train import initial_state
    from torchgpt.models import BY_TYPE
    from torchgpt.training import Trainer

    params, state = initial_state(run)
    model = BY_TYPE[run.model.FILES["model_type"]]
    return Trainer(model, run.config, params, run.settings, state=state, device=str(place))


def module_trainer(run, place, **options):
    """The trainer of a run by autograd."""
    from npgpt.runs.train import initial_state
    from torchgpt.modules import BY_TYPE
    from torchgpt.training.module_trainer import ModuleTrainer

    params, state = initial_state(run)
    module = BY_TYPE[run.model.FILES["model_type"]]
    return ModuleTrainer(
        module, run.config, params, run.settings, state=state, device=str(place),
        dtype=run.settings.dtype, **options)


def ahead_of(place, by_hand: bool):
    """-> batch(step) that draws ahead, on a GPU."""
    if by_hand or place.type != "cuda":
        return lambda batch: batch
    from torchgpt.training.prefetcher import Prefetcher, pinned

    return lambda batch: Prefetcher(batch, pinned)


def check_by_hand(by_hand: bool, settings: dict, compile: bool) -> None:
    if by_hand and compile:
        raise InputError("--by-hand runs the functions as they are: leave out --compile")
    if by_hand and settings.get("dtype") == "bfloat16":
        raise InputError("--by-hand computes in float32 or float64, not bfloat16")


def begin(place, out, resume, settings, by_hand, shared_dropout, compile, processes=1):
    """The run, new or resumed; its run.json records how torch computes."""
    import torch

    from torchgpt.device import pick_dtype, use_exact_arithmetic

    pick_dtype(settings.get("dtype", "float32"), place)
    check_by_hand(by_hand, settings, compile)
    if shared_dropout or by_hand:
        use_exact_arithmetic()
    extra = {
        "half": "torch by hand" if by_hand else "torch",
        "torch": {
            "version": torch.__version__,
            "device": str(place),
            "processes": processes,
            "threads": torch.get_num_threads(),
            "shared_dropout": shared_dropout,
            "compile": compile,
        },
    }
    return open_run("torchgpt train", out, resume, settings, extra)


def as_it_began(run, by_hand: bool, shared_dropout: bool) -> tuple[bool, bool]:
    """A resumed run goes on with the functions and the dropout masks it has;
    one that began in NumPy goes on by autograd, with NumPy's masks."""
    began = read_backend(run.path)
    by_hand = by_hand or began["half"] == "torch by hand"
    own_masks = began["half"] == "torch" and not began["shared_dropout"]
    return by_hand, shared_dropout or not own_masks


def one_of_several(place, out, resume, settings, by_hand, shared_dropout, compile, as_json) -> int:
    """This process's part of a run that torchrun started; the exit status."""
    import torch.distributed as dist

    from npgpt.runs.diverged import Diverged
    from npgpt.runs.run import cleared_unless_started
    from npgpt.runs.settings import complete
    from npgpt.runs.train import initial_state
    from torchgpt.distributed import (
        Distributed,
        anyone,
        broadcast_run,
        check_parts,
        follow,
        is_parted,
    )
    from torchgpt.modules import BY_TYPE

    def opened():
        if by_hand:
            raise InputError("--by-hand trains in one process: leave torchrun away")
        if not resume:  # before the run's directory is made
            check_parts(complete(settings), dist.get_world_size())
        run = begin(
            place, out, resume, settings, False, shared_dropout, compile, dist.get_world_size())
        began_by_hand, shared = as_it_began(run, False, shared_dropout)
        if began_by_hand:
            raise InputError(f"{run.path} is trained by hand, in one process: leave torchrun away")
        return run, shared

    run, shared_dropout = broadcast_run(opened)
    first = dist.get_rank() == 0
    prefetch = ahead_of(place, by_hand=False)
    with cleared_unless_started(run) if first else nullcontext():
        params, state = initial_state(run)
        trainer = Distributed(
            BY_TYPE[run.model.FILES["model_type"]], run.config, params, run.settings,
            state=state, device=str(place), dtype=run.settings.dtype,
            shared_dropout=shared_dropout, compiled=compile)
        if first:
            return go(run, trainer, "torchgpt train", as_json, anyone, prefetch)
    with stop_flag() as stopped:
        try:
            follow(run, trainer, anyone(stopped), prefetch)
        except Diverged:
            return 1  # process 0 says why
        except RuntimeError as error:
            if not is_parted(error):
                raise
            return 1
    return 0
