"""npgpt inspect: what a checkpoint is made of, and where its heads look."""

import io
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.cli import options
from npgpt.cli.output import check_file, print_json
from npgpt.errors import InputError

BINS = 17  # of the histogram, from -4 to 4 standard deviations and beyond
BLUE = ("#f6f9fc", "#9fc3e6", "#2f6db3", "#10294a")


def inspect(
    run: options.RunPath,
    tensors: Annotated[
        bool, typer.Option("--tensors", help="A line for each tensor, not each block.")
    ] = False,
    token: Annotated[
        str | None, typer.Option(help="Show the tokens nearest to this one.", metavar="TEXT")
    ] = None,
    id: Annotated[int | None, typer.Option("--id", help="The same, by id.", metavar="N")] = None,
    neighbours: Annotated[int, typer.Option(help="How many.", min=1, metavar="N")] = 10,
    text: Annotated[
        str | None, typer.Option(help="Draw where each head looks in it.", metavar="TEXT")
    ] = None,
    picture: Annotated[
        Path, typer.Option(help="File of that drawing.", metavar="FILE")
    ] = Path("attention.png"),
    as_json: options.AsJson = False,
) -> None:
    """Show a checkpoint's weights, a token's neighbours, the heads' attention.

    \b
    npgpt inspect runs/one --token "e" --text "The cat sat."
    """
    from npgpt.runs.checkpoint import load_checkpoint

    if text is not None:
        check_file(picture, ".png")
    checkpoint = load_checkpoint(run)
    near = wanted_token(checkpoint, token, id)
    ids = None if text is None else text_ids(checkpoint, text)
    facts: dict[str, Any] = {
        "config": vars(checkpoint.config),
        **weights(checkpoint.params, tensors),
    }
    if near is not None:
        facts["token"] = {"id": near, "text": shown(checkpoint, near)}
        facts["neighbours"] = [
            {"id": other, "text": shown(checkpoint, other), "cosine": cosine}
            for other, cosine in nearest(checkpoint.params["tokens"]["weight"], near, neighbours)
        ]
    if ids is not None:
        draw_attention(checkpoint, ids, picture)
        facts["picture"] = str(picture)
    if as_json:
        print_json(facts)
    else:
        show(checkpoint, facts)


# weights


def weights(params: dict, tensors: bool = False) -> dict[str, Any]:
    """Count, norm, root mean square and largest weight of each part; a histogram."""
    import numpy as np

    from npgpt.tree import tree_leaves

    parts: dict[str, list] = {}
    for name, weight in tree_leaves(params):
        part = name if tensors else name.removesuffix(".weight").removesuffix(".bias")
        if part.startswith("blocks.") and not tensors:
            part = ".".join(part.split(".")[:2])
        parts.setdefault(part, []).append(weight)
    rows = []
    for part, arrays in parts.items():
        count = sum(array.size for array in arrays)
        square = sum(float(np.vdot(array, array)) for array in arrays)
        rows.append({
            "name": part, "parameters": count, "norm": math.sqrt(square),
            "rms": math.sqrt(square / count),
            "largest": max(float(np.abs(array).max()) for array in arrays),
            "not_finite": sum(int((~np.isfinite(array)).sum()) for array in arrays),
        })
    total = sum(row["parameters"] for row in rows)
    matrices = [array for arrays in parts.values() for array in arrays if array.ndim == 2]
    return {"parameters": total, "parts": rows, "histogram": histogram(matrices)}


def histogram(arrays: list) -> dict[str, list]:
    """Edges, and how many weights lie between them; the outer bins take all beyond."""
    import numpy as np

    count = sum(array.size for array in arrays)
    mean = sum(float(array.sum(dtype=np.float64)) for array in arrays) / count
    square = sum(float(np.vdot(array, array)) for array in arrays) / count
    reach = 4 * math.sqrt(max(square - mean * mean, 0)) or 1.0
    if not math.isfinite(reach):
        return {"edges": [], "counts": []}
    edges = np.linspace(mean - reach, mean + reach, BINS + 1)
    counts = np.zeros(BINS, np.int64)
    for array in arrays:
        counts += np.histogram(np.clip(array, edges[0], edges[-1]), edges)[0]
    return {"edges": edges.tolist(), "counts": counts.tolist()}


# neighbours


def nearest(weight, id: int, count: int) -> list[tuple[int, float]]:
    """The `count` other rows that point most nearly where row `id` does, and their cosines."""
    import numpy as np

    lengths = np.linalg.norm(weight, axis=1)
    lengths[lengths == 0] = 1
    cosines = (weight @ weight[id]) / (lengths * lengths[id])
    order = [int(other) for other in np.argsort(-cosines, kind="stable") if other != id]
    return [(other, float(cosines[other])) for other in order[:count]]


def wanted_token(checkpoint: Any, token: str | None, id: int | None) -> int | None:
    if token is not None and id is not None:
        raise InputError("give --token or --id, not both")
    if token is not None:
        ids = text_ids(checkpoint, token)
        if len(ids) > 1:
            pieces = " ".join(f"{shown(checkpoint, each)} ({each})" for each in ids[:8])
            raise InputError(f"{token!r} is several tokens: {pieces}; give one of them with --id")
        return ids[0]
    if id is not None and not 0 <= id < checkpoint.config.vocab_size:
        raise InputError(
            f"id {id} is out of range: this model knows ids 0 to"
            f" {checkpoint.config.vocab_size - 1}")
    return id


