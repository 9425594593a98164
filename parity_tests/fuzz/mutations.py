"""Small damages to bytes, to JSON and to safetensors files, drawn from a seed.

Each function takes `rng`, a random.Random, and returns something else than it was
given; what it was given stays as it is."""

import copy
import json
import math

NUMBERS = (0, -1, 1, 2, 7, 10**9, -(10**18), 10**30, 0.5, -0.0, 1e308, math.nan, math.inf,
           -math.inf)
TEXTS = ("", " ", "x", "nan", "１２", "é", "\ud800", "a\0b", "../..", "\n", "a" * 5000, "true")
OTHERS = (None, True, False, [], {}, [[]], {"a": 1}, [None], [1, "x", None])


def any_value(rng):
    """A value of any type, often of the wrong one."""
    return copy.deepcopy(rng.choice(rng.choice((NUMBERS, TEXTS, OTHERS))))


def places(value, path=()):
    """Yields the path of each value inside a JSON value."""
    parts = value.items() if isinstance(value, dict) else (
        enumerate(value) if isinstance(value, list) else ())
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def another_value(rng, parent, key):
    parent[key] = any_value(rng)


def no_value(rng, parent, key):
    del parent[key]


def another_key(rng, parent, key):
    if isinstance(parent, dict):
        parent[key + rng.choice(("s", "_", " ", "\0", "x"))] = parent.pop(key)


def wrapped(rng, parent, key):
    parent[key] = rng.choice(([parent[key]], {"value": parent[key]}, str(parent[key])))


def negated(rng, parent, key):
    if isinstance(parent[key], (int, float)) and not isinstance(parent[key], bool):
        parent[key] = -parent[key]


def off_by_one(rng, parent, key):
    if isinstance(parent[key], (int, float)) and not isinstance(parent[key], bool):
        parent[key] += rng.choice((-1, 1))


def as_text(rng, parent, key):
    parent[key] = str(parent[key])


def swapped(rng, parent, key):
    other = rng.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
    parent[key], parent[other] = parent[other], parent[key]


def repeated(rng, parent, key):
    if isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))


def deep(rng, parent, key):
    parent[key] = json.loads("[" * 150 + "]" * 150)


CHANGES = (another_value, another_value, another_value, no_value, no_value, another_key, wrapped,
           negated, off_by_one, as_text, swapped, repeated, deep)


def json_value(rng, value):
    """One to three changes somewhere in a JSON value."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        known = list(places(value))
        if not known:
            return any_value(rng)
        shallow = [path for path in known if len(path) == 1]
        *above, key = rng.choice(shallow if rng.random() < 0.3 else known)
        rng.choice(CHANGES)(rng, at(value, above), key)
    return value if rng.random() < 0.98 else any_value(rng)


def json_text(rng, value):
    """The bytes of a JSON value that was changed, or whose text is damaged."""
    if rng.random() < 0.75:
        return json.dumps(json_value(rng, value)).encode()
    text = json.dumps(value, indent=rng.choice((None, 1)))
    return rng.choice((
        lambda: raw(rng, text.encode()),
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-8-sig"),
        lambda: text.encode() + b"\0",
        lambda: text.replace('"', "'").encode(),
        lambda: text.replace(":", ",", 1).encode(),
        lambda: b"[" * 100_000,
        lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        lambda: text.encode() * 2,
        lambda: b'{"x": 1' + b"0" * 5000 + b"}",
        lambda: ("{" + text.strip()[1:-1] + "," + text.strip()[1:]).encode(),    # each key twice
    ))()


def raw(rng, data):
    """Bytes that are cut off, changed, moved, repeated or foreign."""
    here, there = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return rng.choice((
        lambda: data[:here],
        lambda: data[here:],
        lambda: b"",
        lambda: data[:here] + rng.randbytes(rng.randrange(1, 9)) + data[here:],
        lambda: data[:here] + data[there:],
        lambda: data[there:] + data[here:there] + data[:here],
        lambda: data + data[here:there],
        lambda: data[:here] + bytes(there - here) + data[there:],
        lambda: data[:here] + bytes(255 - byte for byte in data[here:here + 3]) + data[here + 3:],
        lambda: rng.randbytes(rng.randrange(200)),
        lambda: b"\xff" * len(data),
    ))()


def safetensors(rng, data):
    """A safetensors file with another header, a damaged one, or other numbers."""
    length = int.from_bytes(data[:8], "little")
    header, numbers = json.loads(data[8:8 + length]), data[8 + length:]

    def joined(text, said=None):
        said = len(text) if said is None else said
        return said.to_bytes(8, "little") + text + numbers

    def other_numbers():
        here = rng.randrange(0, len(numbers), 4)
        wrong = rng.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\1\0\0\0"))
        return data[:8 + length] + numbers[:here] + wrong + numbers[here + 4:]

    def other_tensor():
        name = rng.choice([name for name in header if name != "__metadata__"])
        key, value = rng.choice((
            ("dtype", rng.choice(("F64", "F16", "BF16", "I32", "BOOL", "F8_E4M3", "F4", "f32"))),
            ("shape", [rng.choice(NUMBERS[:8]) for _ in range(rng.randrange(4))]),
            ("data_offsets", sorted(rng.randrange(len(numbers) + 9) for _ in range(2))),
            ("shape", header[name]["shape"][::-1])))
        return joined(json.dumps({**header, name: {**header[name], key: value}}).encode())

    return rng.choice((
        other_numbers, other_tensor, other_tensor,
        lambda: joined(json_text(rng, header)),
        lambda: joined(json.dumps(json_value(rng, header)).encode()),
        lambda: joined(data[8:8 + length], rng.choice((0, 1, length + 1, 2**31, 2**63, 2**64 - 1))),
        lambda: raw(rng, data),
    ))()


def text(rng, data):
    """A text in another encoding, damaged, or hard to read."""
    known = data.decode("utf-8")
    return rng.choice((
        lambda: known.encode("utf-16"),
        lambda: known.encode("utf-16-le"),
        lambda: known.encode("utf-32"),
        lambda: known.encode("utf-8-sig"),
        lambda: known.replace("e", "é").encode("latin-1", "replace"),
        lambda: known.replace("\n", "\r\n").encode(),
        lambda: known.replace(" ", "\u3000").encode(),
        lambda: known.replace("a", "\U0001f600").encode(),
        lambda: known.replace("e", "e\u0301").encode(),
        lambda: known.replace("\n", "").encode(),
        lambda: known.replace(" ", "\0").encode(),
        lambda: ("\u202e" + known + "\ufdd0\ufffe").encode(),
        lambda: b"\xed\xa0\x80" + data,
        lambda: b" \n\t" * 300,
        lambda: b"a" * 3000,
        lambda: raw(rng, data),
    ))()
