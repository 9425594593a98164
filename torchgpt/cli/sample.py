"""torchgpt sample: as npgpt sample, in PyTorch."""

from npgpt.cli import common
from npgpt.cli.sample import check_weights, first_ids, settings_of, write


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
    from torchgpt import to_torch
    from torchgpt.device import pick_device
    from torchgpt.generation import Engine
    from torchgpt.models import BY_TYPE

    place = pick_device(device or "auto")
    checkpoint = load_checkpoint(run)
    check_weights(checkpoint)
    starts = [first_ids(checkpoint, each, ids) for each in prompt or [None]]
    settings = settings_of(
        checkpoint, tokens, temperature, top_k, top_p, repetition_penalty, seed, stop)
    model = BY_TYPE[checkpoint.family.FILES["model_type"]]
    params = to_torch(checkpoint.params, place)
    engine = Engine(model, params, checkpoint.config, checkpoint.tokenizer)
    write(engine, starts, settings, logprobs, stream, as_json)
