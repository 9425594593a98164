"""A conversation with a model: what was said, kept within its context."""

from npgpt.errors import InputError
from npgpt.text.chat import encode_chat


class Chat:
    """`answer` yields what the model says next. It holds

    messages: the conversation, as the chat template takes it;
    left_out: how many of its oldest messages the last answer did not
        see, because they did not fit.

    engine: whose model answers. template, special_tokens: as
    `encode_chat` takes them. settings: a SamplingSettings. system: what
    the model is told before all else, or None."""

    def __init__(self, engine, template, special_tokens, settings,
                 system=None):
        self.engine, self.settings = engine, settings
        self.template, self.special_tokens = template, special_tokens
        self.messages, self.left_out = [], 0
        if system is not None:
            self.messages = [{"role": "system", "content": system}]

    def clear(self):
        """Forget what was said, but for the system's message."""
        self.messages = self.messages[:self.first()]
        self.left_out = 0

    def first(self):
        """-> the place of the first message that may be forgotten."""
        system = self.messages and self.messages[0]["role"] == "system"
        return 1 if system else 0

    def answer(self, question):
        """Yields the answer piece by piece. One that is not read to its
        end stays in the conversation as far as it was read. Raises
        InputError for a question that does not fit the context."""
        self.messages.append({"role": "user", "content": question})
        try:
            ids = self.fitting_ids()
        except InputError:
            self.messages.pop()
            raise
        said = ""
        try:
            for piece in self.engine.stream(ids, self.settings):
                said += piece
                yield piece
        finally:
            self.messages.append({"role": "assistant", "content": said})

    def fitting_ids(self):
        """-> the ids of as much of the conversation as leaves room for
        an answer; the oldest question is left out first, with its
        answer."""
        limit = self.engine.config.context_length
        room = self.settings.max_new_tokens
        for begin in range(self.first(), len(self.messages), 2):
            recent = (self.messages[:self.first()]
                      + self.messages[begin:])
            ids = encode_chat(
                self.engine.tokenizer, self.template, recent,
                self.special_tokens, add_generation_prompt=True)
            if limit is None or len(ids) + room <= limit:
                self.left_out = begin - self.first()
                return ids
        raise InputError(
            f"the question has {len(ids)} tokens and the context {limit},"
            f" of which {room} are for the answer: ask for less, or for"
            f" fewer --tokens")
