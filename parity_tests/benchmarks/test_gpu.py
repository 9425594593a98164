"""`npgpt bench gpu`: its arithmetic, and the code that runs on a GPU."""

import functools
import json

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from npgpt.benchmarks import gpu
from npgpt.cli import bench
from npgpt.models import gpt2
from npgpt.runs.settings import complete
from npgpt.training import init
from npgpt.training.dropout_masks import draw_dropout_masks
from torchgpt.modules.gpt2 import GPT
from torchgpt.training import throughput
from torchgpt.training.module_trainer import ModuleTrainer
from torchgpt.training.throughput import VARIANTS, flops_per_token, peak_of


def test_flops_are_those_of_the_products():
    """torch counts what a step multiplies; explicit attention, for the
    counter knows no fused one on every device."""
    config = gpt2.Config(24, context_length=8, layers=2, heads=2, channels=16)
    trainer = ModuleTrainer(GPT, config, init(gpt2, config), complete({"batch_size": 3}),
                            device="cpu", shared_dropout=True)
    ids = np.arange(24).reshape(3, 8)
    batch = {"inputs": ids, "targets": ids,
             "dropout_masks": draw_dropout_masks(gpt2, config, 3, 8, 0.1, 1, 1)}
    with FlopCounterMode(display=False) as counter:
        trainer.step(batch, 1e-3)
    assert counter.get_total_flops() == 24 * flops_per_token(config)


@pytest.mark.parametrize("name, bfloat16", [
    ("NVIDIA H100 80GB HBM3", 989), ("NVIDIA H100 PCIe", 756), ("NVIDIA H100 NVL", 835),
    ("NVIDIA H200", 989), ("NVIDIA A100-SXM4-80GB", 312), ("NVIDIA A10", 125),
    ("NVIDIA L4", 121), ("NVIDIA L40S", 362), ("NVIDIA GeForce RTX 4090", 165.2)])
def test_known_peaks(name, bfloat16):
    peak = peak_of(name)
    assert peak["bfloat16"] == bfloat16
    assert peak["source"]


@pytest.mark.parametrize("name", [
    "Tesla T4", "NVIDIA GH200 480GB", "NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA L40",
    "NVIDIA GeForce RTX 3090 Ti", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "NVIDIA H1000", ""])
def test_other_devices_are_unknown(name):
    assert peak_of(name) is None


def test_mfu_is_the_share_of_the_peak(monkeypatch, capsys):
    monkeypatch.setattr(throughput, "VARIANTS", ("eager float32", "eager bfloat16"))
    monkeypatch.setattr(throughput, "peak_of", lambda name: {
        "bfloat16": 0.002, "float32": 0.001, "source": "a made-up sheet"})
    config, settings = gpt2.Config(**gpu.SMOKE_SIZES), complete({"batch_size": 2})
    found = throughput.measure(config, settings, torch.device("cpu"), rounds=3, steps=1)
    for name, peak in (("eager float32", 0.001), ("eager bfloat16", 0.002)):
        speed = np.median(found[name]["tokens_per_second"])
        share = speed * flops_per_token(config) / (peak * 1e12)
        assert found[name]["mfu"] == pytest.approx(share, abs=1e-4)
    assert found["eager float32"]["mfu"] > 0


def test_smoke_runs_what_a_gpu_runs(monkeypatch, capsys):
    torch.compiler.reset()  # nothing compiled by another test
    monkeypatch.setattr(GPT, "compile", functools.partialmethod(
        torch.nn.Module.compile, backend="eager", fullgraph=True))
    bench.gpu.gpu(smoke=True, as_json=True)
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "smoke"
    assert record["peak_tflops"] == "unknown"
    assert record["versions"]["torch"] == torch.__version__
    assert {"date", "commit", "device", "model"} <= record.keys()
    assert tuple(record["variants"]) == VARIANTS
    losses = []
    for variant in record["variants"].values():
        assert len(variant["tokens_per_second"]) == record["rounds"]
        assert min(variant["tokens_per_second"]) > 0
        assert variant["mfu"] is variant["peak_memory_gb"] is None
        losses.append(variant["loss"])
    # all three took the same steps on the same batch
    assert max(losses) - min(losses) < 0.02
    bench.gpu.finish(record, gpu.report)
    out = capsys.readouterr().out
    assert "no measurements" in out and all(name in out for name in VARIANTS)


def test_without_a_gpu_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    bench.gpu.gpu()
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "not yet measured" in out
    bench.gpu.gpu(as_json=True)
    assert json.loads(capsys.readouterr().out)["status"] == "not yet measured"