def text_ids(checkpoint: Any, text: str) -> list[int]:
    if checkpoint.tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer: its texts cannot be read")
    ids = checkpoint.tokenizer.encode(text)
    N = checkpoint.config.context_length
    if not ids:
        raise InputError("the text is empty: give at least one character")
    if len(ids) > N:
        raise InputError(
            f"the text has {len(ids)} tokens, but the model sees {N} at once: give a shorter one")
    return ids


def shown(checkpoint: Any, id: int) -> str:
    """A token as it can be read: a blank as ␣, a line end as ↵."""
    if checkpoint.tokenizer is None:
        return str(id)
    text = checkpoint.tokenizer.decode([id])
    return text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥") or "∅"


# attention


def attention_maps(model: Any, params: dict, ids: list[int], config: Any) -> list:
    """Each block's probabilities (H, T, T): row t shows where token t looks."""
    import numpy as np

    from npgpt.layers import attention
    from npgpt.layers.blockwise_attention import blockwise_attention
    from npgpt.replacing import replaced

    maps = []

    def watched(q, k, v, mask=None, causal=False, dropout_mask=None):
        y, saved = attention(q, k, v, mask, causal, dropout_mask)   # in one block
        maps.append(saved[3][0])
        return y, saved

    with replaced("npgpt", [(blockwise_attention, watched)]):
        model.forward(params, np.array([ids]), config)
    return maps


def draw_attention(checkpoint: Any, ids: list[int], file: Path) -> None:
    """A PNG: a row of panels a layer, a panel a head; a query's row is darkest where it looks."""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm
    from matplotlib.figure import Figure

    from npgpt.files import write_atomically
    from npgpt.models import BY_TYPE
    from npgpt.runs.curves import INK

    model = BY_TYPE[checkpoint.family.FILES["model_type"]]
    maps = attention_maps(model, checkpoint.params, ids, checkpoint.config)
    labels = [shown(checkpoint, id) for id in ids]
    T, layers, heads = len(ids), len(maps), len(maps[0])
    side = min(max(1.3, 0.17 * T), 3.2) if T <= 40 else 2.2
    side = min(side, 40 / heads)
    figure = Figure(figsize=(side * heads + 1.9, side * layers + 0.9), dpi=110)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.05)
    axes = figure.subplots(layers, heads, squeeze=False)
    blue = LinearSegmentedColormap.from_list("blue", BLUE)
    size = min(8.5, 72 * side / T * 0.62)
    for layer, row in enumerate(axes):
        for head, axis in enumerate(row):
            image = axis.imshow(maps[layer][head], cmap=blue, norm=PowerNorm(0.5, 0, 1))
            axis.set_xticks([])
            axis.set_yticks([])
            for spine in axis.spines.values():
                spine.set_color("#d5dbe0")
            if layer == 0:
                axis.set_title(f"head {head}", fontsize=9, color=INK)
            if head == 0:
                axis.set_ylabel(f"layer {layer}", fontsize=9, color=INK)
            if head == 0 and size >= 4:
                axis.set_yticks(range(T), labels, fontsize=size, color=INK, parse_math=False)
            if layer == layers - 1 and size >= 4:
                axis.set_xticks(range(T), labels, fontsize=size, color=INK, parse_math=False,
                                rotation=90 if max(map(len, labels)) > 1 else 0)
            axis.tick_params(length=0, pad=2)
    bar = figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01, aspect=30)
    bar.set_label("share of attention, from row to column", fontsize=8.5, color=INK)
    bar.set_ticks([0, 0.01, 0.05, 0.1, 0.25, 0.5, 1])
    bar.ax.tick_params(labelsize=8, colors=INK, length=0)
    bar.outline.set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(file, buffer.getvalue())


# what is printed


def show(checkpoint: Any, facts: dict[str, Any]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    config = checkpoint.config
    console.print(
        f"{checkpoint.path}: {facts['parameters']:,} parameters; {config.layers} layers, "
        f"{config.heads} heads, {config.channels} channels, context {config.context_length}, "
        f"vocabulary {config.vocab_size:,}, {'tied' if config.tied else 'untied'}")
    table = Table(box=SIMPLE_HEAD)
    table.add_column("part")
    for head in ("parameters", "share", "norm", "rms", "largest"):
        table.add_column(head, justify="right")
    for row in facts["parts"]:
        table.add_row(row["name"], f"{row['parameters']:,}",
                      f"{row['parameters'] / facts['parameters']:.1%}", f"{row['norm']:.2f}",
                      f"{row['rms']:.4f}", f"{row['largest']:.3f}")
    console.print(table)
    for row in facts["parts"]:
        if row["not_finite"]:
            console.print(f"{row['name']} holds {row['not_finite']:,} values that are no numbers")
    edges, counts = facts["histogram"]["edges"], facts["histogram"]["counts"]
    console.print("the matrices' weights:")
    for i, count in enumerate(counts):
        bar = "█" * round(40 * count / max(counts)) or ("▏" if count else "")
        console.print(f"{(edges[i] + edges[i + 1]) / 2:8.4f} {count / sum(counts):6.1%} {bar}")
    if "token" in facts:
        console.print(f"\nnearest to {facts['token']['text']} (id {facts['token']['id']}):")
        for row in facts["neighbours"]:
            console.print(f"  {row['cosine']:6.3f}  {row['text']}  (id {row['id']})")
    if "picture" in facts:
        console.print(f"\npicture: {facts['picture']}")
