"""torchgpt sample: as npgpt sample, in PyTorch."""

from npgpt.cli import options
from npgpt.cli.options import with_options
from npgpt.cli.run import let_threads_sleep
from npgpt.cli.sample import Request, answer


@with_options("request", Request)
def sample(
    run: options.RunPath,
    *,
    request: Request,
    device: options.Device = None,
    as_json: options.AsJson = False,
) -> None:
    """Let a trained model continue a text, or several, with PyTorch.

    \b
    torchgpt sample runs/one --prompt "The " --tokens 200 --device auto
    """
    from npgpt.runs.adapters.with_adapters import load_with_adapters

    let_threads_sleep()
    engine = engine_on(device)
    answer(load_with_adapters(run, request.adapter), engine, request, as_json)


def engine_on(device: str | None):
    """-> what makes the engine of a checkpoint whose weights are on a device."""
    from torchgpt import to_torch
    from torchgpt.device import pick_device
    from torchgpt.generation import Engine
    from torchgpt.models import BY_TYPE

    chosen = pick_device(device or "auto")

    def engine(checkpoint):
        model = BY_TYPE[checkpoint.family.FILES["model_type"]]
        params = to_torch(checkpoint.params, chosen)
        return Engine(model, params, checkpoint.config, checkpoint.tokenizer)

    return engine
