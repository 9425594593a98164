"""LoRA on a real model: NumPy, PyTorch by hand, modules and `peft` train alike."""

import pytest

from npgpt.benchmarks.lora import NAMES, Task, contender, loss_budget
from npgpt.runs.fetch import cached

pytestmark = pytest.mark.acceptance


@pytest.mark.skipif(cached("smollm2") is None, reason="needs smollm2: npgpt fetch smollm2")
def test_twenty_steps_on_smollm2():
    """Rank 8 on queries and values; each loss within float32's budget of theirs."""
    pytest.importorskip("peft")
    task = Task("smollm2", 1, 160)
    allowed = loss_budget(task)
    steps = {name: contender(name, task) for name in NAMES}
    for number in range(20):
        losses = {name: step(number) for name, step in steps.items()}
        theirs = losses[NAMES[-1]]
        for name, loss in losses.items():
            assert abs(loss - theirs) <= allowed, (number, name, abs(loss - theirs) / allowed)
