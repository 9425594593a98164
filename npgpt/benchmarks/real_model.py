"""A model out of a file, one stream of text: beside `transformers`' generate."""

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from npgpt.benchmarks import timing
from npgpt.benchmarks.bandwidth import read_bandwidth
from npgpt.benchmarks.machine import describe, machine
from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError

WANTED = {"times_transformers": 2.0, "share_of_bandwidth": 0.6, "first_token": 1.0,
          "ready_s": 5.0}
TEXT = ("A language model reads a text from left to right and says, for each place, which"
        " word is likely to come next. To write, it draws one of them and reads on. ")
SHORT, LONG = 8, 200  # tokens of the two prompts


def measure(
    model: str, tokens: int, rounds: int
) -> tuple[dict[str, Any], dict[str, dict[str, list[float]]]]:
    """The record, and each contender's seconds under a picture's title. InputError for
    a model that is not here, or one without tokenizer."""
    import torch
    import transformers
    from threadpoolctl import threadpool_limits

    import torchgpt.generation
    import torchgpt.models
    from npgpt.generation import Engine, SamplingSettings, generate
    from npgpt.models import BY_TYPE
    from npgpt.runs.checkpoint import load_checkpoint
    from npgpt.speed import tune_allocator
    from npgpt.speed.blas_threads import blas_threads
    from npgpt.tree import tree_leaves
    from torchgpt import to_torch

    found = load_checkpoint(model, as_stored=True)
    if found.tokenizer is None:
        raise InputError(f"{found.path} has no tokenizer: the prompts are text")
    tune_allocator()  # as `npgpt sample` does
    config, name = found.config, found.family.FILES["model_type"]
    params = Engine(BY_TYPE[name], found.params, config).params_for(
        True, SamplingSettings(tokens))
    in_torch, threads = to_torch(found.params), blas_threads(config)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        found.path, dtype=torch.float32).eval()
    ids = found.tokenizer.encode(TEXT * LONG)[:LONG]

    def with_numpy(prompt: list[int], count: int) -> list[int]:
        with threadpool_limits(threads, user_api="blas"):
            return list(generate(BY_TYPE[name], params, config, prompt, count, temperature=0))

    def with_torch(prompt: list[int], count: int) -> list[int]:
        return list(torchgpt.generation.generate(
            torchgpt.models.BY_TYPE[name], in_torch, config, prompt, count, temperature=0))

    def with_transformers(prompt: list[int], count: int) -> list[int]:
        row = torch.tensor([prompt])
        written = theirs.generate(
            row, attention_mask=torch.ones_like(row), max_new_tokens=count, do_sample=False,
            use_cache=True, pad_token_id=0, eos_token_id=None)
        return written[0, len(prompt):].tolist()

    writers = {"npgpt": with_numpy, "torchgpt, by hand": with_torch,
               "transformers": with_transformers}
    written: dict[tuple[str, int], list[int]] = {}
    bandwidths: list[float] = []

    def contender(who: str, prompt: list[int], count: int) -> Callable[[], Any]:
        return lambda: written.update({(who, len(prompt)): writers[who](prompt, count)})

    contenders = {f"{who}: {what}": contender(who, prompt, count) for who in writers
                  for what, prompt, count in (("stream", ids[:SHORT], tokens), ("first", ids, 1))}
    for write in writers.values():  # warm up
        write(ids, 2)
    seconds = timing.interleave(
        {**contenders, "memory": lambda: bandwidths.append(read_bandwidth())}, rounds, warm=0)
    streams = {who: [each / tokens for each in seconds[f"{who}: stream"]] for who in writers}
    firsts = {who: seconds[f"{who}: first"] for who in writers}
    size = bytes_read(BY_TYPE[name], params, config, SHORT + tokens / 2) / 1e9
    ideal = [size / bandwidth for bandwidth in bandwidths]  # seconds to read them once
    ready = [seconds_until_ready(found.path) for _ in range(3)]
    result = {
        "bench": "generation", "model": Path(model).name, "tokens": tokens, "rounds": rounds,
        "parameters": sum(weight.size for _, weight in tree_leaves(params)),
        "numpy_blas_threads": threads or os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "contenders": {
            who: {**timing.summary(row), "tokens_per_second": 1 / statistics.median(row),
                  "times_transformers": timing.ratio(streams, "transformers", who),
                  "share_of_bandwidth": timing.ratio({**streams, "ideal": ideal}, "ideal", who),
                  "first_token": {**timing.summary(firsts[who]),
                                  "of_transformers": timing.ratio(firsts, who, "transformers")}}
            for who, row in streams.items()},
        "prompt": LONG, "read_gb": size, "bandwidth_gb_s": statistics.median(bandwidths),
        "ready_s": {"median": statistics.median(ready), "least": min(ready), "most": max(ready)},
        "same_tokens": all(written[who, length] == written["npgpt", length]
                           for who, length in written),
        "wanted": WANTED, "machine": machine(),
    }
    return result, {f"a token, {result['model']}": streams,
                    f"first token after {LONG}, {result['model']}": firsts}


