"""The table at the end of a run, as text, JSON and SVG."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from xml.sax.saxutils import escape

from npgpt.checking.components import CASES
from npgpt.files import write_atomically

HERE = Path(__file__).parent
GPU_RECORD = HERE / "gpu.json"
ACCEPTANCE_RECORD = HERE / "acceptance.json"
FUZZ_RECORD = HERE / "fuzz.json"
FUZZED_HERE, FUZZED_PROCESSES = 10_000, 300
NOT_YET = "not yet measured"
HEAD = ("component", "examples", "witnesses", "forward", "backward", "mutants killed")


def tallies_as_plain(tallies, mutants):
    """What a worker hands to the process that prints."""
    return {
        "components": {name: {"examples": tally.examples, "witnesses": sorted(tally.witnesses),
                              "forward": float(tally.forward),
                              "backward": float(tally.backward)}
                       for name, tally in tallies.items()},
        "mutants": {name: dict(killed) for name, killed in mutants.items()}}


def merge(parts):
    """The workers' parts in one."""
    components, mutants = {}, {}
    for part in parts:
        for name, row in part["components"].items():
            whole = components.setdefault(
                name, {"examples": 0, "witnesses": [], "forward": 0.0, "backward": 0.0})
            whole["examples"] += row["examples"]
            whole["witnesses"] = sorted({*whole["witnesses"], *row["witnesses"]})
            for side in ("forward", "backward"):
                whole[side] = max(whole[side], row[side])
        for name, killed in part["mutants"].items():
            mutants.setdefault(name, {}).update(killed)
    return {"components": components, "mutants": mutants}


def merge_fuzzed(parts):
    """The workers' counts of fuzzed inputs, added up."""
    whole = {}
    for part in parts:
        for where, kinds in part.get("fuzzed", {}).items():
            for kind, counts in kinds.items():
                row = whole.setdefault(where, {}).setdefault(kind, dict.fromkeys(counts, 0))
                for outcome, count in counts.items():
                    row[outcome] += count
    return whole


def is_whole_fuzz(fuzzed):
    """True where all were tried; what fails is not counted."""
    counts = {where: sum(sum(row.values()) for row in kinds.values())
              for where, kinds in fuzzed.items()}
    return counts == {"in process": FUZZED_HERE, "as processes": FUZZED_PROCESSES}


def as_fuzz_record(fuzzed, commit):
    """What is kept of the fuzzed inputs: how many gave a right result, how many one line
    and status 2, and where that was found."""
    return {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "commit": commit,
            "versions": {"python": platform.python_version(),
                         **{name: version(name) for name in ("numpy", "torch", "safetensors")}},
            "cores": os.cpu_count(), "failures": 0,
            **{where: dict(sorted(kinds.items())) for where, kinds in sorted(fuzzed.items())}}


def as_record(merged, profile, device, commit):
    """The JSON that is written: figures, and where they come from."""
    order = {name: i for i, name in enumerate(CASES)}
    components = dict(sorted(merged["components"].items(), key=lambda item: order.get(item[0], 99)))
    return {"profile": profile, "device": device, "device_name": device_name(device),
            "date": datetime.now(UTC).strftime("%Y-%m-%d"), "commit": commit,
            "versions": {"python": platform.python_version(),
                         **{name: version(name) for name in ("numpy", "torch", "hypothesis")}},
            "components": components, "mutants": merged["mutants"]}


def as_acceptance(record, stats, seconds):
    """What is kept of a whole acceptance run: how it ended, what the slow
    tests took, and each component's worst error as a ratio of its budget."""
    calls = [test for outcome in ("passed", "failed") for test in stats.get(outcome, [])
             if test.when == "call"]
    return {**{key: record[key] for key in ("profile", "date", "commit", "versions")},
            "cores": os.cpu_count(), "seconds": round(seconds),
            **{outcome: len(stats.get(outcome, []))
               for outcome in ("passed", "failed", "error", "skipped")},
            "slow": {test.nodeid: {"outcome": test.outcome, "seconds": round(test.duration, 1)}
                     for test in calls if "acceptance" in test.keywords},
            "worst": {name: {side: round(row[side], 3) for side in ("forward", "backward")}
                      for name, row in record["components"].items()}}


