"""One prompt continued token by token, beside `transformers`' generate."""

import os
import statistics
from collections.abc import Callable
from typing import Any

from npgpt.benchmarks import real_model, timing
from npgpt.benchmarks.bandwidth import read_bandwidth
from npgpt.benchmarks.machine import describe, machine
from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError

# name -> the model's sizes, what is wanted of it
SIZES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "tiny": (
        {"vocab_size": 103, "context_length": 512, "layers": 4, "heads": 4, "channels": 128},
        {"times_transformers": 3.5},
    ),
    "gpt2": (
        {"vocab_size": 50257, "context_length": 1024, "layers": 12, "heads": 12, "channels": 768},
        {"times_transformers": 1.9, "share_of_bandwidth": 0.75},
    ),
}
PROMPT = [11, 42, 7, 99, 3, 64, 28, 5]


def measure(
    size: str, tokens: int, rounds: int
) -> tuple[dict[str, Any], dict[str, dict[str, list[float]]]]:
    """The record, and the seconds per token of each contender under a picture's title.
    InputError for a size that is neither in SIZES nor "both"."""
    if size not in (*SIZES, "both"):
        raise InputError(f"size is {size!r}: give tiny, gpt2 or both")
    result: dict[str, Any] = {"bench": "generation", "tokens": tokens, "sizes": {}}
    pictures = {}
    for name in [*SIZES] if size == "both" else [size]:
        result["sizes"][name], times = measure_size(name, tokens, rounds)
        pictures[f"a token, {name}"] = times
    result["machine"] = machine()
    return result, pictures


def measure_size(
    name: str, tokens: int, rounds: int
) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """The record of one size, and the seconds per token of each contender."""
    import torch
    import transformers
    from threadpoolctl import threadpool_limits

    import torchgpt.generation
    import torchgpt.models
    from npgpt.families.gpt2 import Config
    from npgpt.generation import generate
    from npgpt.models import gpt2
    from npgpt.runs.checkpoint import file_name
    from npgpt.speed.blas_threads import blas_threads
    from npgpt.speed.memory_order import by_longer_side
    from npgpt.tree import tree_leaves, tree_map, tree_map_with_path

    sizes, wanted = SIZES[name]
    config = Config(**sizes)
    threads = blas_threads(config)
    theirs, state = their_model(config, torch, transformers)
    in_torch = tree_map_with_path(
        lambda path, _: state[file_name(path, gpt2)].detach(), gpt2.weights(config))
    params = tree_map(lambda weight: weight.numpy().copy(), in_torch)  # as when loaded
    transposed = by_longer_side(params)
    prompt = torch.tensor([PROMPT])

    def with_numpy(count: int, params: dict = params) -> list[int]:
        with threadpool_limits(threads, user_api="blas"):
            return list(generate(gpt2, params, config, PROMPT, count, temperature=0))

    def with_torch(count: int) -> list[int]:
        return list(torchgpt.generation.generate(
            torchgpt.models.gpt2, in_torch, config, PROMPT, count, temperature=0))

    def with_transformers(count: int) -> list[int]:
        ids = theirs.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=count,
            do_sample=False, use_cache=True, pad_token_id=0, eos_token_id=None)
        return ids[0, len(PROMPT):].tolist()

    written: dict[str, list[int]] = {}
    bandwidths: list[float] = []
    contenders: dict[str, Callable[[], Any]] = {
        "npgpt": lambda: written.update(numpy=with_numpy(tokens)),
        "npgpt, longer side": lambda: written.update(transposed=with_numpy(tokens, transposed)),
        "torchgpt, by hand": lambda: written.update(torch=with_torch(tokens)),
        "transformers": lambda: written.update(transformers=with_transformers(tokens)),
        "memory": lambda: bandwidths.append(read_bandwidth()),
    }
    for write in (with_numpy, with_torch, with_transformers):  # warm up
        write(min(tokens, 8))
    seconds = timing.interleave(contenders, rounds, warm=0)
    del seconds["memory"]
    times = {who: [each / tokens for each in row] for who, row in seconds.items()}
    weights = sum(weight.nbytes for path, weight in tree_leaves(params)
                  if path != "positions.weight")
    before = len(PROMPT) + tokens / 2  # tokens in the cache, on the average
    cache = 2 * config.layers * before * config.channels * params["norm"]["weight"].itemsize
    size = (weights + cache) / 1e9
    ideal = [size / bandwidth for bandwidth in bandwidths]  # seconds to read them once
    return {
        "config": sizes, "parameters": sum(weight.size for _, weight in tree_leaves(params)),
        "rounds": rounds, "numpy_blas_threads": threads or os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "contenders": {
            who: {**timing.summary(row), "tokens_per_second": 1 / statistics.median(row),
                  "times_transformers": timing.ratio(times, "transformers", who),
                  "share_of_bandwidth": timing.ratio({**times, "ideal": ideal}, "ideal", who)}
            for who, row in times.items()},
        "read_gb": size, "bandwidth_gb_s": statistics.median(bandwidths),
        "same_tokens": len({tuple(ids) for ids in written.values()}) == 1,
        "wanted": wanted,
    }, times


