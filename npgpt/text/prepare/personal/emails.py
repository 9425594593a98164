"""E-mail addresses: of the right form, with a top-level domain that exists."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from npgpt.text.prepare.personal.libraries import load

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.%+@\\-])(?<![A-Za-z0-9_.~-]/)(?<!://)"
    r"(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_.%+'-]|\\_){0,63})"
    r"@(?P<domain>(?:\w[\w-]{0,62}\.){1,8}[A-Za-z]{2,24})(?![A-Za-z0-9_(@-])"
)
# what is no address although it has the form: an identifier of a message or of an SSH algorithm
_MESSAGE_ID = re.compile(r"(?:message-id|in-reply-to|references):[^\n]*$|\b[cm]id:$", re.I)
_ALGORITHM = re.compile(r"(?:sha\d+|md5|gcm|ctr|cbc|poly1305|etm)$")
_IN_URL = re.compile(r"://[^\s/@]*$")  # a user's name and password before a host
RESERVED = ("example", "test", "invalid")  # top-level domains that will never be given away


def emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        name, domain = match["name"], match["domain"]
        before = text[max(0, match.start() - 200) : match.start()]
        is_scp_path = name == "git" and text[match.end() : match.end() + 1] == ":"
        if (
            "_" not in domain
            and _is_public_domain(domain)
            and not is_scp_path
            and not _ALGORITHM.search(name)
            and not _IN_URL.search(before)
            and not _MESSAGE_ID.search(before)
        ):
            yield match.span()


def _is_public_domain(domain: str) -> bool:
    """Whether its top-level domain exists, or is reserved for examples."""
    last = domain.rpartition(".")[2].lower()
    return last in RESERVED or _suffixes().publicsuffix(last, accept_unknown=False) is not None


@lru_cache(1)
def _suffixes() -> Any:
    return load("publicsuffixlist").PublicSuffixList()
