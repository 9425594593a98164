"""How well a tokenizer compresses a text, and how fast."""

import time
from pathlib import Path
from typing import Any

from npgpt.errors import InputError


def measure_tokenizer(path: Path, tokenizer: Any, text: str) -> dict[str, Any]:
    """Tokens, bytes per token and MB/s of `tokenizer`, read from `path`, on `text`; or the
    "problem" where it cannot encode it."""
    size = len(text.encode("utf-8"))
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