def their_model(config, torch, transformers):
    """transformers' GPT-2 with random weights, and its tensors by name."""
    transformers.logging.set_verbosity_error()
    torch.manual_seed(1)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=config.vocab_size, n_positions=config.context_length,
        n_embd=config.channels, n_layer=config.layers, n_head=config.heads,
        bos_token_id=None, eos_token_id=None)).eval()
    return model, model.state_dict()


def report(result: dict[str, Any]) -> Report:
    if "model" in result:
        return real_model.report(result)
    lines: Report = [describe(result["machine"])]
    for name, row in result["sizes"].items():
        config = row["config"]
        lines.append(Table(
            ["", "ms", "tokens/s", "times theirs", "of bandwidth"],
            [[who, f"{found['median_ms']:.3f}", f"{found['tokens_per_second']:,.0f}",
              timing.spread(found["times_transformers"]),
              f"{found['share_of_bandwidth']['median']:.2f}"]
             for who, found in row["contenders"].items()],
            f"{name}: {row['parameters'] / 1e6:.1f} M parameters, {config['layers']} layers, "
            f"{config['channels']} channels; {result['tokens']} tokens"))
        lines.append(f"a token reads {row['read_gb']:.3f} GB of weights, keys and values;"
                     f" memory is read at {row['bandwidth_gb_s']:.1f} GB/s")
        wanted = ", ".join(f"{what.replace('_', ' ')} {least}"
                           for what, least in row["wanted"].items())
        lines.append(
            f"wanted: {wanted}; the same tokens: {'yes' if row['same_tokens'] else 'NO'}; "
            f"threads: NumPy {row['numpy_blas_threads']}, torch {row['torch_threads']}\n")
    return lines


def markdown(result: dict[str, Any]) -> str:
    """A record of `npgpt bench generation` -> the table and its machine."""
    if "model" in result:
        return real_model.markdown(result)
    contenders = ("npgpt", "npgpt, longer side", "torchgpt, by hand", "transformers")
    lines = ["| one token after another | npgpt | weights along their longer side | torch by hand "
             "| transformers | times transformers' speed | share of the bandwidth |",
             "|---|---|---|---|---|---|---|"]
    for found in result["sizes"].values():
        rows = found["contenders"]
        best = min(contenders[:2], key=lambda name: rows[name]["median_ms"])
        times = " | ".join(f"{rows[name]['median_ms']:.2f} ms" for name in contenders)
        lines.append(f"| {found['parameters'] / 1e6:.1f} M parameters | {times} "
                     f"| {timing.spread(rows[best]['times_transformers'])} "
                     f"| {rows[best]['share_of_bandwidth']['median']:.2f} |")
    return "\n".join(lines) + "\n\n" + describe(result["machine"]) + "."
