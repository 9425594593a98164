"""npgpt tokenizer show and compare: look at a tokenizer's pieces, compare several."""

from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli.options import AsJson
from npgpt.cli.output import check_file, print_json
from npgpt.cli.tables import print_table
from npgpt.cli.tokenizer_input import (
    AllowSpecial,
    CorpusName,
    GivenText,
    TokenizerPath,
    encode_given,
)
from npgpt.text import load_corpus, load_tokenizer
from npgpt.text.tokenizers.colours import html_page, pieces
from npgpt.text.tokenizers.comparison import measure_tokenizer
from npgpt.text.tokenizers.tokenizer_json import save_text

BACKGROUNDS = ("cyan", "yellow", "green", "magenta", "white")  # every terminal has these


def show(
    tokenizer: TokenizerPath,
    text: GivenText = None,
    allow: AllowSpecial = None,
    html: Annotated[Path | None, typer.Option(
        help="Write the colours to this page as well.", metavar="FILE.html")] = None,
    as_json: AsJson = False,
) -> None:
    """Print a text with each token in a colour.

    \b
    npgpt tokenizer show tokenizer.json "strawberries" --html strip.html
    """
    check_file(html, ".html")
    loaded = load_tokenizer(tokenizer)
    ids = encode_given(loaded, text, allow)
    size = len(loaded.decode_bytes(ids))
    if html:
        save_text(html, html_page(loaded, ids))
    found = pieces(loaded, ids)
    if as_json:
        listed = [{"id": id, "text": piece} for id, piece in found]
        print_json({"pieces": listed, "bytes": size})
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    strip = Text()
    for i, (_, piece) in enumerate(found):
        if console.color_system is None and i:
            strip.append("|")  # no colours to tell them apart
        strip.append(piece, style=f"black on {BACKGROUNDS[i % len(BACKGROUNDS)]}")
        if piece.endswith("\\n"):
            strip.append("\n")
    console.print(strip, soft_wrap=True)
    print(f"{len(ids)} tokens, {size} bytes, {size / max(len(ids), 1):.2f} bytes per token")


def compare(
    tokenizers: Annotated[list[Path], typer.Argument(
        metavar="TOKENIZER", help="Each a tokenizer.json, or a directory with one.")],
    corpus: CorpusName = "python-docs",
    as_json: AsJson = False,
) -> None:
    """Compare the bytes per token and the speed of several tokenizers on one text.

    \b
    npgpt tokenizer compare small.json large.json --corpus stories
    """
    text = load_corpus(corpus).text
    size = len(text.encode("utf-8"))
    rows = [measure_tokenizer(path, load_tokenizer(path), text) for path in tokenizers]
    if as_json:
        print_json({"corpus": corpus, "bytes": size, "tokenizers": rows})
        return
    print(f"{corpus}: {size:,} bytes; speeds in MB/s")
    cells = []
    for row in rows:
        cells.append([row["file"], row["kind"], f"{row['vocab_size']:,}"])
        if "problem" not in row:
            cells[-1] += [f"{row['tokens']:,}", f"{row['bytes_a_token']:.2f}",
                          f"{row['encode_mb_s']:.1f}", f"{row['decode_mb_s']:.1f}"]
    print_table(
        ["tokenizer", "kind", "entries", "tokens", "bytes/token", "encode", "decode"], cells,
        left=2)
    for row in rows:
        if "problem" in row:
            print(f"{row['file']}: {row['problem']}")
        elif not row["comes_back_whole"]:
            print(f"{row['file']}: does not give back the whole text")
