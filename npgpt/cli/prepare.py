"""npgpt prepare: from raw text to token files."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, cast

import typer

from npgpt.cli import options
from npgpt.cli.options import option
from npgpt.cli.output import print_json
from npgpt.cli.progress import EVERY_SECONDS, Bar
from npgpt.files import shell_quote
from npgpt.text.corpora.locate import is_path
from npgpt.text.prepare.pipeline import prepare as run
from npgpt.text.prepare.settings import Form, Limits, Settings

D, LIMITS = Settings(""), Settings("").limits


def number(flag: str, text: str, default: float) -> typer.models.OptionInfo:
    """An option for a fraction or a whole number, and its default in words."""
    return option(flag, text, "P" if isinstance(default, float) else "N", default)


def prepare(
    source: Annotated[str, typer.Argument(
        metavar="SOURCE", help="Corpus name, file, directory, pattern or URL.")],
    out: Annotated[Path, typer.Option(help="Directory to write.", metavar="DIR")],
    tokenizer: Annotated[str, option(
        "--tokenizer", "Tokenizer: words, bpe:SIZE or a file.", "NAME",
        D.tokenizer)] = D.tokenizer,
    validation: Annotated[float, number(
        "--validation", "Fraction of the documents for validation.",
        D.validation)] = D.validation,
    form: Annotated[str, option(
        "--form", "Unicode normal form: NFC or NFKC.", "NAME", D.form)] = D.form,
    near: Annotated[float, number(
        "--near", "Similarity of near duplicates; 0: none is dropped.", D.near)] = D.near,
    shortest: Annotated[int, number(
        "--shortest", "Minimum document length, in characters.",
        LIMITS.shortest)] = LIMITS.shortest,
    longest: Annotated[int, number(
        "--longest", "Maximum document length, in characters.",
        LIMITS.longest)] = LIMITS.longest,
    symbols: Annotated[float, number(
        "--symbols", "Maximum fraction of symbols in a document.",
        LIMITS.symbols)] = LIMITS.symbols,
    repetition: Annotated[float, number(
        "--repetition", "Maximum fraction of repeated word groups.",
        LIMITS.repetition)] = LIMITS.repetition,
    script: Annotated[str, option(
        "--script", "Only documents in this script: latin, arabic, han …", "NAME")] = "",
    personal: Annotated[bool, option(
        "--mask/--no-mask", "Mask personal data. [mask]", None)] = D.mask,
    mask_kinds: Annotated[str, option(
        "--mask-kinds", "Kinds of personal data to mask.", "LIST",
        ",".join(D.kinds))] = ",".join(D.kinds),
    field: Annotated[str, option(
        "--field", "Field of JSON that holds the text.", "NAME", D.field)] = D.field,
    end_of_text: Annotated[bool, option(
        "--end-of-text", "End documents with <|endoftext|>.", None)] = D.end_of_text,
    chunk: Annotated[int, number(
        "--chunk", "Chunk length, in characters.", D.chunk)] = D.chunk,
    overlap: Annotated[int, number(
        "--overlap", "Overlap of neighbouring chunks, in characters.", D.overlap)] = D.overlap,
    seed: Annotated[int, number(
        "--seed", "Random seed, for stories and the split.", D.seed)] = D.seed,
    workers: Annotated[int | None, option(
        "--workers", "Number of processes.", "N", "one per core")] = None,
    sha256: Annotated[str, option(
        "--sha256", "SHA-256 that the download must have.", "HEX")] = "",
    licence: Annotated[str, option("--licence", "Licence of your text.", "NAME")] = "",
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
        kinds=tuple(filter(None, mask_kinds.replace(" ", "").split(","))),
        validation=validation,
        chunk=chunk,
        overlap=overlap,
        seed=seed,
        licence=licence,
        sha256=sha256,
        field=field,
        end_of_text=end_of_text,
    )
    if workers is None:
        workers = os.cpu_count() or 1
    try:
        with Stages() as stages:
            manifest = run(settings, out, workers, stages)
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


class Stages(Bar):
    """The stages of the preparation, each with its own bar."""

    def __init__(self) -> None:
        super().__init__()
        self.printed = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self.label:
            self.begin(stage)
            self.printed = 0.0
        # a source is read in MB, of which nobody knows the total; its rate is of no use at first
        reading = done and not total
        rate = f"{done / self.seconds:.1f} MB/s" if reading and self.seconds >= 1 else ""
        due = self.printed == 0 or time.perf_counter() - self.printed >= EVERY_SECONDS
        if due:
            self.printed = time.perf_counter()
        self.show(done, total or None, rate, due, unit=" MB" if reading else "")
