"""npgpt adapter: LoRA adapters, listed, looked into, and merged into their model."""

from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.cli.options import AsJson
from npgpt.cli.output import print_json
from npgpt.cli.tables import print_table
from npgpt.errors import InputError

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List LoRA adapters, look into one, merge some into their model.\n\n"
    "\b\nnpgpt adapter list runs\nnpgpt chat smollm2 --adapter runs/mine",
)
Model = Annotated[str, typer.Argument(
    metavar="MODEL", help="Run directory or model that they were trained on.")]


@app.command("list")
def list_adapters(
    where: Annotated[Path, typer.Argument(
        metavar="DIR", help="Directory to look in, two levels deep.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """List the adapters in a directory.

    \b
    npgpt adapter list runs
    """
    from npgpt.runs.adapters.with_adapters import adapters_below

    rows = [about(path) for path in adapters_below(where)]
    if as_json:
        print_json({"adapters": rows})
    elif not rows:
        print(f"no adapters in {where}")
    else:
        print_table(["adapter", "base", "rank", "alpha", "layers", "parameters"], [
            [row["path"], row["base"] or "–", str(row["rank"]), scale_of(row),
             ", ".join(row["targets"]) or row["error"], f"{row['parameters']:,}"]
            for row in rows])


def about(path: Path) -> dict[str, Any]:
    """What an adapter says of itself, or why it cannot be read."""
    from npgpt.runs.adapters.adapter import WEIGHTS
    from npgpt.runs.adapters.read import read_adapter_config
    from npgpt.runs.checkpoint.tensors import tensors_in

    row: dict[str, Any] = {"path": str(path), "base": None, "rank": 0, "alpha": 0.0,
                           "rslora": False, "targets": [], "parameters": 0, "error": None}
    try:
        found = read_adapter_config(path)
        tensors = tensors_in(path / WEIGHTS)
    except InputError as error:
        return {**row, "error": str(error)}
    targets = sorted({stored.name.rpartition(".lora_")[0].rpartition(".")[2]
                      for stored in tensors})
    sizes = sum(stored.shape[0] * stored.shape[-1] for stored in tensors if stored.shape)
    return {**row, "base": found.base, "rank": found.rank, "alpha": found.lora_alpha,
            "rslora": found.rslora, "targets": targets, "parameters": sizes}


def scale_of(row: dict[str, Any]) -> str:
    return f"{row['alpha']:g}" + " (rsLoRA)" * row["rslora"]


@app.command()
def inspect(
    model: Model,
    adapter: Annotated[Path, typer.Argument(metavar="ADAPTER", help="Directory of the adapter.")],
    as_json: AsJson = False,
) -> None:
    """Show an adapter's layers: how far each moves its weight.

    \b
    npgpt adapter inspect smollm2 runs/mine
    """
    from npgpt.runs.adapters import load_adapter
    from npgpt.runs.adapters.with_adapters import layer_sizes
    from npgpt.runs.checkpoint import load_checkpoint

    base = load_checkpoint(model, as_stored=True)
    found = load_adapter(adapter, base.params, base.config, base.family)
    rows = layer_sizes(found, base.params)
    facts = {"rank": found.rank, "alpha": found.lora_alpha, "rslora": found.rslora,
             "dropout": found.dropout, "base": found.base, "parameters": found.parameters}
    if as_json:
        print_json({**facts, "layers": rows})
        return
    print(f"{adapter}: rank {found.rank}, alpha {scale_of(facts)}, {found.parameters:,} parameters"
          f" in {len(rows)} layers; base {found.base or 'not named'}")
    print_table(["layer", "shape", "update's norm", "weight's norm", "ratio"], [
        [row["layer"], f"{row['inputs']} × {row['outputs']}", f"{row['update_norm']:.4f}",
         f"{row['weight_norm']:.2f}", f"{row['ratio']:.2%}"] for row in rows])


@app.command()
def merge(
    model: Model,
    adapters: Annotated[list[str], typer.Argument(
        metavar="ADAPTER...", help="Directories of adapters; their updates add up.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of the new model.",
                                      metavar="DIR", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Write a model with adapters added to its weights.

    \b
    npgpt adapter merge smollm2 runs/mine --out runs/merged
    npgpt chat runs/merged
    """
    from npgpt.runs.adapters.with_adapters import load_with_adapters, save_merged

    save_merged(load_with_adapters(model, adapters), out)
    if as_json:
        print_json({"out": str(out), "model": model, "adapters": adapters})
    else:
        print(f"{out}: {model} with {', '.join(adapters)}")
