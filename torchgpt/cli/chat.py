"""torchgpt chat: as npgpt chat, in PyTorch."""

from npgpt.cli import options
from npgpt.cli.chat import Request, talk
from npgpt.cli.options import with_options
from npgpt.cli.run import let_threads_sleep
from torchgpt.cli.sample import engine_on


@with_options("request", Request)
def chat(
    run: options.RunPath,
    *,
    request: Request,
    device: options.Device = None,
    as_json: options.AsJson = False,
) -> None:
    """Talk with a model that was trained to answer, with PyTorch.

    \b
    npgpt fetch smollm2
    torchgpt chat smollm2 --device auto
    """
    from npgpt.runs.adapters.with_adapters import load_with_adapters

    let_threads_sleep()
    engine = engine_on(device)
    talk(load_with_adapters(run, request.adapter), engine, request, as_json)
