"""npgpt inspect: what a checkpoint is made of, and what its heads attend to."""

from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.cli.options import AsJson, RunPath
from npgpt.cli.output import check_file, print_json
from npgpt.cli.tables import print_table
from npgpt.errors import InputError


def inspect(
    run: RunPath,
    tensors: Annotated[
        bool, typer.Option("--tensors", help="One row per tensor instead of per block.")
    ] = False,
    token: Annotated[
        str | None, typer.Option(help="List the tokens nearest to this one.", metavar="TEXT")
    ] = None,
    id: Annotated[
        int | None, typer.Option("--id", help="The same for a token id.", metavar="N")
    ] = None,
    neighbours: Annotated[
        int, typer.Option(help="Number of nearest tokens to list.", min=1, metavar="N")
    ] = 10,
    text: Annotated[
        str | None, typer.Option(help="Draw each head's attention on this text.", metavar="TEXT")
    ] = None,
    picture: Annotated[
        Path, typer.Option(help="File for that drawing.", metavar="FILE.png")
    ] = Path("attention.png"),
    as_json: AsJson = False,
) -> None:
    """Show a checkpoint's weights, a token's neighbours, the heads' attention.

    \b
    npgpt inspect runs/one --token "e" --text "The cat sat."
    """
    from npgpt.runs.checkpoint import load_checkpoint
    from npgpt.runs.inspection import (
        nearest,
        printable,
        text_ids,
        wanted_token,
        weights,
        with_space,
    )

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
        facts["token"] = {"id": near, "text": printable(checkpoint, near)}
        if (spaced := with_space(checkpoint, token)) is not None:
            facts["token"]["with_space"] = spaced
        facts["neighbours"] = [
            {"id": other, "text": printable(checkpoint, other), "cosine": cosine}
            for other, cosine in nearest(checkpoint.params["tokens"]["weight"], near, neighbours)
        ]
    if ids is not None:
        draw(checkpoint, ids, picture)
        facts["picture"] = str(picture)
    if as_json:
        print_json(facts)
    else:
        show(checkpoint, facts)


def draw(checkpoint: Any, ids: list[int], picture: Path) -> None:
    from npgpt.checking.attention_maps import attention_maps
    from npgpt.models import BY_TYPE
    from npgpt.runs import inspection
    from npgpt.runs.attention_picture import draw_attention

    model = BY_TYPE[checkpoint.family.FILES["model_type"]]
    maps = attention_maps(model, checkpoint.params, ids, checkpoint.config)
    if not maps:
        raise InputError("this model has no attention to draw: leave out --text")
    draw_attention(maps, [inspection.printable(checkpoint, id) for id in ids], picture)


def show(checkpoint: Any, facts: dict[str, Any]) -> None:
    config = checkpoint.config
    sizes = [f"{getattr(config, name)} {name}" for name in ("layers", "heads", "channels")
             if hasattr(config, name)]
    if getattr(config, "kv_heads", None) not in (None, getattr(config, "heads", None)):
        sizes[1] += f" ({config.kv_heads} of keys and values)"
    if config.context_length is not None:
        sizes.append(f"context {config.context_length}")
    sizes.append(f"vocabulary {config.vocab_size:,}")
    if hasattr(config, "tied"):
        sizes.append("tied" if config.tied else "untied")
    print(f"{checkpoint.path}: {facts['parameters']:,} parameters; {', '.join(sizes)}")
    print_table(
        ["part", "parameters", "share", "norm", "rms", "largest"],
        [[row["name"], f"{row['parameters']:,}", f"{row['parameters'] / facts['parameters']:.1%}",
          f"{row['norm']:.2f}", f"{row['rms']:.4f}", f"{row['largest']:.3f}"]
         for row in facts["parts"]])
    for row in facts["parts"]:
        if row["not_finite"]:
            print(f"{row['name']} has {row['not_finite']:,} values that are not finite")
    edges, counts = facts["histogram"]["edges"], facts["histogram"]["counts"]
    print("histogram of the matrices' weights:")
    for i, count in enumerate(counts):
        bar = "█" * round(40 * count / max(counts)) or ("▏" if count else "")
        print(f"{(edges[i] + edges[i + 1]) / 2:8.4f} {count / sum(counts):6.1%} {bar}")
    if "token" in facts:
        print(f"\nnearest to {facts['token']['text']} (id {facts['token']['id']}):")
        for row in facts["neighbours"]:
            print(f"  {row['cosine']:6.3f}  {row['text']}  (id {row['id']})")
        if "with_space" in facts["token"]:
            print(f"with a space before it, as within a text: id {facts['token']['with_space']}")
    if "picture" in facts:
        print(f"\npicture: {facts['picture']}")
