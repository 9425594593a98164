"""npgpt tokenizer: train one, use it, look at it, compare several."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.cli import common
from npgpt.errors import InputError
from npgpt.text import (
    BytePairTokenizer,
    CharacterTokenizer,
    WordTokenizer,
    load_corpus,
    load_tokenizer,
)
from npgpt.text.tokenizers.colours import coloured_html, pieces
from npgpt.text.tokenizers.tokenizer_json import save_text

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Train a tokenizer, use it, look at it, compare several.\n\n"
    "\b\nnpgpt tokenizer train --corpus python-docs --out tokenizer.json",
)

KINDS: dict[str, Any] = {
    "bpe": BytePairTokenizer, "words": WordTokenizer, "characters": CharacterTokenizer
}

GROUNDS = ("cyan", "yellow", "green", "magenta", "white")  # every terminal has these

File = Annotated[
    Path, typer.Argument(metavar="TOKENIZER", help="A tokenizer.json, or a directory with one.")
]
Given = Annotated[
    str | None, typer.Argument(metavar="[TEXT]", help="The text; without it, standard input.")
]
Allow = Annotated[
    list[str], typer.Option("--allow-special", help="A special token that TEXT may hold; repeat.")
]


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The tokenizer.json to write.")],
    corpus: Annotated[
        str, typer.Option(help="A corpus by name, a file, a directory.")
    ] = "python-docs",
    kind: Annotated[str, typer.Option(help="bpe, words or characters.")] = "bpe",
    vocab_size: Annotated[
        int | None, typer.Option(help="Entries, special tokens counted (bpe: 4096, else all).")
    ] = None,
    special: Annotated[
        list[str], typer.Option(help="A special token; repeat (bpe: <|endoftext|>).")
    ] = [],  # noqa: B006
    as_json: common.AsJson = False,
) -> None:
    """Learn a vocabulary from a corpus and write tokenizer.json.

    \b
    npgpt tokenizer train --vocab-size 2048 --out tokenizer.json
    """
    if kind not in KINDS:
        raise InputError(f"there is no kind {kind!r} of tokenizer: choose {', '.join(KINDS)}")
    common.check_file(out, ".json")
    if out.exists():
        raise InputError(f"{out} is there already: choose another --out, or remove it")
    text = load_corpus(corpus).text
    options: dict[str, Any] = {"vocab_size": vocab_size}
    if kind == "bpe" and vocab_size is None:
        options["vocab_size"] = 4096
    if special:
        options["special_tokens"] = special
    start = time.perf_counter()
    tokenizer = KINDS[kind].train(text, **options)
    seconds = time.perf_counter() - start
    tokenizer.save(out)
    size = len(text.encode("utf-8"))
    if as_json:
        common.print_json({
            "file": str(out), "kind": tokenizer.kind, "vocab_size": tokenizer.vocab_size,
            "special_tokens": list(tokenizer.special_ids), "bytes": size,
            "seconds": round(seconds, 3),
        })
    else:
        print(f"{out}: {tokenizer.kind}, {tokenizer.vocab_size} entries, "
              f"from {size:,} bytes in {seconds:.2f} s")


@app.command()
def encode(
    tokenizer: File, text: Given = None, allow: Allow = [], as_json: common.AsJson = False  # noqa: B006
) -> None:
    """Text to ids.

    \b
    npgpt tokenizer encode tokenizer.json "Hello, world"
    """
    ids = _encode(load_tokenizer(tokenizer), text, allow)
    if as_json:
        common.print_json({"ids": ids})
    else:
        print(*ids)


@app.command()
def decode(
    tokenizer: File,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[IDS]...", help="Without them, standard input.")
    ] = None,
    as_json: common.AsJson = False,
) -> None:
    """Ids to text, byte for byte.

    \b
    npgpt tokenizer encode t.json "Hello" | npgpt tokenizer decode t.json
    """
    words = (" ".join(ids) if ids else sys.stdin.read()).replace(",", " ").split()
    try:
        numbers = [int(word) for word in words]
    except ValueError as error:
        raise InputError(f"ids are whole numbers with blanks or commas between: {error}") from None
    loaded = load_tokenizer(tokenizer)
    if as_json:
        common.print_json({"text": loaded.decode(numbers)})
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(loaded.decode_bytes(numbers))
        sys.stdout.buffer.write(b"\n" if sys.stdout.isatty() else b"")


@app.command()
def show(
    tokenizer: File,
    text: Given = None,
    allow: Allow = [],  # noqa: B006
    html: Annotated[Path | None, typer.Option(help="Also write the strip to this file.")] = None,
    as_json: common.AsJson = False,
) -> None:
    """Colour the pieces of a text.

    \b
    npgpt tokenizer show tokenizer.json "strawberries" --html strip.html
    """
    common.check_file(html, ".html")
    loaded = load_tokenizer(tokenizer)
    ids = _encode(loaded, text, allow)
    size = len(loaded.decode_bytes(ids))
    if html:
        page = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Tokens</title>\n'
        save_text(html, page + coloured_html(loaded, ids) + "</html>\n")
    shown = pieces(loaded, ids)
    if as_json:
        listed = [{"id": id, "text": piece} for id, piece in shown]
        common.print_json({"pieces": listed, "bytes": size})
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    strip = Text()
    for place, (_, piece) in enumerate(shown):
        if console.color_system is None and place:
            strip.append("|")  # no colours to tell them apart
        strip.append(piece, style=f"black on {GROUNDS[place % len(GROUNDS)]}")
        if piece.endswith("\\n"):
            strip.append("\n")
    console.print(strip, soft_wrap=True)
    print(f"{len(ids)} tokens, {size} bytes, {size / max(len(ids), 1):.2f} bytes a token")


@app.command()
def compare(
    tokenizers: Annotated[list[Path], typer.Argument(metavar="TOKENIZER...")],
    corpus: Annotated[
        str, typer.Option(help="A corpus by name, a file, a directory.")
    ] = "python-docs",
    as_json: common.AsJson = False,
) -> None:
    """Table bytes a token and speed of several tokenizers on one text.

    \b
    npgpt tokenizer compare small.json large.json --corpus stories
    """
    text = load_corpus(corpus).text
    size = len(text.encode("utf-8"))
    rows = [_measure(path, load_tokenizer(path), text, size) for path in tokenizers]
    if as_json:
        common.print_json({"corpus": corpus, "bytes": size, "tokenizers": rows})
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for head in ("tokenizer", "kind", "entries", "tokens", "bytes/token", "encode", "decode"):
        table.add_column(head, justify="left" if head in ("tokenizer", "kind") else "right")
    for row in rows:
        cells = [row["file"], row["kind"], f"{row['vocab_size']:,}"]
        if "problem" not in row:
            cells += [f"{row['tokens']:,}", f"{row['bytes_a_token']:.2f}",
                      f"{row['encode_mb_s']:.1f}", f"{row['decode_mb_s']:.1f}"]
        table.add_row(*cells)
    print(f"{corpus}: {size:,} bytes; speeds in MB/s")
    Console(markup=False, emoji=False).print(table)  # a file's name is no markup
    for row in rows:
        if "problem" in row:
            print(f"{row['file']}: {row['problem']}")
        elif not row["comes_back_whole"]:
            print(f"{row['file']}: does not give the text back whole")


def _measure(path: Path, tokenizer: Any, text: str, size: int) -> dict[str, Any]:
    row = {"file": str(path), "kind": tokenizer.kind, "vocab_size": tokenizer.vocab_size}
    start = time.perf_counter()
    try:
        ids = tokenizer.encode(text)
    except InputError as error:
        return {**row, "problem": str(error)}
    middle = time.perf_counter()
    back = tokenizer.decode(ids)
    end = time.perf_counter()
    return {
        **row, "tokens": len(ids), "bytes_a_token": size / max(len(ids), 1),
        "encode_mb_s": size / 1e6 / (middle - start), "decode_mb_s": size / 1e6 / (end - middle),
        "comes_back_whole": back == text,
    }


def _encode(tokenizer: Any, text: str | None, allow: list[str]) -> list[int]:
    if text is not None:
        return tokenizer.encode(text, allowed_special=allow)
    data = sys.stdin.buffer.read()
    try:
        return tokenizer.encode(data.decode("utf-8"), allowed_special=allow)
    except UnicodeDecodeError:
        return tokenizer.encode_bytes(data)
