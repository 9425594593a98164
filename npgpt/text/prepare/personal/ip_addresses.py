"""Public IP addresses: of the internet's own, and hardly a version or the number of a section."""

import ipaddress
import re
from collections.abc import Iterator

_IPV4 = re.compile(r"(?<![\w.])(?<!\d-)(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)")
_IPV6 = re.compile(
    r"(?:(?<=ip6:)|(?<![\w:.]))(?:[0-9A-Fa-f]{1,4}|:)(?::[0-9A-Fa-f]{0,4}){1,7}(?:(?:\.\d{1,3}){3})?(?![\w:]|\.\d)"
)
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that is given away so far
_VERSION = re.compile(
    r"(?:\b(?:version|v|release|rev|build|firmware|driver|patch|update|section|sect|chapter"
    r"|clause|oid)|§|#)\W{0,3}$", re.I)
_ADDRESS = re.compile(
    r"(?:://|@|\b(?:ip|addr|address|host|hostname|nameserver|dns|server|client|ping)\b\W{0,3})$",
    re.I)
LARGE = 64  # a version or a section seldom has four numbers of which one is as large


def ip_addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in _IPV6.finditer(text):
        try:
            address = ipaddress.IPv6Address(match[0])
        except ValueError:
            continue
        mapped = address.ipv4_mapped
        if (mapped and mapped.is_global) or (address in _UNICAST and address.is_global):
            yield match.span()
    for match in _IPV4.finditer(text):
        try:
            address4 = ipaddress.IPv4Address(match[0])
        except ValueError:
            continue
        before = text[max(0, match.start() - 24) : match.start()]
        public = address4.is_global and not address4.is_multicast
        large = max(address4.packed) >= LARGE or _ADDRESS.search(before)
        if public and large and not _VERSION.search(before):
            yield match.span()
