"""What `npgpt prepare` did, for a reader: report.md, report.json and two pictures."""

import json
from pathlib import Path
from typing import Any

from npgpt.text.prepare.personal import NOT_FOUND
from npgpt.text.prepare.settings import KINDS


def write(folder: Path, manifest: dict[str, Any], figures: dict[str, Any]) -> None:
    """report.json, report.md, lengths.png and vocabulary.png, in a folder that is there."""
    (folder / "report.json").write_text(
        json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    (folder / "report.md").write_text(_markdown(manifest, figures), encoding="utf-8", newline="\n")
    _draw(folder, figures)


def _markdown(manifest: dict[str, Any], figures: dict[str, Any]) -> str:
    documents = manifest["documents"]
    lines = [
        f"# {_cell(manifest['source'])}",
        "",
        f"From {_cell(manifest['origin'])}. Licence: {_cell(manifest['licence'])}.",
        "",
        "| documents | |",
        "|---|--:|",
        f"| read | {documents['seen']:,} |",
        *(f"| dropped: {reason} | {count:,} |" for reason, count in documents["dropped"].items()),
        f"| kept | {documents['kept']:,} |",
        "",
        "| | documents | characters | bytes | tokens | bytes a token | chunks |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name in ("train", "validation"):
        side = manifest[name]
        lines.append(
            f"| {name} | {side['documents']:,} | {side['characters']:,} | {side['bytes']:,} | "
            f"{side['tokens']:,} | {side['bytes_per_token']:.3f} | {side['chunks']:,} |"
        )
    tokenizer = manifest["tokenizer"]
    lines += [
        "",
        f"Tokenizer: {tokenizer['kind']}, {tokenizer['vocab_size']:,} entries.",
        "",
        *_masked(manifest, figures),
        "",
        "Letters: "
        + (", ".join(f"{n:,} {script}" for script, n in figures["letters"].items()) or "none")
        + ", duplicates counted.",
        "",
        "![Lengths of the documents](lengths.png)",
        "",
        "![Distinct words against words read](vocabulary.png)",
    ]
    if figures["examples"]:
        lines += ["", "## Why documents were dropped"]
    for reason, examples in figures["examples"].items():
        lines += ["", f"**{reason}** ({documents['dropped'][reason]:,})", ""]
        for example in examples:
            line = f"- {_cell(example['source'])}, from {example['start']:,}"
            if example["begins"]:
                line += f": {_cell(example['begins'])}"
            if "like" in example:
                line += f" (like {_cell(example['like'])})"
            lines.append(line)
    return "\n".join(lines) + "\n"


def _masked(manifest: dict[str, Any], figures: dict[str, Any]) -> list[str]:
    settings = manifest["settings"]
    if not settings["mask"]:
        return ["Personal data was not masked."]
    counts = ", ".join(f"{n:,} × {kind}" for kind, n in manifest["masked"].items()) or "none"
    lines = [f"Personal data masked: {counts}. Not looked for, or not found: {NOT_FOUND}."]
    for kind, examples in figures["masked_examples"].items():
        lines += ["", f"The first masked as {kind}, shortened:", ""]
        lines += [f"- {_cell(example)}" for example in examples]
    unmasked = [kind for kind in KINDS if kind not in settings["kinds"]]
    return [*lines, *(["", f"Left as it is: {', '.join(unmasked)}."] if unmasked else [])]


def _cell(text: str) -> str:
    """Text that Markdown shows as it is."""
    for character in "\\`*_[]<>|#":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")


def _draw(folder: Path, figures: dict[str, Any]) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    bins = [(i, count) for i, count in enumerate(figures["lengths"]) if count]
    first, last = bins[0][0], bins[-1][0]
    positions = range(first, last + 1)
    axes.bar(positions, figures["lengths"][first : last + 1], width=0.9, align="edge")
    marks = [i for i in positions if i % 2 == 0] or [first]
    axes.set_xticks(marks, [f"{2 ** (mark / 2):,.0f}" for mark in marks], rotation=45)
    axes.set_xlabel("characters")
    axes.set_ylabel("documents kept")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.savefig(folder / "lengths.png", dpi=100, metadata={"Software": None})

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*figures["vocabulary"]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axis.set_major_formatter("{x:,.0f}")
    axes.tick_params("x", rotation=20)
    axes.set_xlabel("words read, near and exact duplicates counted")
    axes.set_ylabel("distinct words")
    figure.savefig(folder / "vocabulary.png", dpi=100, metadata={"Software": None})
