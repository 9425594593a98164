"""One training step (forward, backward, clip, AdamW), side by side: NumPy, the same
compiled, a loop of one's own, PyTorch by hand, torchgpt.GPT and transformers' GPT-2."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npgpt.benchmarks import timing
from npgpt.benchmarks.machine import describe, instructions, machine
from npgpt.benchmarks.products import products
from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.runs.settings import Settings
from npgpt.speed import tune_allocator
from npgpt.training import (
    Trainer,
    adamw_init,
    adamw_step,
    clip_by_global_norm,
    init,
    loss_and_grads,
)

# layers, heads, channels, context length, batch size; then the steps before and
# within each timing
SIZES = {"S": ((4, 4, 128, 64, 12), 2, 5), "M": ((6, 6, 384, 256, 8), 1, 1)}
VOCABULARY = 103
COMPILED = "npgpt --compile"
OWN_LOOP = "README's own loop"
PEERS = ("torchgpt.GPT", "transformers GPT-2")


def measure(
    sizes: list[str], rounds: int
) -> tuple[dict[str, Any], dict[str, dict[str, list[float]]]]:
    """The record, and the seconds of each contender under a picture's title.
    InputError for a size that is not in SIZES."""
    if unknown := set(sizes) - set(SIZES):
        raise InputError(f"unknown size {min(unknown)!r}: give S, M, or S,M")
    result: dict[str, Any] = {"bench": "step", "sizes": {}}
    pictures = {}
    for name in sizes:
        shape, warm, timed = SIZES[name]
        times = timing.interleave(make_contenders(*shape), rounds, warm, timed)
        peers = [peer for peer in PEERS if peer in times]
        fastest = min(peers, key=lambda peer: timing.summary(times[peer])["median_ms"],
                      default=None)
        contenders: dict[str, dict[str, Any]] = {}
        for contender in times:
            found: dict[str, Any] = timing.summary(times[contender])
            if fastest:
                found["to_fastest_peer"] = timing.ratio(times, contender, fastest)
            found["to_products"] = timing.ratio(times, contender, "products")
            contenders[contender] = found
        result["sizes"][name] = {"shape": shape, "fastest_peer": fastest, "rounds": rounds,
                                 "contenders": contenders}
        pictures[f"training step, {name}"] = times
    result["machine"] = machine()
    return result, pictures


def report(result: dict[str, Any]) -> Report:
    lines: Report = [describe(result["machine"])]
    for name, measured in result["sizes"].items():
        rows = [[contender, f"{row['median_ms']:.1f}",
                 f"{row['least_ms']:.1f}–{row['most_ms']:.1f}",
                 timing.spread(row.get("to_fastest_peer")), timing.spread(row["to_products"])]
                for contender, row in measured["contenders"].items()]
        lines.append(Table(
            ["", "ms", "least–most", "to the peer", "to products"], rows,
            f"Training step, {name}; the peer is {measured['fastest_peer'] or 'not installed'}"))
    return lines


def make_contenders(layers: int, heads: int, channels: int, context_length: int,
                    batch: int) -> dict[str, Callable[[], Any]]:
    """A step of each kind, on the same random tokens, ours first."""
    tune_allocator()
    config = Config(VOCABULARY, context_length, layers, heads, channels)
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (batch, context_length))
    targets = np.roll(ids, -1, axis=1)
    contenders = {
        "npgpt": numpy_step(config, ids, targets),
        OWN_LOOP: own_loop(config, ids, targets),
        "products": products(config, ids),
    }
    try:
        import npgpt.speed.compiled  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
    else:
        contenders[COMPILED] = numpy_step(config, ids, targets, compile=True)
    try:
        import torch
    except ImportError:
        return contenders
    pair = torch.from_numpy(ids), torch.from_numpy(targets)
    contenders["torchgpt by hand"] = torch_step_by_hand(config, *pair)
    contenders["torchgpt.GPT"] = torch_step(config, *pair)
    try:
        import transformers  # noqa: F401
    except ImportError:
        return contenders
    contenders["transformers GPT-2"] = transformers_step(config, *pair)
    return contenders


def numpy_step(config: Config, ids: np.ndarray, targets: np.ndarray,
               compile: bool = False) -> Callable[[], Any]:
    """What `npgpt train` does, or `npgpt train --compile`."""
    settings, params = Settings(), init(gpt2, config)
    if compile:
        from npgpt.speed import compiled

        trainer = Trainer(
            compiled.on_loops(gpt2), config, params, settings,
            loss_and_grads=compiled.on_loops(loss_and_grads), clip=compiled.clip_by_global_norm,
            update=compiled.adamw_step, by_columns=compiled.by_columns)
    else:
        trainer = Trainer(gpt2, config, params, settings)
    return lambda: trainer.step({"inputs": ids, "targets": targets}, settings.learning_rate)


def own_loop(config: Config, ids: np.ndarray, targets: np.ndarray) -> Callable[[], Any]:
    """A loop of one's own: the whole batch at once, nothing in long vectors."""
    params = init(gpt2, config)
    state = adamw_init(params)

    def run() -> None:
        _, grads = loss_and_grads(gpt2, params, ids, targets, config)
        grads, _ = clip_by_global_norm(grads, 1.0)
        adamw_step(params, grads, state, lr=1e-3)

    return run


