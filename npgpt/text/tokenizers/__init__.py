"""Tokenizers, a ladder to climb: `characters`, `words`, `naive_byte_pairs`, `byte_pairs`.

`special_tokens`, `streaming` and `stop_strings` serve them all; `tokenizer_json` writes the file
that carries one, `loading` reads it.
"""
