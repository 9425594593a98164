"""torchgpt train: as npgpt train, in PyTorch."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

from npgpt.cli import options
from npgpt.cli.options import option, with_settings
from npgpt.cli.progress import stop_flag
from npgpt.cli.run import let_threads_sleep
from npgpt.cli.train import examine, go, open_run, refuse_trained
from npgpt.errors import InputError
from npgpt.models import BY_TYPE

ByHand = Annotated[
    bool, option("--by-hand", "Use the hand-written functions, not autograd.", None)
]
SharedDropout = Annotated[
    bool, option("--shared-dropout", "Use NumPy's dropout masks, not PyTorch's.", None, hidden=True)
]
Compile = Annotated[bool, option("--compile", "Compile the model with torch.compile.", None)]


@with_settings()
def train(
    *,
    out: options.Out = None,
    resume: options.Resume = False,
    model: options.Model = None,
    device: options.Device = None,
    by_hand: ByHand = False,
    shared_dropout: SharedDropout = False,
    compile: Compile = False,
    settings: dict[str, Any],
    check: options.Check = False,
    as_json: options.AsJson = False,
) -> int:
    """
    \b
    Train a GPT on a text with PyTorch, or continue a run:
    torchgpt train --out runs/one --steps 500 --device auto
    """
    let_threads_sleep()
    from npgpt.runs.run import cleared_unless_started
    from npgpt.runs.start_from import named_model
    from torchgpt import distributed
    from torchgpt.device import pick_device
    from torchgpt.runs.trainers import Method

    if check and distributed.launched():
        raise InputError("--check needs one process: leave torchrun away")
    if distributed.launched():
        with distributed.joined(device or "auto") as chosen:
            method = Method(chosen, by_hand, shared_dropout, compile)
            return one_of_several(method, out, resume, settings, as_json, model)
    method = Method(pick_device(device or "auto"), by_hand, shared_dropout, compile)
    if check:
        refuse_trained(resume, settings)
        method.check(settings)
        plain = Method(method.device, by_hand)
        return examine(settings, named_model(model or "gpt2", BY_TYPE), plain.trainer, as_json)
    run = begin(method, out, resume, settings, model=model)
    method = method.as_it_began(run)
    with cleared_unless_started(run):
        method.check(settings)
        return go(run, method.trainer(run), "torchgpt train", as_json, prefetch=method.prefetch)


def begin(method, out: Path | None, resume: bool, settings: dict[str, Any], processes: int = 1,
          model: str | None = None):
    """The run, new or resumed; its run.json records how torch computes."""
    from torchgpt.runs.trainers import exactly

    method.check(settings)
    exactly(method)
    return open_run("torchgpt train", out, resume, settings, method.record(processes),
                    model)


def one_of_several(
    method, out: Path | None, resume: bool, settings: dict[str, Any], as_json: bool,
    model: str | None,
) -> int:
    """This process's part of a run that torchrun started; the exit status."""
    import torch.distributed as dist

    from npgpt.runs.run import cleared_unless_started
    from npgpt.runs.settings import complete
    from torchgpt.distributed import Distributed, anyone, broadcast_run, check_parts
    from torchgpt.runs.trainers import module_trainer

    def opened():
        if method.by_hand:
            raise InputError("--by-hand trains in one process: leave torchrun away")
        if not resume:  # before the run's directory is made
            check_parts(complete(settings), dist.get_world_size())
        run = begin(method, out, resume, settings, dist.get_world_size(), model)
        as_it_began = method.as_it_began(run)
        if as_it_began.by_hand:
            raise InputError(f"{run.path} is trained by hand, in one process: leave torchrun away")
        return run, as_it_began.shared_dropout

    run, shared_dropout = broadcast_run(opened)
    method = type(method)(method.device, False, shared_dropout, method.compile)
    first = dist.get_rank() == 0
    with cleared_unless_started(run) if first else nullcontext():
        trainer = module_trainer(run, method, Distributed)
        if first:
            return go(run, trainer, "torchgpt train", as_json, anyone, method.prefetch)
    return follower(run, trainer, method.prefetch)


def follower(run, trainer, prefetch) -> int:
    """The steps of a process that neither writes nor reports; the exit status."""
    from npgpt.runs.diverged import Diverged
    from torchgpt.distributed import anyone, follow, is_parted

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