def torch_step_by_hand(config: Config, ids: Any, targets: Any) -> Callable[[], Any]:
    import torchgpt.models as models
    import torchgpt.training as training

    params = training.init(models.gpt2, config)
    state = training.adamw_init(params)

    def run() -> None:
        _, grads = training.loss_and_grads(models.gpt2, params, ids, targets, config)
        grads, _ = training.clip_by_global_norm(grads, 1.0)
        training.adamw_step(params, grads, state, lr=1e-3)

    return run


def torch_step(config: Config, ids: Any, targets: Any) -> Callable[[], Any]:
    import torchgpt

    model = torchgpt.GPT(config)
    return autograd_step(model, lambda: model(ids, targets)[1])


def transformers_step(config: Config, ids: Any, targets: Any) -> Callable[[], Any]:
    import torch
    import transformers

    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=config.vocab_size, n_positions=config.context_length,
        n_embd=config.channels, n_layer=config.layers, n_head=config.heads,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=None, eos_token_id=None))
    model.train()

    def loss() -> Any:
        logits = model(ids, use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    return autograd_step(model, loss)


def autograd_step(model: Any, loss: Callable[[], Any]) -> Callable[[], Any]:
    """Autograd, PyTorch's clipping and its fused AdamW, in two decay groups."""
    import torch

    weights = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [w for w in weights if w.ndim >= 2], "weight_decay": 0.1},
         {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0}],
        lr=1e-3, betas=(0.9, 0.95), fused=True)

    def run() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()

    return run


def short_markdown(results: list[dict[str, Any]]) -> str:
    """Records of `npgpt bench step` -> the README's table."""
    lines = ["| training step | npgpt | compiled | `torchgpt.GPT` | compiled / fastest peer |",
             "|---|---|---|---|---|"]
    for result in results:
        for size, found in result["sizes"].items():
            rows = found["contenders"]
            times = " | ".join(f"{rows[name]['median_ms']:.0f} ms"
                               for name in ("npgpt", COMPILED, PEERS[0]))
            lines.append(f"| {size}, {instructions(result['machine']).split()[0]} | {times} "
                         f"| {timing.spread(rows[COMPILED]['to_fastest_peer'])} |")
    return "\n".join(lines)


def markdown(results: list[dict[str, Any]]) -> str:
    """Records of `npgpt bench step` -> the whole table and its machine."""
    lines = ["| training step | NumPy's instructions | npgpt | compiled | products alone "
             "| README's own loop | torch by hand | `torchgpt.GPT` | transformers "
             "| npgpt / fastest peer | compiled / fastest peer |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for result in results:
        for size, found in result["sizes"].items():
            rows = found["contenders"]
            times = " | ".join(
                f"{rows[name]['median_ms']:.0f} ms" if name in rows else "–"
                for name in ("npgpt", COMPILED, "products", OWN_LOOP, "torchgpt by hand", *PEERS))
            ratios = " | ".join(timing.spread(rows.get(name, {}).get("to_fastest_peer"))
                                for name in ("npgpt", COMPILED))
            lines.append(f"| {size} | {instructions(result['machine'])} | {times} "
                         f"| {ratios} |")
    machine = describe(*(result["machine"] for result in results))
    return "\n".join(lines) + f"\n\n{machine}."
