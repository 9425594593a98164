"""Completion: a prompt, and the text that a model writes after it."""

import threading

from npgpt.text.tokenizers.stop_strings import StopStrings


class Completion:
    """One stream of text. It holds

    prompt_ids, prompt: what was there before, as ids and as text;
    ids, log_probs: what is written so far, and the logs of the model's
        probabilities (in nats; none where nobody asked for them);
    text: what of it is sure, never half a character, and nothing that
        may yet become a stop string;
    finish_reason: None while it is written, then "stop" (a stop string
        or an end token came), "length" (max_new_tokens are written) or
        "cancelled";
    end_id: the end token that came, the last of ids and no part of the
        text, or None;
    cancelled: a threading.Event. Any thread may set it: the token in
        hand is the last."""

    def __init__(self, prompt_ids, tokenizer, settings):
        """tokenizer: None where the ids are the text, a space after
        each. Raises InputError for an empty stop string."""
        self.prompt_ids, self.tokenizer = prompt_ids, tokenizer
        self.prompt = as_text(prompt_ids, tokenizer)
        self.ids, self.log_probs, self.text = [], [], ""
        self.finish_reason, self.cancelled = None, threading.Event()
        self.end_id, self._end_ids = None, settings.end_ids
        self._max_new_tokens = settings.max_new_tokens
        self._stops = StopStrings(settings.stop)
        self._decoder = tokenizer and tokenizer.stream_decoder()

    def push(self, id, log_prob=None):
        """Take a token -> the text that is now sure, perhaps none."""
        self.ids.append(id)
        if log_prob is not None:
            self.log_probs.append(log_prob)
        if id in self._end_ids:
            self.end_id = id
            return ""
        if self._decoder is None:
            piece = as_text([id], None)
        else:
            piece = self._stops.push(self._decoder.push(id))
        self.text += piece
        return piece

    def reason_to_end(self):
        """-> why no token should follow, or None."""
        if self._stops.found or self.end_id is not None:
            return "stop"
        if len(self.ids) >= self._max_new_tokens:
            return "length"
        return "cancelled" if self.cancelled.is_set() else None

    def finish(self):
        """No token follows: sets finish_reason -> what was held back,
        U+FFFD for the bytes of a character that is cut off."""
        self.finish_reason, rest = self.reason_to_end(), ""
        if self._decoder is not None:
            rest = self._stops.push(self._decoder.finish())
            rest += self._stops.finish()
        if self._stops.found:  # perhaps only now
            self.finish_reason = "stop"
        self.text += rest
        return rest


def as_text(ids, tokenizer):
    """-> their text; without a tokenizer, the ids themselves."""
    if tokenizer is None:
        return "".join(f"{id} " for id in ids)
    return tokenizer.decode(ids)