def bytes_read(model: Any, params: dict, config: Any, before: float) -> float:
    """What a token reads: the weights, without tables of which it needs a row, and the keys
    and values of the tokens before it."""
    from npgpt.tree import tree_leaves

    tables = {"positions.weight"} | ({"tokens.weight"} if "head" in params else set())
    weights = sum(weight.nbytes for path, weight in tree_leaves(params) if path not in tables)
    stored = sum(math.prod(shape) for block in model.cache_shapes(config, 1)["blocks"]
                 for shape in block.values())
    size = params["norm"]["weight"].itemsize
    return weights + stored * size * before / config.context_length


def seconds_until_ready(path: Path) -> float:
    """From the command to the first token of an answer, in a process of its own."""
    line = [sys.executable, "-m", "npgpt", "sample", str(path), "--prompt",
            "The capital of France is", "--tokens", "1", "--temperature", "0"]
    start = time.perf_counter()
    subprocess.run(line, check=True, capture_output=True)
    return time.perf_counter() - start


def report(result: dict[str, Any]) -> Report:
    rows = [[who, f"{found['median_ms']:.2f}", f"{found['tokens_per_second']:,.1f}",
             timing.spread(found["times_transformers"]),
             f"{found['share_of_bandwidth']['median']:.2f}",
             f"{found['first_token']['median_ms']:.0f}",
             timing.spread(found["first_token"]["of_transformers"])]
            for who, found in result["contenders"].items()]
    ready = result["ready_s"]
    wanted = ", ".join(f"{what.replace('_', ' ')} {value}"
                       for what, value in result["wanted"].items())
    return [
        describe(result["machine"]),
        Table(["", "ms", "tokens/s", "times theirs", "of bandwidth", "first ms", "of theirs"],
              rows, f"{result['model']}: {result['parameters'] / 1e6:.1f} M parameters;"
              f" {result['tokens']} tokens, and the first after a prompt of {result['prompt']}"),
        f"a token reads {result['read_gb']:.3f} GB of weights, keys and values;"
        f" memory is read at {result['bandwidth_gb_s']:.1f} GB/s",
        f"from the command to the first token: {ready['median']:.1f} s"
        f" ({ready['least']:.1f}–{ready['most']:.1f})",
        f"wanted: {wanted}; the same tokens: {'yes' if result['same_tokens'] else 'NO'};"
        f" threads: NumPy {result['numpy_blas_threads']}, torch {result['torch_threads']}\n"]


def markdown(result: dict[str, Any]) -> str:
    """A record of `npgpt bench generation --model` -> the table and its machine."""
    lines = [f"| {result['model']}, {result['parameters'] / 1e6:.1f} M parameters | a token |"
             " tokens a second | times transformers' speed | share of the bandwidth |"
             f" first token of {result['prompt']} | of transformers' time |",
             "|---|---|---|---|---|---|---|"]
    for who, found in result["contenders"].items():
        first = found["first_token"]
        lines.append(f"| {who} | {found['median_ms']:.1f} ms | {found['tokens_per_second']:.1f}"
                     f" | {timing.spread(found['times_transformers'])}"
                     f" | {found['share_of_bandwidth']['median']:.2f}"
                     f" | {first['median_ms']:.0f} ms"
                     f" | {timing.spread(first['of_transformers'])} |")
    return ("\n".join(lines) + "\n\n" + describe(result["machine"]) + "; from the command to the"
            f" first token of an answer: {result['ready_s']['median']:.1f} s.")
