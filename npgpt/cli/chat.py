"""npgpt chat: a conversation with a model on this machine."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from npgpt.cli import options
from npgpt.cli.options import option, with_options
from npgpt.cli.output import print_json
from npgpt.cli.sample import check_weights, engine_of
from npgpt.errors import InputError

HELP = "/clear forgets what was said, /quit ends; Ctrl-C stops an answer"


@dataclass
class Request:
    """What the command line asks for."""

    prompt: Annotated[str | None, option(
        "--prompt", "Ask this one question, print the answer and end.", "TEXT")] = None
    system: Annotated[str | None, option(
        "--system", "What the model is told before all else.", "TEXT")] = None
    tokens: Annotated[int, option(
        "--tokens", "Maximum number of tokens in an answer.", default=256)] = 256
    temperature: Annotated[float, option(
        "--temperature", "Sampling temperature; 0: always the likeliest.", "X", 0.2)] = 0.2
    top_k: Annotated[int | None, option(
        "--top-k", "Sample from the K likeliest tokens only.", "K")] = None
    top_p: Annotated[float | None, option(
        "--top-p", "Sample from the likeliest tokens that make up P.", "P", 0.9)] = 0.9
    seed: Annotated[int, option("--seed", "Random seed.", default=1)] = 1
    adapter: Annotated[list[str] | None, option(
        "--adapter", "LoRA adapter to add; may be repeated.", "DIR")] = None


@with_options("request", Request)
def chat(run: options.RunPath, *, request: Request, as_json: options.AsJson = False) -> None:
    """Talk with a model that was trained to answer.

    \b
    npgpt fetch smollm2
    npgpt chat smollm2
    npgpt chat smollm2 --prompt "What is the capital of France?"
    npgpt chat smollm2 --adapter runs/mine
    """
    from npgpt.runs.adapters.with_adapters import load_with_adapters

    talk(load_with_adapters(run, request.adapter), engine_of, request, as_json)


def talk(checkpoint, engine: Callable, request: Request, as_json: bool) -> None:
    """Answer one question, or all that are asked until the input ends."""
    from npgpt.generation import SamplingSettings
    from npgpt.runs.checkpoint.end_tokens import end_ids
    from npgpt.runs.checkpoint.tokenizer_files import read_chat_template
    from npgpt.text.conversation import Conversation

    check_weights(checkpoint)
    template, about = read_chat_template(checkpoint.template_path or checkpoint.path)
    if checkpoint.tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer, so there is nothing to talk with")
    settings = SamplingSettings(
        request.tokens, request.temperature, request.top_k, request.top_p, 1.0, request.seed,
        end_ids=end_ids(checkpoint.path, checkpoint.config, checkpoint.family))
    conversation = Conversation(
        checkpoint.tokenizer, template, checkpoint.config.context_length, request.tokens,
        request.system, about)
    model = engine(checkpoint)
    if as_json and request.prompt is None:
        raise InputError("--json prints one answer: give the question with --prompt")
    if request.prompt is not None:
        pieces = model.stream(conversation.ask(request.prompt), settings)
        answer = "".join(print_pieces(pieces, not as_json))
        if as_json:
            print_json({"question": request.prompt, "answer": answer})
        return
    ask(model, conversation, settings)


def ask(model, conversation, settings) -> None:
    """Questions from standard input, one a line, until it ends or /quit."""
    terminal = sys.stdin.isatty()
    if terminal:
        print(HELP, file=sys.stderr)
    while True:
        try:
            question = input("> " if terminal else "").strip()
        except EOFError:
            return
        if question == "/quit":
            return
        if question == "/clear":
            conversation.clear()
            print("forgotten", file=sys.stderr)
        elif question.startswith("/"):
            print(HELP, file=sys.stderr)
        elif question:
            answer(model, conversation, settings, question)


def answer(model, conversation, settings, question: str) -> None:
    """Print an answer; Ctrl-C ends it, and not the conversation."""
    before, said = conversation.forgotten, []
    try:
        ids = conversation.ask(question)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return
    try:
        for piece in print_pieces(model.stream(ids, settings)):
            said.append(piece)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
    conversation.answered("".join(said))
    if conversation.forgotten > before:
        print(f"note: {conversation.forgotten} of your questions no longer fit the context, and"
              " are forgotten with their answers", file=sys.stderr)


def print_pieces(pieces, printing: bool = True):
    """Yields each piece, printed as it comes, and a newline at the end."""
    for piece in pieces:
        if printing:
            print(piece, end="", flush=True)
        yield piece
    if printing:
        print()
