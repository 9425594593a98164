"""The PyTorch trainers of a run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from npgpt.errors import InputError
from npgpt.runs.adapter_run import training_of
from npgpt.runs.checkpoint import read_backend
from npgpt.runs.run import Run
from npgpt.runs.train import initial_state
from torchgpt.device import pick_dtype, use_exact_arithmetic


@dataclass(frozen=True)
class Method:
    """How PyTorch computes a run: by the hand-written functions or by autograd, with
    NumPy's dropout masks or its own, compiled or not."""

    device: torch.device
    by_hand: bool = False
    shared_dropout: bool = False
    compile: bool = False

    def check(self, settings: dict[str, Any]) -> None:
        """Raise InputError where it cannot compute with these settings."""
        if self.by_hand and self.compile:
            raise InputError("--by-hand runs the functions as they are: leave out --compile")
        if self.by_hand and settings.get("dtype") == "bfloat16":
            raise InputError("--by-hand computes in float32 or float64, not bfloat16")
        pick_dtype(settings.get("dtype", "float32"), self.device)

    def record(self, processes: int = 1) -> dict[str, Any]:
        """What run.json says of it."""
        return {
            "half": "torch by hand" if self.by_hand else "torch",
            "torch": {
                "version": torch.__version__,
                "device": str(self.device),
                "processes": processes,
                "threads": torch.get_num_threads(),
                "shared_dropout": self.shared_dropout,
                "compile": self.compile,
            },
        }

    def as_it_began(self, run: Run) -> "Method":
        """A resumed run goes on with the functions and the dropout masks it has;
        one that began in NumPy goes on by autograd, with NumPy's masks."""
        began = read_backend(run.path)
        own_masks = began["half"] == "torch" and not began["shared_dropout"]
        return replace(self, by_hand=self.by_hand or began["half"] == "torch by hand",
                       shared_dropout=self.shared_dropout or not own_masks)

    def trainer(self, run: Run, losses: dict[str, Callable] | None = None):
        """The trainer at the run's last save. losses: as a Trainer by hand takes them, if
        not cross-entropy's."""
        if self.by_hand:
            return by_hand_trainer(run, self.device, losses)
        return module_trainer(run, self)

    def prefetch(self, batch: Callable[[int], dict]) -> Callable[[int], dict]:
        """batch(step), which on a GPU works ahead."""
        if self.by_hand or self.device.type != "cuda":
            return batch
        from torchgpt.training.prefetcher import Prefetcher, pinned

        return Prefetcher(batch, pinned)


def exactly(method: Method) -> None:
    """Let torch compute as NumPy does, where the two are to agree."""
    if method.shared_dropout or method.by_hand:
        use_exact_arithmetic()


def by_hand_trainer(
    run: Run, device: torch.device, losses: dict[str, Callable] | None = None
):
    """The trainer of a run by the hand-written functions."""
    from torchgpt.finetuning import lora_adapters
    from torchgpt.models import BY_TYPE
    from torchgpt.training import Trainer

    params, state = initial_state(run)
    model = BY_TYPE[run.model.FILES["model_type"]]
    return Trainer(model, run.config, params, run.settings, device=str(device), **(losses or {}),
                   **training_of(run, params, state, lora_adapters))


def module_trainer(run: Run, method: Method, kind: Any = None):
    """The trainer of a run by autograd; of this `kind`, if not ModuleTrainer."""
    from torchgpt.modules import BY_TYPE
    from torchgpt.training.module_trainer import ModuleTrainer

    params, state = initial_state(run)
    module = BY_TYPE[run.model.FILES["model_type"]]
    return (kind or ModuleTrainer)(
        module, run.config, params, run.settings, device=str(method.device),
        dtype=run.settings.dtype, shared_dropout=method.shared_dropout, compiled=method.compile,
        **training_of(run, params, state))
