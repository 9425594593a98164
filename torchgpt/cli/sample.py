"""torchgpt sample: as npgpt sample, in PyTorch."""

from npgpt.cli import options
from npgpt.cli.run import let_threads_sleep
from npgpt.cli.sample import check_weights, first_ids, settings_of, write


def sample(
    run: options.RunPath,
    prompt: options.Prompts = None,
    ids: options.Ids = None,
    tokens: options.Tokens = 200,
    temperature: options.Temperature = 0.8,
    top_k: options.TopK = None,
    top_p: options.TopP = None,
    repetition_penalty: options.Penalty = 1.0,
    stop: options.Stop = None,
    seed: options.SampleSeed = 1,
    logprobs: options.LogProbs = False,
    stream: options.Stream = False,
    device: options.Device = None,
    as_json: options.AsJson = False,
) -> None:
    """Let a trained model continue a text, or several, with PyTorch.

    \b
    torchgpt sample runs/one --prompt "The " --tokens 200 --device auto
    """
    from npgpt.runs.checkpoint import load_checkpoint

    let_threads_sleep()
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
