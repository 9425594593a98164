"""The last step: the portions joined, the report drawn, the manifest written last."""

import hashlib
import json
import os
import shutil
import unicodedata
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.files import write_atomically
from npgpt.text.prepare import report
from npgpt.text.prepare.figures import figures_of
from npgpt.text.prepare.prepared import FORMAT
from npgpt.text.prepare.sources import printable
from npgpt.text.prepare.token_files import token_dtype, write_tokens
from npgpt.text.prepare.work import SIDES, Work
from npgpt.text.tokenizers.loading import load_tokenizer


def finish(
    work: Work, stage: Path, input_digest: str, licence: str, origin: str
) -> dict[str, Any]:
    """Join the portions, draw the report, and write the manifest last."""
    final = stage / "final"
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir()
    tokenizer = load_tokenizer(stage / "tokenizer.json")
    shutil.copyfile(stage / "tokenizer.json", final / "tokenizer.json")
    for name in SIDES:
        parts = [stage / f"{portion:06}.{name}" for portion in range(len(work.counts))]
        with (final / f"{name}.jsonl").open("wb") as file:
            for part in parts:
                file.write(part.with_suffix(f".{name}.jsonl").read_bytes())
            file.flush()
            os.fsync(file.fileno())
        dtype = token_dtype(tokenizer.vocab_size)
        pieces = (np.fromfile(part.with_suffix(f".{name}.ids"), dtype) for part in parts)
        write_tokens(final / f"{name}.tokens", pieces, tokenizer.vocab_size)
    figures = figures_of(work, stage)
    sides = {}
    for side, name in enumerate(SIDES):
        counts = figures["sides"][side]
        per_token = round(counts["bytes"] / counts["tokens"], 6)
        sides[name] = {**counts, "bytes_per_token": per_token}
    manifest = {
        "format": FORMAT,
        "source": work.settings.source,
        "origin": origin,
        "licence": licence,
        "settings": asdict(work.settings),
        "input": input_digest,
        "documents": figures["documents"],
        "masked": figures["masked"],
        **sides,
        "tokenizer": {"kind": tokenizer.kind, "vocab_size": tokenizer.vocab_size},
        "versions": {"unicode": unicodedata.unidata_version},
    }
    manifest = json.loads(printable(json.dumps(manifest, ensure_ascii=False)))  # it has names
    report.write(final, manifest, figures)
    names = sorted(path.name for path in final.iterdir())
    manifest["files"] = {}
    for name in names:
        with (final / name).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        manifest["files"][name] = {"bytes": (final / name).stat().st_size, "sha256": sha256}
    for name in names:
        os.replace(final / name, work.out / name)
    write_atomically(
        work.out / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    )
    return manifest
