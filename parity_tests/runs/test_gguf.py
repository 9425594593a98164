"""GGUF files: each type of tensor, rows of RoPE, the tokenizer, and what is refused."""

import struct

import numpy as np
import pytest

from npgpt.errors import InputError
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.runs.fetch.from_gguf import split_pairs, write_directory
from npgpt.runs.fetch.gguf import read_gguf
from npgpt.text.tokenizers.byte_pairs import SPELLING

DRAW = np.random.default_rng(3)
TYPES = {"F32": 0, "F16": 1, "Q4_1": 3, "Q8_0": 8, "BF16": 30}


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(item):
    """A value with its type's number in front."""
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<Ii", 5, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str):
        return struct.pack("<I", 8) + string(item)
    inner = [value(each) for each in item]
    return struct.pack("<I", 9) + inner[0][:4] + struct.pack("<Q", len(inner)) + b"".join(
        each[4:] for each in inner)


def packed(array, kind):
    """An array's bytes and what they stand for, number by number."""
    flat = array.ravel().astype(np.float32)
    if kind == "F32":
        return flat.tobytes(), flat
    if kind == "F16":
        return flat.astype(np.float16).tobytes(), flat.astype(np.float16).astype(np.float32)
    if kind == "BF16":
        upper = (flat.view(np.uint32) >> 16).astype(np.uint16)
        return upper.tobytes(), (upper.astype(np.uint32) << 16).view(np.float32)
    data, meant = b"", []
    for start in range(0, len(flat), 32):
        block = flat[start : start + 32]
        if kind == "Q8_0":
            scale = np.float16(np.abs(block).max() / 127)
            numbers = [round(float(x) / float(scale)) for x in block]
            data += scale.tobytes() + struct.pack("<32b", *numbers)
            meant += [np.float32(scale) * np.float32(n) for n in numbers]
        else:
            least, scale = np.float16(block.min()), np.float16((block.max() - block.min()) / 15)
            numbers = [min(15, max(0, round((float(x) - float(least)) / float(scale))))
                       for x in block]
            data += scale.tobytes() + least.tobytes()
            data += bytes(numbers[i] | numbers[i + 16] << 4 for i in range(16))
            meant += [np.float32(scale) * np.float32(n) + np.float32(least) for n in numbers]
    return data, np.array(meant, np.float32)


