"""The options that commands share, annotated for typer."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.runs.settings import Settings


def option(
    flag: str, text: str, metavar: str | None = "N", default: Any = None, *also: str
) -> Any:
    """An option that is None unless given; its default stands in `text`."""
    if default is not None:
        text = f"{text} [{default:g}]" if isinstance(default, float) else f"{text} [{default}]"
    return typer.Option(flag, *also, help=text, metavar=metavar, show_default=False)


D = Settings()
Whole = int | None
Real = float | None
Text = str | None

Corpus = Annotated[
    Text, option("--corpus", "A name, file, or prepared DIR.", "NAME", D.corpus, "--data")
]
TokenizerFile = Annotated[
    Text, option("--tokenizer", "A file, words, or bpe:SIZE.", "NAME", "its characters")
]
Out = Annotated[Path | None, option("--out", "The run's directory.", "DIR", "runs/…-1, -2, …")]
Resume = Annotated[bool, option("--resume", "Continue the run in --out.", None)]
Steps = Annotated[Whole, option("--steps", "Updates in all.", default=D.steps)]
Seed = Annotated[Whole, option("--seed", "Of every random draw.", default=D.seed)]
Layers = Annotated[Whole, option("--layers", "Blocks.", default=D.layers)]
Heads = Annotated[Whole, option("--heads", "Attention heads a block.", default=D.heads)]
Channels = Annotated[Whole, option("--channels", "Width of the stream.", default=D.channels)]
ContextLength = Annotated[
    Whole, option("--context-length", "Tokens it sees at once.", default=D.context_length)
]
Tied = Annotated[
    bool | None, option("--tied/--untied", "Share head and embedding. [untied]", None)
]
Dtype = Annotated[Text, option("--dtype", "float32 or float64.", "NAME", D.dtype)]
BatchSize = Annotated[Whole, option("--batch-size", "Windows a step.", default=D.batch_size)]
Accumulate = Annotated[
    Whole, option("--accumulate", "Parts a batch is computed in.", default=D.accumulate)
]
Dropout = Annotated[Real, option("--dropout", "Share that is dropped.", "P", D.dropout)]
LearningRate = Annotated[
    Real, option("--learning-rate", "The highest rate.", "X", D.learning_rate)
]
MinimumRate = Annotated[
    Real, option("--minimum-rate", "The last rate.", "X", "a tenth of the highest")
]
WarmupSteps = Annotated[
    Whole, option("--warmup-steps", "Steps up to it.", default="a twentieth of --steps")
]
DecaySteps = Annotated[
    Whole, option("--decay-steps", "Steps down to the minimum.", default="--steps")
]
WeightDecay = Annotated[Real, option("--weight-decay", "AdamW's.", "X", D.weight_decay)]
Beta1 = Annotated[Real, option("--beta-1", "AdamW's, of the mean.", "X", D.beta_1)]
Beta2 = Annotated[Real, option("--beta-2", "AdamW's, of the square.", "X", D.beta_2)]
Clip = Annotated[Real, option("--clip", "Longest gradient.", "X", D.clip)]
EvaluateEvery = Annotated[
    Whole, option("--evaluate-every", "Steps between validations.", default=D.evaluate_every)
]
EvaluateBatches = Annotated[
    Whole, option("--evaluate-batches", "Batches of a validation.", default="all the text")
]
SaveEvery = Annotated[
    Whole, option("--save-every", "Steps between checkpoints.", default=D.save_every)
]
Check = Annotated[bool, option("--check", "Check the model first; train nothing.", None)]
AsJson = Annotated[bool, option("--json", "Print one JSON object.", None)]
Device = Annotated[Text, option("--device", "auto, cpu, cuda or mps.", "NAME", "auto")]

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run's directory, or its best/.")]
Prompts = Annotated[
    list[str] | None,
    typer.Option("--prompt", help="The text to continue; repeat. [a line end]", metavar="TEXT",
                 show_default=False),
]
Ids = Annotated[Text, option("--ids", "Or its token ids: 1,2,3.", "LIST")]
Tokens = Annotated[int, typer.Option(help="Tokens to add.", metavar="N")]
Temperature = Annotated[float, typer.Option(help="0: always the likeliest.", metavar="X")]
TopK = Annotated[Whole, option("--top-k", "Only the K likeliest.", "K")]
TopP = Annotated[Real, option("--top-p", "Only those that make up P.", "P")]
Penalty = Annotated[
    float, typer.Option("--repetition-penalty", help="Above 1: repeat less.", metavar="X")
]
Stop = Annotated[
    list[str] | None,
    typer.Option("--stop", help="End before this text; repeat.", metavar="TEXT",
                 show_default=False),
]
LogProbs = Annotated[
    bool, typer.Option("--logprobs", help="A line a token, with its log-probability.")
]
Stream = Annotated[bool, typer.Option("--stream", help="With --json: an object a token, too.")]
SampleSeed = Annotated[int, typer.Option("--seed", help="Of the draws.", metavar="N")]


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The settings among a command's arguments that were given."""
    names = [field.name for field in fields(Settings)]
    return {name: values[name] for name in names if values.get(name) is not None}
