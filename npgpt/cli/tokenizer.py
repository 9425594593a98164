"""npgpt tokenizer: train one, use it, look at it, compare several."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.cli import tokenizer_show
from npgpt.cli.options import AsJson
from npgpt.cli.output import check_file, print_json
from npgpt.cli.tokenizer_input import (
    AllowSpecial,
    CorpusName,
    GivenText,
    TokenizerPath,
    encode_given,
)
from npgpt.errors import InputError, quote
from npgpt.files import read_stdin
from npgpt.text import (
    BytePairTokenizer,
    CharacterTokenizer,
    WordTokenizer,
    load_corpus,
    load_tokenizer,
)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Train a tokenizer, use it, look at it, compare several.\n\n"
    "\b\nnpgpt tokenizer train --corpus python-docs --out tokenizer.json",
)

KINDS: dict[str, Any] = {
    "bpe": BytePairTokenizer, "words": WordTokenizer, "characters": CharacterTokenizer
}


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The tokenizer.json to write.", metavar="FILE.json")],
    corpus: CorpusName = "python-docs",
    kind: Annotated[str, typer.Option(help="bpe, words or characters.", metavar="NAME")] = "bpe",
    vocab_size: Annotated[int | None, typer.Option(
        help="Vocabulary size, special tokens included. [bpe: 4096, otherwise all]",
        metavar="N", show_default=False)] = None,
    special: Annotated[list[str] | None, typer.Option(
        help="A special token to add; repeatable. [bpe: <|endoftext|>]",
        metavar="TOKEN", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Learn a vocabulary from a corpus and write tokenizer.json.

    \b
    npgpt tokenizer train --vocab-size 2048 --out tokenizer.json
    """
    if kind not in KINDS:
        raise InputError(f"there is no kind {kind!r} of tokenizer: choose {', '.join(KINDS)}")
    check_file(out, ".json")
    if out.exists():
        raise InputError(f"{out} is there already: choose another --out, or remove it")
    text = load_corpus(corpus).text
    settings: dict[str, Any] = {"vocab_size": vocab_size}
    if kind == "bpe" and vocab_size is None:
        settings["vocab_size"] = 4096
    if special:
        settings["special_tokens"] = special
    start = time.perf_counter()
    tokenizer = KINDS[kind].train(text, **settings)
    seconds = time.perf_counter() - start
    tokenizer.save(out)
    size = len(text.encode("utf-8"))
    if as_json:
        print_json({
            "file": str(out), "kind": tokenizer.kind, "vocab_size": tokenizer.vocab_size,
            "special_tokens": list(tokenizer.special_ids), "bytes": size,
            "seconds": round(seconds, 3),
        })
    else:
        print(f"{out}: {tokenizer.kind}, {tokenizer.vocab_size} entries, "
              f"from {size:,} bytes in {seconds:.2f} s")


@app.command()
def encode(
    tokenizer: TokenizerPath,
    text: GivenText = None,
    allow: AllowSpecial = None,
    as_json: AsJson = False,
) -> None:
    """Turn text into token ids.

    \b
    npgpt tokenizer encode tokenizer.json "Hello, world"
    """
    ids = encode_given(load_tokenizer(tokenizer), text, allow)
    if as_json:
        print_json({"ids": ids})
    else:
        print(*ids)


@app.command()
def decode(
    tokenizer: TokenizerPath,
    ids: Annotated[
        list[str] | None, typer.Argument(
            metavar="IDS", help="The ids; standard input if they are left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Turn token ids into text, byte for byte.

    \b
    npgpt tokenizer encode t.json "Hello" | npgpt tokenizer decode t.json
    """
    text = " ".join(ids) if ids else read_stdin().decode(errors="replace")
    words = text.replace(",", " ").split()
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        raise InputError("ids are whole numbers, separated by spaces or commas;"
                         f" these are not: {quote(' '.join(words))}") from None
    loaded = load_tokenizer(tokenizer)
    if as_json:
        print_json({"text": loaded.decode(numbers)})
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(loaded.decode_bytes(numbers))
        sys.stdout.buffer.write(b"\n" if sys.stdout.isatty() else b"")


app.command()(tokenizer_show.show)
app.command()(tokenizer_show.compare)
