"""Messages of one's own: a directory whose folders say which are spam."""

import email
import re
from email.message import Message as Mail
from pathlib import Path

from npgpt.errors import InputError
from npgpt.files import read_bytes
from npgpt.text.corpora.spam.generate import HAM, SPAM, Message


def read_messages(directory: Path) -> list[Message]:
    """The .txt files in folders whose names begin with "spam", or hold "ham" (as in
    SpamAssassin's spam-1 and easy-ham-2); of several with one text the first.

    A file that begins as an e-mail does is read as one: its subject and the text of its
    body, without the headers, which tell where a message was collected and not what it says.
    """
    if not directory.is_dir():
        raise InputError(f"{directory} is no directory: give one with a folder of spam and one"
                         " of ham")
    messages: dict[str, Message] = {}
    for file in sorted(directory.rglob("*.txt")):
        label = _label(file.parent.name.lower())
        if label is not None:
            text = _text(read_bytes(file))
            if text:
                messages.setdefault(text, Message(text, label))
    labels = [message.label for message in messages.values()]
    for label, name in ((SPAM, "spam"), (HAM, "ham")):
        if labels.count(label) < 10:
            raise InputError(f"{directory} has {labels.count(label)} .txt files of {name}; put at"
                             f" least 10 into a folder called {name}")
    return list(messages.values())


def _label(folder: str) -> int | None:
    if folder.startswith("spam"):
        return SPAM
    return HAM if re.search(r"\bham\b|_ham\b", folder) else None


def _text(data: bytes) -> str:
    start = data.lstrip().split(b"\n", 1)[0]
    if not re.match(rb"From |[A-Za-z-]+:", start):
        return _words(data.decode("utf-8", errors="replace"))
    mail = email.message_from_bytes(data)
    return _words(" ".join([str(mail.get("subject", "")), *map(_part, mail.walk())]))


def _part(part: Mail) -> str:
    if part.get_content_maintype() != "text":
        return ""
    payload = part.get_payload(decode=True)
    text = payload.decode("latin-1") if isinstance(payload, bytes) else ""
    return re.sub(r"<[^>]*>", " ", text) if part.get_content_subtype() == "html" else text


def _words(text: str) -> str:
    """One line, without characters that would move a terminal's cursor."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
