"""npgpt bench generation: one prompt continued, beside `transformers`' generate."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer

from npgpt.cli import common
from npgpt.errors import InputError

# name -> the model's sizes, what is wanted of it
SIZES: dict[str, tuple[dict[str, int], dict[str, float]]] = {
    "tiny": (
        {"vocab_size": 103, "context_length": 512, "layers": 4, "heads": 4, "channels": 128},
        {"times transformers": 3.5},
    ),
    "gpt2": (
        {"vocab_size": 50257, "context_length": 1024, "layers": 12, "heads": 12, "channels": 768},
        {"times transformers": 1.9, "share of bandwidth": 0.75},
    ),
}
PROMPT = [11, 42, 7, 99, 3, 64, 28, 5]


def generation(
    size: Annotated[str, typer.Option(help="tiny, gpt2 (124 M parameters) or both.")] = "both",
    tokens: Annotated[int, typer.Option(help="Written after the prompt.", min=1, max=500)] = 256,
    rounds: Annotated[int, typer.Option(help="Each is timed so often.", min=1)] = 5,
    as_json: common.AsJson = False,
) -> None:
    """Time the continuation of one prompt beside `transformers`, in turns.

    Random weights, one prompt, a KV cache, the likeliest token each time. The
    weights that a token reads are set against the memory bandwidth of the run.

    \b
    npgpt bench generation --size tiny --rounds 9
    """
    if size not in (*SIZES, "both"):
        raise InputError(f"size is {size!r}: give tiny, gpt2 or both")
    names = [*SIZES] if size == "both" else [size]
    result = {
        "machine": machine(), "tokens": tokens, "rounds": rounds,
        "sizes": {name: measure(name, tokens, rounds) for name in names},
    }
    if as_json:
        common.print_json(result)
    else:
        show(result)


def measure(name: str, tokens: int, rounds: int) -> dict[str, Any]:
    """Every contender once a round, in an order that turns; ratios within a round."""
    import torch
    import transformers
    from threadpoolctl import threadpool_limits

    import torchgpt.generation
    from npgpt.checkpoint import gpt2_name, shapes
    from npgpt.generation import generate
    from npgpt.generation.threads import blas_threads
    from npgpt.model import Config
    from npgpt.tree import leaves, rebuild

    sizes, wanted = SIZES[name]
    config = Config(**sizes)
    threads = blas_threads(config)
    theirs, state = their_model(config, torch, transformers)
    in_torch = rebuild(shapes(config), lambda leaf, _: state[gpt2_name(leaf)].detach())
    params = rebuild(in_torch, lambda _, weight: weight.numpy().copy())  # as when loaded
    prompt = torch.tensor([PROMPT])

    def with_numpy(count: int) -> list[int]:
        with threadpool_limits(threads, user_api="blas"):
            return list(generate(params, config, PROMPT, count, temperature=0))

    def with_torch(count: int) -> list[int]:
        return list(torchgpt.generation.generate(in_torch, config, PROMPT, count, temperature=0))

    def with_transformers(count: int) -> list[int]:
        ids = theirs.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=count,
            do_sample=False, use_cache=True, pad_token_id=0, eos_token_id=None)
        return ids[0, len(PROMPT):].tolist()

    contenders: dict[str, Callable[[int], list[int]]] = {
        "npgpt": with_numpy, "torchgpt, by hand": with_torch, "transformers": with_transformers,
    }
    written = {who: write(min(tokens, 8)) for who, write in contenders.items()}  # warm up
    times: dict[str, list[float]] = {who: [] for who in contenders}
    bandwidths = []
    order = [*contenders]
    for turn in range(rounds):
        bandwidths.append(read_bandwidth())
        for who in order:
            start = time.perf_counter()
            written[who] = contenders[who](tokens)
            times[who].append(1e3 * (time.perf_counter() - start) / tokens)
        order = order[1:] + order[:1]
        print(f"{name}: round {turn + 1} of {rounds}", file=sys.stderr)
    size = sum(weight.nbytes for leaf, weight in leaves(params) if leaf != "positions.weight")
    reached = [size / 1e6 / each for each in times["npgpt"]]  # GB/s
    return {
        "config": sizes, "parameters": sum(weight.size for _, weight in leaves(params)),
        "numpy_blas_threads": threads or os.cpu_count(), "torch_threads": torch.get_num_threads(),
        "milliseconds_a_token": times,
        "times transformers": spread([b / a for a, b in zip(times["npgpt"],
                                                            times["transformers"])]),
        "weights_gb": size / 1e9, "bandwidth_gb_s": spread(bandwidths),
        "reached_gb_s": spread(reached),
        "share of bandwidth": spread([a / b for a, b in zip(reached, bandwidths)]),
        "same_tokens": len({tuple(ids) for ids in written.values()}) == 1,
        "wanted": wanted,
    }


def their_model(config, torch, transformers):
    """transformers' GPT-2 with random weights, and its tensors by name."""
    transformers.logging.set_verbosity_error()
    torch.manual_seed(1)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=config.vocab_size, n_positions=config.context_length,
        n_embd=config.channels, n_layer=config.layers, n_head=config.heads,
        bos_token_id=None, eos_token_id=None)).eval()
    return model, model.state_dict()


