"""npgpt bench: measured side by side with what others use."""

import typer

from npgpt.cli import bench_generation, bench_gpu, bench_memory, bench_step, bench_tokenizer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Measure speed side by side with the usual libraries.\n\n"
    "\b\nnpgpt bench step --size S",
)
app.command("step")(bench_step.step)
app.command("memory")(bench_memory.memory)
app.command("tokenizer")(bench_tokenizer.tokenizer)
app.command("generation")(bench_generation.generation)
app.command("gpu")(bench_gpu.gpu)
