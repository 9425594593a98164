"""Mistakes that people make in tokenizers: (what is wrong, file, old text, new text)."""

MUTANTS = [
    (
        'a pair that overlaps itself, as in "aaaa", is counted once too few',
        "tokenizers/training",
        "            counts[pair] += frequency\n            found_in[pair].add(index)\n    heap",
        "            counts[pair] += frequency - (pair[0] == pair[1])\n"
        "            found_in[pair].add(index)\n    heap",
    ),
    (
        "of pairs that are equally frequent the last wins",
        "tokenizers/training",
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
        "tokenizers/merging",
        "        lowest = heappop(heap)\n",
        "        lowest = heap.pop()\n",
    ),
    (
        "of one rank the last pair is merged first",
        "tokenizers/merging",
        "in sorted(positions.pop(lowest)):",
        "in sorted(positions.pop(lowest), reverse=True):",
    ),
    (
        'a pair that is gone is merged again: "aaa" gives one token too many',
        "tokenizers/merging",
        "            if (items[left], items[right]) != merges[lowest]:\n",
        "            if items[left] < 0 or items[right] < 0:\n",
    ),
    (
        "only the left id of a pair is looked at again before the merge",
        "tokenizers/merging",
        "            if (items[left], items[right]) != merges[lowest]:\n",
        "            if items[left] != merges[lowest][0]:\n",
    ),
    (
        "the list still leads back to an id that is gone",
        "tokenizers/merging",
        "            before[after[left]] = left\n",
        "",
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
        "tokenizers/training",
        "        if counts[best] != -count:\n",
        "        if counts[best] <= 0:\n",
    ),
    (
        "the pairs that a merge breaks up are still counted",
        "tokenizers/training",
        "                counts[pair] -= frequency\n",
        "                counts[pair] -= 0\n",
    ),
    (
        "new pairs are counted once a distinct word",
        "tokenizers/training",
        "                counts[pair] += frequency\n                if new",
        "                counts[pair] += 1\n                if new",
    ),
    (
        "after a merge only the pair on its left is looked at",
        "tokenizers/merging",
        "for begin in (before[left], left):",
        "for begin in (before[left],):",
    ),
    (
        "two equal new tokens side by side are overlooked",
        "tokenizers/merging",
        "                if rank is not None:\n                    if",
        "                if rank is not None and items[begin] != items[after[begin]]:\n"
        "                    if",
    ),
    (
        "in a table of words the last of equal pairs is merged first",
        "tokenizers/short_words",
        "            position = ranks.argmin(axis=1)  ",
        "            position = ranks.shape[1] - 1 - ranks[:, ::-1].argmin(axis=1)  ",
    ),
    (
        "in a table of words the pair on the left of a merge keeps its old rank",
        "tokenizers/short_words",
        "for begin in (np.maximum(position - 1, 0), position):",
        "for begin in (position,):",
    ),
    (
        "what was a finished row is taken for another one",
        "tokenizers/short_words",
        "            done[open_rows[~more], ",
        "            done[np.flatnonzero(~more), ",
    ),
    (
        "a text is cut where a space ends a block, not before it",
        "tokenizers/cutting",
        "place = match.start() + 1",
        "place = match.start() + 2",
    ),
    (
        "a special token is cut in two by the end of a block",
        "tokenizers/cutting",
        "    names = [name for name in names if _BORDER.search(name)]\n",
        "    names = []\n",
    ),
    (
        "a special token that the next text completes is cut in two",
        "tokenizers/cutting",
        "name in around or len(text) < border + reach",
        "name in around",
    ),
    (
        "in ASCII, digits and letters are one word",
        "tokenizers/cutting",
        " ?[A-Za-z]+|",
        " ?[A-Za-z0-9]+|",
    ),
    (
        "control characters that Python's `re` counts as spaces are spaces",
        "tokenizers/cutting",
        ", re.ASCII\n",
        "\n",
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
    (
        "digits stay together where each is a word",
        "tokenizers/cutting",
        "        if self.single_digits:\n",
        "        if not self.single_digits and False:\n",
    ),
    (
        "a text is not put into its normal form",
        "tokenizers/cutting",
        'unicodedata.normalize("NFC", text)',
        "text",
    ),
    (
        "a text is cut before a line's end that belongs to a word",
        "tokenizers/cutting",
        "QWEN2: _BORDER_IN_LINE",
        "QWEN2: _BORDER",
    ),
    (
        "a word that is a token is merged all the same",
        "tokenizers/byte_pairs",
        "ids if whole_words else {}",
        "{}",
    ),
    (
        "the merges that a family lists in any order are done in the order of training",
        "tokenizers/word_encoder",
        "merge_word if self.in_order else merge_word_in_any_order",
        "merge_word",
    ),
    (
        "bytes without a token become another's",
        "tokenizers/word_encoder",
        "        if self._lacking:\n",
        "        if not self._lacking:\n",
    ),
    (
        "what a pattern does not match is lost",
        "tokenizers/cutting",
        "found += [text[end : match.start()], match[0]]",
        "found += [match[0]]",
    ),
]
