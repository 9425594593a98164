"""Tokenizers, a ladder to climb: `characters`, `words`, `naive_byte_pairs`, `byte_pairs`.

`byte_pairs` encodes with `cutting` (texts into words, each family in its way), `word_encoder`
(words into ids, and their memory) and `merging`; `short_words` is `merging` for many words at
once, for speed alone. `special_tokens`, `streaming` and `stop_strings` serve them all;
`tokenizer_json` writes the file that carries one, with `byte_level` for what it says of
cutting; `loading` reads it.
"""
