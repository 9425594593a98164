"""torchgpt sample: as npgpt sample, in PyTorch."""

from npgpt.cli import common
from npgpt.cli.sample import first_ids, write


def sample(
    run: common.RunPath,
    prompt: common.Prompt = None,
    ids: common.Ids = None,
    tokens: common.Tokens = 200,
    temperature: common.Temperature = 0.8,
    top_k: common.TopK = None,
    top_p: common.TopP = None,
    repetition_penalty: common.Penalty = 1.0,
    stop: common.Stop = None,
    seed: common.SampleSeed = 1,
    device: common.Device = None,
    as_json: common.AsJson = False,
) -> None:
    """Let a trained model continue a text, with PyTorch.

    \b
    torchgpt sample runs/one --prompt "The " --tokens 200 --device auto
    """
    from npgpt.checkpoint import load_checkpoint

    common.let_threads_sleep()
    from torchgpt import to_torch
    from torchgpt.device import pick_device
    from torchgpt.generation import generate_batch

    place = pick_device(device or "auto")
    checkpoint = load_checkpoint(run)
    how = {
        "max_new_tokens": tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "repetition_penalty": repetition_penalty, "seed": seed,
    }
    start = first_ids(checkpoint, prompt, ids)
    params = to_torch(checkpoint.params, place)
    write(checkpoint, params, generate_batch, start, stop or [], how, as_json)
