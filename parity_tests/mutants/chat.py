"""Mistakes that people make with chats: (what is wrong, file, old text, new text)."""

MUTANTS = [
    (
        "the mask is that of the token before",
        "chat",
        "    return ids, mask\n",
        "    return ids, [*mask[1:], False]\n",
    ),
    (
        "the mask is that of the token behind",
        "chat",
        "    return ids, mask\n",
        "    return ids, [False, *mask[:-1]]\n",
    ),
    (
        "an answer's first token is left out",
        "chat",
        "mask.append(any(begin < end and at < last for begin, last in inside))",
        "mask.append(any(begin < at and at < last for begin, last in inside))",
    ),
    (
        "the token that ends an answer is left out, so that the model never stops",
        "chat",
        "        return next((last for first, last in written.own\n",
        "        return next((first for first, last in written.own\n",
    ),
    (
        "the prompt for an answer is learnt, too",
        "chat",
        "        return len(prompt)\n",
        "        return prompt.rindex('<|')\n",
    ),
    (
        "everything is learnt",
        "chat",
        "        if not spans or spans == [(0, len(text))]:\n"
        "            return [bool(spans)] * len(ids)\n",
        "        return [True] * len(ids)\n",
    ),
    (
        "the last answer alone is learnt",
        "chat",
        "        return spans\n",
        "        return spans[-1:]\n",
    ),
    (
        "a token's place is counted in characters",
        "chat",
        "self.sizes[id] = len(self.tokenizer.decode_bytes([id]))\n",
        "self.sizes[id] = len(self.tokenizer.decode([id]))\n",
    ),
    (
        "an answer's place is counted in characters",
        "chat",
        "            return len(before.encode() if plainly\n",
        "            return len(before if plainly\n",
    ),
    (
        "the name of a special token in a message is the token",
        "chat",
        r'open + r"\g<0>" + close)',
        r'r"\g<0>")',
    ),
    (
        "a special token of the template is text",
        "chat",
        "            if not before:\n                own.append",
        "            if before:\n                own.append",
    ),
    (
        "a family's first token is put before the template's own",
        "chat",
        "    return [id for ids, _ in chat.pieces(written) for id in ids]\n",
        "    return [*(tokenizer.special_ids[name] for name in tokenizer.before),\n"
        "            *(id for ids, _ in chat.pieces(written) for id in ids)]\n",
    ),
    (
        "the prompt for the answer is left out",
        "chat",
        "self.known, add_generation_prompt, tools,",
        "self.known, False, tools,",
    ),
]
