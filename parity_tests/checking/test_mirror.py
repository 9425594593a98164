"""The two packages read alike: composites word for word, layers label by
label, and backward by forward's numbers."""

import ast
import re
from pathlib import Path

import pytest

import npgpt
import torchgpt
from npgpt.checking.statements import labels

NUMPY, TORCH = (Path(package.__file__).parent for package in (npgpt, torchgpt))
COMPOSITES = (
    "blocks/mlp", "blocks/multi_head_attention", "blocks/block", "blocks/gated_mlp",
    "blocks/grouped_query_attention", "blocks/llama_block", "blocks/post_norm_block",
    "blocks/cross_attention", "blocks/encoder_block", "blocks/decoder_block",
    "blocks/encoder", "blocks/decoder",
    "models/gpt2", "models/llama", "models/recurrent", "models/encoder_decoder",
)
# what else is one text, once torch's words for it are put back into NumPy's
LIKE = ("like.new_zeros(shape)", "np.zeros(shape, like.dtype)")
IDS = ("torch.tensor(rows, device=like.device)", "np.array(rows)")
NO_GRAD = ("@torch.no_grad()\n", "")
SAME_BUT_FOR = {
    "training/loss": [NO_GRAD], "training/loss_and_grads": [NO_GRAD],
    "generation/cache": [LIKE, IDS], "generation/beam_search": [
        NO_GRAD, ("logits.amax(dim=-1, keepdim=True)", "logits.max(axis=-1, keepdims=True)"),
        ("shifted.to(torch.float64)               #", "shifted.astype(np.float64)              #"),
        ("torch.exp(shifted).sum(dim=-1, keepdim=True)",
         "np.exp(shifted).sum(axis=-1, keepdims=True)"),
        ("torch.log(total)).tolist()      #", "np.log(total)).tolist()         #")],
    "generation/generate": [NO_GRAD], "generation/generate_batch": [NO_GRAD]}
LAYERS = sorted(path.stem for path in (NUMPY / "layers").glob("*.py") if path.stem != "__init__")
FOUNDATIONS = sorted(path.stem for path in (NUMPY / "foundations").glob("*.py")
                     if path.stem != "__init__")
PAIRS = [*(f"layers/{name}" for name in LAYERS), *COMPOSITES,
         *(f"foundations/{name}" for name in FOUNDATIONS),
         *SAME_BUT_FOR, "training/init", "training/adamw", "training/clip",
         "finetuning/lora",
         "generation/sample", "speed/one_token/gpt2"]


def text(package, name):
    return (package / f"{name}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMPOSITES)
def test_composites_are_the_same_text_but_for_imports(name):
    ours = text(NUMPY, name).replace("npgpt.", "torchgpt.")
    theirs = text(TORCH, name).replace("from npgpt.", "from torchgpt.")
    assert joined(ours) == joined(theirs)


@pytest.mark.parametrize("name", SAME_BUT_FOR)
def test_the_rest_is_the_same_text_but_for_a_few_words(name):
    ours, theirs = text(NUMPY, name), text(TORCH, name)
    for in_torch, in_numpy in SAME_BUT_FOR[name]:
        assert theirs.count(in_torch) == 1, in_torch
        theirs = theirs.replace(in_torch, in_numpy)
    assert in_lines(ours.replace("npgpt.", "torchgpt.")) == in_lines(
        theirs.replace("from npgpt.", "from torchgpt."))


def in_lines(source):
    """Those of `joined` that are not empty, without the library's import."""
    return [line for line in joined(source) if line and not line.startswith("import ")]


def joined(source):
    """The lines, each import on one of its own, imports sorted."""
    lines = re.sub(r"from (\S+) import \(([^)]*)\)", lambda found: "from {} import {}".format(
        found[1], " ".join(found[2].replace(",", ", ").split()).rstrip(",")), source).splitlines()
    imports = [line for line in lines if line.startswith("from ")]
    return sorted(imports) + [line for line in lines if not line.startswith("from ")]


@pytest.mark.parametrize("name", PAIRS)
def test_labels_are_the_same_words(name):
    ours, theirs = text(NUMPY, name), text(TORCH, name)
    assert [label[1:] for label in labels(ours)] == [label[1:] for label in labels(theirs)]


@pytest.mark.parametrize("package", [NUMPY, TORCH], ids=["numpy", "torch"])
@pytest.mark.parametrize("name", PAIRS)
def test_backward_counts_down_through_forward(package, name):
    source = text(package, name)
    steps = {function.name: [step for line, step, _ in labels(source)
                             if function.lineno < line <= function.end_lineno]
             for function in ast.parse(source).body if isinstance(function, ast.FunctionDef)}
    for function, forward in steps.items():
        backward = steps.get(f"{function}_backward")
        if backward is None:
            continue
        numbers = [int(number) for step in backward for number in step.split(", ")]
        assert forward == [str(i) for i in range(1, len(forward) + 1)], function
        assert numbers == list(range(len(forward), 0, -1)), function


@pytest.mark.parametrize("package", [NUMPY, TORCH], ids=["numpy", "torch"])
@pytest.mark.parametrize("name", PAIRS)
def test_lines_fit_a_pane(package, name):
    lines = text(package, name).splitlines()
    for number, line in enumerate(lines, 1):
        assert len(line) <= 72, f"line {number}: {line}"
    if name.startswith(("layers/", "foundations/")):
        assert len(lines) <= 150


def test_every_layer_has_its_twin():
    twins = {path.stem for path in (TORCH / "layers").glob("*.py") if path.stem != "__init__"}
    assert set(LAYERS) == twins


def test_every_foundation_has_its_twin():
    twins = {path.stem for path in (TORCH / "foundations").glob("*.py")}
    assert set(FOUNDATIONS) == twins - {"__init__"}