def read_bandwidth() -> float:
    """GB/s at which all cores together read 256 MiB; the best of five."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    workers = os.cpu_count() or 1
    parts = np.array_split(np.ones(2**26, np.float32), workers)
    best = float("inf")
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(lambda part: np.dot(part, part), parts))
            best = min(best, time.perf_counter() - start)
    return 2**28 / 1e9 / best


def machine() -> dict[str, Any]:
    """What decides the figures: processor, versions, instruction sets."""
    import numpy as np
    import torch
    import transformers
    from threadpoolctl import threadpool_info

    blas = [info for info in threadpool_info() if info["user_api"] == "blas"]
    return {
        "processor": processor(), "cores": os.cpu_count(),
        "numpy": np.__version__, "torch": torch.__version__,
        "transformers": transformers.__version__,
        "numpy_blas": " and ".join(
            f"{info['internal_api']} {info['version']} for {info.get('architecture', '?')}"
            for info in blas),
        "torch_cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1] for line in file if line.startswith("model name")]
        return names[0].strip()
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def show(result: dict[str, Any]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    about = result["machine"]
    console.print(f"{about['processor']}, {about['cores']} cores; NumPy {about['numpy']} with "
                  f"{about['numpy_blas']}; torch {about['torch']}, {about['torch_cpu_capability']}")
    for name, row in result["sizes"].items():
        config = row["config"]
        console.print(
            f"\n{name}: {row['parameters'] / 1e6:.1f} M parameters, {config['layers']} layers, "
            f"{config['heads']} heads, {config['channels']} channels; {result['tokens']} tokens, "
            f"{result['rounds']} rounds; threads: NumPy {row['numpy_blas_threads']}, "
            f"torch {row['torch_threads']}")
        table = Table(box=SIMPLE_HEAD)
        for head in ("ms a token", "median", "lowest", "highest", "tokens/s"):
            table.add_column(head, justify="right" if head != "ms a token" else "left")
        for who, times in row["milliseconds_a_token"].items():
            middle = statistics.median(times)
            table.add_row(who, f"{middle:.3f}", f"{min(times):.3f}", f"{max(times):.3f}",
                          f"{1e3 / middle:,.0f}")
        console.print(table)
        for title in ("times transformers", "share of bandwidth"):
            each, limit = row[title], row["wanted"].get(title)
            wish = "" if limit is None else f", at least {limit} wanted"
            if title == "times transformers" or limit is not None:
                console.print(f"NumPy reaches {each['median']:.2f} {title} "
                              f"({each['lowest']:.2f} to {each['highest']:.2f}){wish}")
        console.print(
            f"weights read a token: {row['weights_gb']:.3f} GB; memory is read at "
            f"{row['bandwidth_gb_s']['median']:.1f} GB/s; the same tokens: "
            f"{'yes' if row['same_tokens'] else 'NO'}")