def device_name(device):
    if str(device).startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    return platform.machine()


def commit():
    """-> "1a2b3c4", "1a2b3c4-dirty" with changes in hand, or "unknown"."""
    try:
        asked = subprocess.run(["git", "describe", "--always", "--dirty", "--exclude", "*"],
                               cwd=HERE, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return asked.stdout.strip() or "unknown"


def rows(record):
    for name, row in record["components"].items():
        killed = record["mutants"].get(name, {})
        of = "" if not killed else f"{sum(killed.values())} of {len(killed)}"
        has_backward = "complex step" in row["witnesses"] or row["backward"]
        yield (name, str(row["examples"]), short(row["witnesses"]), f"{row['forward']:.0%}",
               f"{row['backward']:.0%}" if has_backward else "–", of or "–")


def short(witnesses):
    """numpy, torch, autograd, complex step; and in how few bits."""
    low = {"float32", "bfloat16"}
    full = [name for name in witnesses if name.split()[-1] not in low]
    few = sorted({name.split()[-1] for name in witnesses} & low, reverse=True)
    return ", ".join(full) + (f"; {', '.join(few)}" if few else "")


def gpu_line():
    if not GPU_RECORD.exists():
        return f"on a GPU: {NOT_YET} (pytest --profile gpu)"
    record = json.loads(GPU_RECORD.read_text(encoding="utf-8"))
    worst = max((max(row["forward"], row["backward"])
                 for row in record["components"].values()), default=0.0)
    return (f"on a GPU: {record['device_name']}, {record['date']}, {record['commit']}:"
            f" worst {worst:.0%} of a budget over {len(record['components'])} components")


def table(record):
    """Lines of text: the worst error of each component as a share of its
    budget."""
    cells = [HEAD, *rows(record)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEAD))]
    yield "worst error as a share of its budget, forward and backward"
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
    yield gpu_line()


def svg(record):
    """The same table, with a bar for each ratio."""
    lines = list(rows(record))
    height = 22 * (len(lines) + 3)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {height}" role="img" '
           'font-family="sans-serif" font-size="13" fill="currentColor">',
           "<title>Worst error of each component as a share of its budget</title>"]
    columns = (8, 170, 250, 430, 610)

    def text(x, y, words, weight="normal"):
        out.append(f'<text x="{x}" y="{y}" font-weight="{weight}">{escape(words)}</text>')

    heads = ("component", "examples", "forward", "backward", "mutants killed")
    for x, words in zip(columns, heads):
        text(x, 18, words, "bold")
    for i, (name, examples, _, forward, backward, killed) in enumerate(lines, 2):
        y = 22 * i - 4
        text(columns[0], y, name)
        text(columns[1], y, examples)
        for x, part in ((columns[2], forward), (columns[3], backward)):
            if part.endswith("%"):
                wide = min(float(part[:-1]), 100.0)
                out.append(f'<rect x="{x}" y="{y - 10}" width="100" height="11" '
                           'fill="currentColor" opacity="0.12"/>')
                out.append(f'<rect x="{x}" y="{y - 10}" width="{wide:.0f}" height="11" '
                           'fill="currentColor" opacity="0.6"/>')
            text(x + 108, y, part)
        text(columns[4], y, killed)
    text(columns[0], height - 26, gpu_line())
    text(columns[0], height - 6, f"{record['profile']} profile, {record['date']}, commit"
         f" {record['commit']}, torch {record['versions']['torch']},"
         f" NumPy {record['versions']['numpy']}")
    return "\n".join([*out, "</svg>\n"])


def write(record, directory, name="report"):
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / f"{name}.json", json.dumps(record, indent=1) + "\n")
    write_atomically(directory / f"{name}.svg", svg(record))