def write(path, metadata, tensors, version=3):
    """tensors: name -> array, type. Gives what each stands for."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    head += b"".join(string(key) + value(item) for key, item in metadata.items())
    body, meant = b"", {}
    for name, (array, kind) in tensors.items():
        data, numbers = packed(array, kind)
        head += string(name) + struct.pack("<I", array.ndim)
        head += struct.pack(f"<{array.ndim}Q", *array.shape[::-1])
        head += struct.pack("<IQ", TYPES.get(kind, kind), len(body))
        body += data + b"\0" * (-len(data) % 32)
        meant[name] = numbers.reshape(array.shape)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + body)
    return meant


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_is_read_as_it_is_meant(kind, tmp_path):
    file = tmp_path / "a.gguf"
    meant = write(file, {"one": 7, "two": "ü", "three": [1.5, 2.5], "four": True},
                  {"first": (DRAW.normal(size=(3, 64)), kind),
                   "last": (DRAW.normal(size=32), kind)})
    found = read_gguf(file)
    assert found.metadata == {"one": 7, "two": "ü", "three": [1.5, 2.5], "four": True}
    for name, numbers in meant.items():
        assert found.tensor(name).dtype == np.float32
        np.testing.assert_array_equal(found.tensor(name), numbers)


def test_a_type_that_is_not_read_is_named(tmp_path):
    write(tmp_path / "a.gguf", {}, {"a": (np.zeros((1, 32)), "F32")})
    data = (tmp_path / "a.gguf").read_bytes()
    at = data.index(b"a") + 1 + 4 + 16
    (tmp_path / "a.gguf").write_bytes(data[:at] + struct.pack("<I", 12) + data[at + 4:])
    with pytest.raises(InputError, match="stored as Q4_K; read here are F32, F16"):
        read_gguf(tmp_path / "a.gguf")


def test_damage_is_one_line(tmp_path):
    """Cut off anywhere in its header, or bytes changed there: an error, never a traceback."""
    file, other = tmp_path / "a.gguf", tmp_path / "b.gguf"
    write(file, {"list": ["a", "bc"], "number": 5}, {"t": (np.ones((2, 32)), "Q8_0")})
    data = file.read_bytes()
    for end in range(0, len(data) - 32, 3):  # the last tensor is followed by padding
        other.write_bytes(data[:end])
        with pytest.raises(InputError) as caught:
            read_gguf(other)
        assert "\n" not in str(caught.value)
    draw = np.random.default_rng(0)
    for _ in range(300):
        place, byte = draw.integers(4, 130), draw.integers(0, 256)
        other.write_bytes(data[:place] + bytes([byte]) + data[place + 1:])
        try:
            found = read_gguf(other)
            [found.tensor(name) for name in found.tensors]
        except InputError as error:
            assert "\n" not in str(error)


def test_rows_of_pairs_side_by_side_become_two_halves():
    rows = np.arange(12)[:, None] * np.ones((1, 3))     # 2 heads of 6
    assert split_pairs(rows, 2)[:, 0].tolist() == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]


METADATA = {
    "general.architecture": "llama", "llama.block_count": 1, "llama.context_length": 16,
    "llama.embedding_length": 32, "llama.feed_forward_length": 64, "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2, "llama.rope.freq_base": 500.0,
    "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.rope.dimension_count": 8,
    "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": ["<|endoftext|>", *SPELLING.values(), "he", "hel"],
    "tokenizer.ggml.token_type": [3, *[1] * 258], "tokenizer.ggml.merges": ["h e", "he l"],
    "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 0,
    "tokenizer.chat_template": "{{ messages[0]['content'] }}",
}


def tensors(kind="Q8_0"):
    shapes = {"token_embd": (259, 32), "blk.0.attn_q": (32, 32), "blk.0.attn_k": (16, 32),
              "blk.0.attn_v": (16, 32), "blk.0.attn_output": (32, 32), "blk.0.ffn_gate": (64, 32),
              "blk.0.ffn_up": (64, 32), "blk.0.ffn_down": (32, 64)}
    found = {f"{name}.weight": (DRAW.normal(size=shape), kind) for name, shape in shapes.items()}
    norms = {f"{name}.weight": (1 + DRAW.normal(size=32), "F32")
             for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm")}
    return found | norms


def test_a_directory_that_we_and_transformers_open_alike(tmp_path):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    write(tmp_path / "a.gguf", METADATA, tensors())
    out = tmp_path / "out"
    out.mkdir()
    write_directory(read_gguf(tmp_path / "a.gguf"), out)
    ours = load_checkpoint(out)
    assert (ours.config.kv_heads, ours.config.theta, ours.config.eps) == (2, 500.0, 1e-5)
    assert ours.config.tied
    theirs = transformers.AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
    from npgpt.models import llama

    ids = np.array([[1, 5, 200, 258, 0, 7]])
    logits, _ = llama.forward(ours.params, ids, ours.config)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(ids)).logits.numpy()
    assert np.abs(logits - expected).max() < 1e-4 * np.abs(expected).max()
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    for text in ("hello 2026", "  a\n\nb<|endoftext|>", "12 34ü"):
        assert ours.tokenizer.encode(text, "all") == tokenizer(text)["input_ids"], text


@pytest.mark.parametrize(("key", "given", "message"), [
    ("general.architecture", "mamba", "architecture 'mamba'; read here are llama"),
    ("tokenizer.ggml.model", "llama", "its tokenizer is 'llama'"),
    ("tokenizer.ggml.pre", "tekken", "cuts text as 'tekken'; known here are gpt-2"),
    ("llama.rope.scaling.type", "yarn", "scales RoPE by 'yarn'"),
])
def test_what_is_not_read_is_named(key, given, message, tmp_path):
    write(tmp_path / "a.gguf", {**METADATA, key: given}, tensors())
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=message):
        write_directory(read_gguf(tmp_path / "a.gguf"), tmp_path / "out")


def test_a_tensor_that_is_not_known_is_named(tmp_path):
    write(tmp_path / "a.gguf", METADATA, {**tensors(), "rope_freqs.weight": (np.ones(32), "F32")})
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="rope_freqs"):
        write_directory(read_gguf(tmp_path / "a.gguf"), tmp_path / "out")
