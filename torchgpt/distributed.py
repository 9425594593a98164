"""One run on several processes, as torchrun starts them: one a GPU.

Every process holds the whole model and takes its rows of each batch.
DistributedDataParallel adds the gradients up while the backward pass still
runs, so all of them make the same step. Process 0 alone reads the corpus,
evaluates, logs and saves; the others `follow`.
"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from npgpt.errors import InputError
from npgpt.runs.diverged import Diverged
from npgpt.runs.run import Run
from npgpt.runs.settings import Settings
from npgpt.runs.train import batches
from npgpt.training.loop import loop
from npgpt.tree import tree_map
from torchgpt.device import compiler_errors, pick_device
from torchgpt.training.module_trainer import ModuleTrainer

# how long the others wait for process 0: it evaluates and saves alone
PATIENCE = timedelta(hours=2)

# seconds for gloo's threads to let go of the last tensors: one that still
# holds a tensor of Python's when Python ends aborts the process
LETTING_GO = 0.25


def launched() -> bool:
    """Whether torchrun, or a scheduler that speaks like it, started this process."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= set(os.environ)


@contextlib.contextmanager
def joined(device: str = "auto") -> Iterator[torch.device]:
    """Meet the other processes, and part again; yields this one's device."""
    place = pick_device(device)
    if place.type == "mps":
        raise InputError("several processes cannot share one mps device: use --device cpu")
    if place.type == "cuda":
        place = own_gpu(torch.cuda.device_count())
        torch.cuda.set_device(place)
    backend = "cpu:gloo,cuda:nccl" if place.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield place
    finally:
        dist.destroy_process_group()
        time.sleep(LETTING_GO)


def own_gpu(there: int) -> torch.device:
    """This process's among the node's GPUs."""
    index = int(os.environ.get("LOCAL_RANK", 0))
    if index >= there:
        raise InputError(
            f"this machine has {there} GPUs, too few for process {index}: start at most"
            f" {there} a node with torchrun --nproc-per-node")
    return torch.device("cuda", index)


def broadcast_run(open_run: Callable[[], tuple[Run, bool]]) -> tuple[Run, bool]:
    """Process 0's open_run(), a run and whether its dropout masks are the
    loop's, handed to all, so that only its machine needs the corpus and the
    run's directory. Where it fails, the others leave with status 2 and in
    silence."""
    run, box = None, [None]
    try:
        if dist.get_rank() == 0:
            run, shared_dropout = open_run()
            check_parts(run.settings, dist.get_world_size())
            # a module travels by its name
            sent = replace(run, model=run.model.__name__, data=replace(run.data, tokenizer=None))
            box = [(sent, shared_dropout)]
    finally:
        dist.broadcast_object_list(box, device=torch.device("cpu"))
    if box[0] is None:
        raise SystemExit(2)
    theirs, shared_dropout = box[0]
    return run or replace(theirs, model=import_module(theirs.model)), shared_dropout


def check_parts(settings: Settings, processes: int) -> None:
    """InputError unless the processes get equal rows of each part of a batch."""
    rows = settings.batch_size // settings.accumulate
    if rows % processes:
        raise InputError(
            f"a batch of {settings.batch_size} windows in {settings.accumulate} parts gives"
            f" {rows} a part, which {processes} processes cannot share equally: choose a"
            f" --batch-size that {processes * settings.accumulate} divides")


class Distributed(ModuleTrainer):
    """`ModuleTrainer`, one process of several."""

    name = "torch, distributed"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.rank, self.processes = dist.get_rank(), dist.get_world_size()
        self.dropout_stream += f".{self.rank}"
        self.parallel = DistributedDataParallel(self.module, gradient_as_bucket_view=True)

    def backward(self, part, count, last):
        """-> the whole part's loss, a float; after the last part the gradients
        are the whole batch's, in every process."""
        rows = len(part["targets"]) // self.processes
        mine = slice(self.rank * rows, (self.rank + 1) * rows)
        part = tree_map(lambda tensor: tensor[mine], part)
        alone = contextlib.nullcontext() if last else self.parallel.no_sync()
        with alone, compiler_errors() if self.compiled else contextlib.nullcontext():
            # DDP takes the mean over the processes; count / processes makes it the sum
            loss = self.sum_of_losses(self.parallel, part) / (count / self.processes)
            loss.backward()
        loss = loss.detach()
        dist.all_reduce(loss)
        return float(loss) / self.processes


def anyone(stopped: Callable[[], bool]) -> Callable[[], bool]:
    """stopped(), true in every process once it is in one: all leave after
    the same step. Each must ask once a step."""

    def agreed() -> bool:
        flag = torch.tensor(int(stopped()))
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    return agreed


def is_parted(error: RuntimeError) -> bool:
    """Whether it tells of a process that is gone, which has said why itself."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


def follow(run: Run, trainer: Distributed, stopped: Callable[[], bool], prefetch) -> None:
    """The steps of `npgpt.runs.train`, and nothing but the steps. Raises
    Diverged where process 0 does."""
    batch = prefetch(batches(run, draw_masks=not trainer.draws_dropout))

    def log(step, loss, norm, rate, validation):
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise Diverged(f"the loss is {loss} at step {step}, the gradient's norm {norm}")

    loop(
        trainer, run.settings, batch=batch, log=log, evaluate=lambda step: None,
        save=lambda step: None, step=run.step, stopped=stopped)
