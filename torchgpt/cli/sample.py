"""torchgpt sample: as npgpt sample, in PyTorch."""

from npgpt.cli import common
from npgpt.cli.sample import Row, check_weights, first_ids, write


def sample(
    run: common.RunPath,
    prompt: common.Prompts = None,
    ids: common.Ids = None,
    tokens: common.Tokens = 200,
    temperature: common.Temperature = 0.8,
    top_k: common.TopK = None,
    top_p: common.TopP = None,
    repetition_penalty: common.Penalty = 1.0,
    stop: common.Stop = None,
    seed: common.SampleSeed = 1,
    logprobs: common.LogProbs = False,
    stream: common.Stream = False,
    device: common.Device = None,
    as_json: common.AsJson = False,
) -> None:
    """Let a trained model continue a text, or several, with PyTorch.

    \b
    torchgpt sample runs/one --prompt "The " --tokens 200 --device auto
    """
    from npgpt.runs.checkpoint import load_checkpoint

    common.let_threads_sleep()
    from torchgpt import generation, to_torch
    from torchgpt.device import pick_device

    place = pick_device(device or "auto")
    checkpoint = load_checkpoint(run)
    check_weights(checkpoint)
    how = {
        "max_new_tokens": tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "repetition_penalty": repetition_penalty, "seed": seed,
    }
    starts = [first_ids(checkpoint, each, ids) for each in prompt or [None]]
    rows = [Row(checkpoint, start, stop or []) for start in starts]
    params = to_torch(checkpoint.params, place)
    write(rows, checkpoint, params, generation, how, logprobs, stream, as_json)
