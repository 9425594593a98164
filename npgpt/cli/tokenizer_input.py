"""What the commands of npgpt tokenizer are given: a tokenizer, a text, special tokens."""

from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.files import read_stdin

TokenizerPath = Annotated[
    Path, typer.Argument(metavar="TOKENIZER", help="A tokenizer.json, or a directory with one.")
]
GivenText = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="The text; standard input if it is left out."),
]
AllowSpecial = Annotated[
    list[str] | None,
    typer.Option("--allow-special", metavar="TOKEN", show_default=False,
                 help="Read this special token in the text as one; repeatable."),
]
CorpusName = Annotated[
    str, typer.Option("--corpus", help="A corpus by name, a file or a directory.", metavar="NAME")
]


def encode_given(tokenizer: Any, text: str | None, allowed: list[str] | None) -> list[int]:
    """The ids of `text`, or of standard input, whose bytes need not be UTF-8."""
    special = allowed or []
    if text is not None:
        return tokenizer.encode(text, allowed_special=special)
    data = read_stdin()
    try:
        return tokenizer.encode(data.decode("utf-8"), allowed_special=special)
    except UnicodeDecodeError:
        return tokenizer.encode_bytes(data)
