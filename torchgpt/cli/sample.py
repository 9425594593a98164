"""torchgpt sample: as npgpt sample, in PyTorch."""

from npgpt.cli import common
from npgpt.cli.sample import write


def sample(
    run: common.RunPath,
    prompt: common.Prompt = None,
    ids: common.Ids = None,
    tokens: common.Tokens = 200,
    temperature: common.Temperature = 0.8,
    top_k: common.TopK = None,
    top_p: common.TopP = None,
    seed: common.SampleSeed = 1,
    device: common.Device = None,
    as_json: common.AsJson = False,
) -> None:
    """Let a trained model continue a text, with PyTorch.

    \b
    torchgpt sample runs/one --prompt "The " --tokens 200 --device auto
    """
    from npgpt.checkpoint import load_checkpoint
    from torchgpt import to_torch
    from torchgpt.device import pick_device
    from torchgpt.generation import generate

    place = pick_device(device or "auto")
    checkpoint = load_checkpoint(run)
    params = to_torch(checkpoint.params, place)
    write(checkpoint, params, generate, prompt, ids, tokens, temperature,
          top_k, top_p, seed, as_json)
