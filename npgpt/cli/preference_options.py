"""The options of DPO and GRPO, the same in npgpt finetune and torchgpt finetune."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from npgpt.cli.options import option


@dataclass
class PreferenceOptions:
    """What --method dpo, grpo and dr-grpo take; None: as by default."""

    beta: Annotated[float | None, option(
        "--beta", "DPO: weight of the distance from the start.", "X", 0.1)] = None
    group: Annotated[int | None, option(
        "--group", "GRPO: answers to each question.", "N", 8)] = None

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}
