"""Mistakes that people make in tokenizers: (what is wrong, file, old text, new text)."""

MUTANTS = [
    (
        'a pair that overlaps itself, as in "aaaa", is counted once too few',
        "tokenizers/byte_pairs",
        "            counts[pair] += frequency\n            found_in[pair].add(index)\n    heap",
        "            counts[pair] += frequency - (pair[0] == pair[1])\n"
        "            found_in[pair].add(index)\n    heap",
    ),
    (
        "of pairs that are equally frequent the last wins",
        "tokenizers/byte_pairs",
        "        count, best = heappop(heap)\n",
        "        count, best = max(e for e in heap if e[0] == heap[0][0])\n"
        "        heap.remove((count, best))\n"
        "        heapify(heap)\n",
    ),
    (
        "a special token that is allowed is split like text",
        "tokenizers/special_tokens",
        "yield piece, special_ids[piece]",
        "yield piece, None",
    ),
    (
        "a special token in user text is taken for one",
        "tokenizers/special_tokens",
        "    if not names:\n",
        "    names = names or list(special_ids)\n    if not names:\n",
    ),
    (
        "merges are applied out of order",
        "tokenizers/byte_pairs",
        "            first = heappop(heap)\n",
        "            first = heap.pop()\n",
    ),
    (
        "half a character is shown while streaming",
        "tokenizers/streaming",
        "return self._utf8.decode(self._decode_bytes([id]))",
        'return self._decode_bytes([id]).decode("utf-8", errors="replace")',
    ),
    (
        "what is held back at the end is lost",
        "tokenizers/streaming",
        'return self._utf8.decode(b"", final=True)',
        'return self._utf8.decode(b"")',
    ),
    (
        "an old count is believed",
        "tokenizers/byte_pairs",
        "        if counts[best] != -count:\n",
        "        if counts[best] <= 0:\n",
    ),
    (
        "the pairs that a merge breaks up are still counted",
        "tokenizers/byte_pairs",
        "                counts[pair] -= frequency\n",
        "                counts[pair] -= 0\n",
    ),
    (
        "new pairs are counted once a distinct word",
        "tokenizers/byte_pairs",
        "                counts[pair] += frequency\n                if new",
        "                counts[pair] += 1\n                if new",
    ),
    (
        "after a merge only the pair on its left is looked at",
        "tokenizers/byte_pairs",
        "for pair in (before[-1:] or new) + new, new + (after[:1] or new):",
        "for pair in ((before[-1:] or new) + new,):",
    ),
    (
        "two equal new tokens side by side are overlooked",
        "tokenizers/byte_pairs",
        "for pair in (before[-1:] or new) + new, new + (after[:1] or new):",
        "for pair in before[-1:] + new, new + after[:1]:",
    ),
    (
        "bytes that are not UTF-8 are dropped",
        "tokenizers/byte_pairs",
        'text = data.decode("utf-8", errors="surrogateescape")',
        'text = data.decode("utf-8", errors="ignore")',
    ),
    (
        "a run of spaces swallows the one that leads the next word",
        "tokenizers/naive_byte_pairs",
        r"|\s+(?!\S)|\s+",
        r"|\s+",
    ),
    (
        "bytes stand in plain order, not in GPT-2's",
        "tokenizers/naive_byte_pairs",
        "BYTES = bytes(PRINTING + [byte for byte in range(256) if byte not in PRINTING])",
        "BYTES = bytes(range(256))",
    ),
    (
        "a merge joins from the right",
        "tokenizers/naive_byte_pairs",
        "    out = []\n    for id in word:\n        out.append(id)\n"
        "        if tuple(out[-2:]) == pair:\n            out[-2:] = [new]\n    return out",
        "    out = []\n    for id in reversed(word):\n        out.insert(0, id)\n"
        "        if tuple(out[:2]) == pair:\n            out[:2] = [new]\n    return out",
    ),
]
