"""npgpt bench: speed and memory, side by side with what others use."""

import typer

from npgpt.cli.bench import attention, generation, gpu, lora, memory, step, tokenizer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Measure speed and memory side by side with the usual libraries.\n\n"
    "\b\nnpgpt bench step --size S",
)
app.command("step")(step.step)
app.command("memory")(memory.memory)
app.command("attention")(attention.attention)
app.command("tokenizer")(tokenizer.tokenizer)
app.command("generation")(generation.generation)
app.command("gpu")(gpu.gpu)
app.command("lora")(lora.lora)
