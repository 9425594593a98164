"""GGUF files beside the package `gguf`: written by it, read by both; and what
`transformers` makes of a whole model in one."""

import numpy as np
import pytest

from npgpt.models import llama
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.runs.fetch.from_gguf import write_directory
from npgpt.runs.fetch.gguf import read_gguf
from parity_tests.runs import test_gguf

gguf = pytest.importorskip("gguf", reason="gguf is not installed: pip install 'npgpt[witness]'")
pytestmark = pytest.mark.acceptance
KINDS = ["F32", "F16", "BF16", "Q8_0", "Q4_1"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_is_read_as_it_reads_it(kind, tmp_path):
    file, draw = tmp_path / "a.gguf", np.random.default_rng(1)
    arrays = {"one": draw.normal(size=(6, 64)).astype(np.float32),
              "two": (1e-3 * draw.normal(size=(3, 2, 32))).astype(np.float32),
              "zeros": np.zeros((2, 32), np.float32)}
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_string("general.name", "grün")
    writer.add_array("some.list", ["a", "bc"])
    writer.add_float32("some.number", 0.5)
    kind_number = gguf.GGMLQuantizationType[kind]
    for name, array in arrays.items():
        data = gguf.quants.quantize(array, kind_number)
        writer.add_tensor(name, data, raw_dtype=kind_number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    found, theirs = read_gguf(file), gguf.GGUFReader(file)
    assert found.metadata["general.name"] == "grün"
    assert found.metadata["some.list"] == ["a", "bc"]
    assert found.metadata["some.number"] == 0.5
    assert {tensor.name for tensor in theirs.tensors} == set(found.tensors) == set(arrays)
    for tensor in theirs.tensors:
        meant = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        ours = found.tensor(tensor.name)
        assert ours.shape == arrays[tensor.name].shape
        np.testing.assert_array_equal(ours, meant.reshape(ours.shape))


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_1"])
def test_transformers_makes_the_same_of_a_model_in_the_file(kind, tmp_path):
    """It permutes RoPE's rows on its own: its logits are those of our directory."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    pytest.importorskip("accelerate", reason="pip install 'npgpt[witness]'")
    test_gguf.write(tmp_path / "a.gguf", test_gguf.METADATA, test_gguf.tensors(kind))
    (tmp_path / "out").mkdir()
    write_directory(read_gguf(tmp_path / "a.gguf"), tmp_path / "out")
    ours = load_checkpoint(tmp_path / "out")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="a.gguf", dtype=torch.float32).eval()
    ids = np.array([[1, 5, 200, 258, 0, 7]])
    logits, _ = llama.forward(ours.params, ids, ours.config)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(ids)).logits.numpy()
    assert np.abs(logits - expected).max() < 1e-4 * np.abs(expected).max()
