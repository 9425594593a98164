"""The options of LoRA, the same in npgpt finetune and torchgpt finetune."""

import sys
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from npgpt.cli.options import option


@dataclass
class LoraOptions:
    """What --method lora takes, and which layers the full method trains; None: as by
    default."""

    rank: Annotated[int | None, option("--rank", "LoRA: rank of an update.", "N", 8)] = None
    alpha: Annotated[float | None, option(
        "--alpha", "LoRA: an update's factor, times the rank.", "X", 16)] = None
    targets: Annotated[str | None, option(
        "--targets", "LoRA: layers to adapt, by name.", "LIST", "q,v or qkv")] = None
    rslora: Annotated[bool, option(
        "--rslora", "LoRA: divide by the root of the rank.", None)] = False
    adapter: Annotated[str | None, option(
        "--adapter", "LoRA: go on with the adapter in DIR.", "DIR")] = None

    train: Annotated[str | None, option(
        "--train", "Layers to train, by name; others stay.", "LIST", "all")] = None

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items()
                if value is not None and value is not False}


def print_notes(run: Any) -> None:
    """What to know of the adapter that a run trains."""
    from npgpt.runs.adapters import dropout_note
    from npgpt.runs.adapters.read import read_adapter_config
    from npgpt.runs.finetune import tuning_of

    if run.adapter is None:
        if run.trains:
            print(f"trained are the layers {', '.join(run.trains)}; all others stay",
                  file=sys.stderr)
        return
    print(f"{run.adapter.parameters:,} parameters of {len(run.adapter.layers)} layers are trained"
          f" ({', '.join(run.adapter.names)}; rank {run.adapter.rank},"
          f" alpha {run.adapter.lora_alpha:g})", file=sys.stderr)
    start = tuning_of(run.path).adapter
    if start and run.step == 0:
        from pathlib import Path

        if said := dropout_note(read_adapter_config(Path(start))):
            print(f"note: {said}", file=sys.stderr)
