"""npgpt prepare: from raw text to token files."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from npgpt.cli import options
from npgpt.cli.output import print_json
from npgpt.cli.progress import clock
from npgpt.files import shell_quote
from npgpt.text.corpora.locate import is_path
from npgpt.text.prepare.pipeline import prepare as run
from npgpt.text.prepare.settings import Form, Limits, Settings

D = Settings("")
Source = Annotated[
    str,
    typer.Argument(
        help="A corpus by name, a file, a directory, a pattern, a URL.", metavar="SOURCE"
    ),
]
Out = Annotated[Path, typer.Option(help="The directory to write.", metavar="DIR")]
TokenizerName = Annotated[str, typer.Option(help="Or words, bpe:SIZE, a file.", metavar="NAME")]


def prepare(
    source: Source,
    out: Out,
    tokenizer: TokenizerName = D.tokenizer,
    validation: Annotated[float, typer.Option(help="Share held out.", metavar="P")] = D.validation,
    form: Annotated[str, typer.Option(help="Unicode's NFC or NFKC.", metavar="NAME")] = D.form,
    near: Annotated[float, typer.Option(help="Near duplicates; 0: none.", metavar="P")] = D.near,
    shortest: Annotated[
        int, typer.Option(help="Characters at least.", metavar="N")
    ] = D.limits.shortest,
    longest: Annotated[
        int, typer.Option(help="Characters at most.", metavar="N")
    ] = D.limits.longest,
    symbols: Annotated[float, typer.Option(help="Signs at most.", metavar="P")] = D.limits.symbols,
    repetition: Annotated[
        float, typer.Option(help="Repeats at most.", metavar="P")
    ] = D.limits.repetition,
    script: Annotated[
        str, typer.Option(help="Only latin, arabic, han …", metavar="NAME", show_default=False)
    ] = "",
    personal: Annotated[
        bool, typer.Option("--mask/--no-mask", help="Mask personal data.")
    ] = D.mask,
    chunk: Annotated[int, typer.Option(help="Characters of a chunk.", metavar="N")] = D.chunk,
    overlap: Annotated[int, typer.Option(help="Of two chunks.", metavar="N")] = D.overlap,
    seed: Annotated[int, typer.Option(help="Of stories and split.", metavar="N")] = D.seed,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes.  [one a core]", metavar="N", show_default=False),
    ] = None,
    sha256: Annotated[
        str, typer.Option(help="A URL's checksum.", metavar="HEX", show_default=False)
    ] = "",
    licence: Annotated[
        str, typer.Option(help="Of your text.", metavar="NAME", show_default=False)
    ] = "",
    as_json: options.AsJson = False,
) -> int:
    """Clean text, drop duplicates, split it, and write token files.

    \b
    npgpt prepare notes/ --out prepared --tokenizer bpe:4096
    npgpt train --corpus prepared --out runs/one
    """
    settings = Settings(
        source=source,
        tokenizer=tokenizer,
        form=cast(Form, form.upper()),
        limits=Limits(shortest, longest, symbols, repetition, script),
        near=near,
        mask=personal,
        validation=validation,
        chunk=chunk,
        overlap=overlap,
        seed=seed,
        licence=licence,
        sha256=sha256,
    )
    if workers is None:
        workers = os.cpu_count() or 1
    try:
        with _Line() as line:
            manifest = run(settings, out, workers, line)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    if as_json:
        print_json(manifest)
        return 0
    documents = manifest["documents"]
    print(f"{documents['seen']:,} documents read, {documents['kept']:,} kept")
    for reason, count in documents["dropped"].items():
        print(f"  {count:,} dropped: {reason}")
    for kind, count in manifest["masked"].items():
        print(f"  {count:,} masked: {kind}")
    for name in ("train", "validation"):
        side = manifest[name]
        print(
            f"{name}: {side['documents']:,} documents, {side['tokens']:,} tokens, "
            f"{side['bytes_per_token']:.2f} bytes a token"
        )
    corpus = out if is_path(str(out)) else f"./{out}"  # not a corpus of that name
    print(f"see {out / 'report.md'}; next: npgpt train --corpus {shell_quote(corpus)}")
    return 0


class _Line:
    """Where the work is: a line that changes on a terminal, one every few seconds elsewhere."""

    def __init__(self) -> None:
        self.stage, self.began, self.shown = "", 0.0, 0.0
        self.alive = sys.stderr.isatty()

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_: Any) -> None:
        if self.alive:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.perf_counter()
        if stage != self.stage:
            self.stage, self.began, self.shown = stage, now, 0.0
        if now - self.shown < (0.2 if self.alive else 5):
            return
        self.shown = now
        text = stage
        if total:
            text += f" {done:,}/{total:,}"
            if done:
                text += f", {clock((now - self.began) / done * (total - done))} left"
        elif done:
            text += f" {done:,} MB"
            if now - self.began >= 1:  # before that a rate says nothing
                text += f", {done / (now - self.began):.1f} MB/s"
        start, end = ("\r\033[K", "") if self.alive else ("", "\n")
        print(start + text, end=end, file=sys.stderr, flush=True)
