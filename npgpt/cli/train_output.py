"""What `train` prints at its end."""

from npgpt.cli.progress import clock


def tell(summary: dict, run, began: int) -> None:
    """How the training went. `began`: the step it started after."""
    print(f"{run.path}: steps {began + 1} to {summary['step']} in"
          f" {clock(summary['seconds'])}" if summary["step"] > began
          else f"{run.path}: no step taken")
    loss = summary["validation_loss"]
    if loss is not None:
        print(f"validation loss at step {summary['validation_step']}: {loss:.4f} nats a token,"
              f" perplexity {summary['perplexity']:.2f},"
              f" {summary['bits_per_byte']:.3f} bits a byte")
    tell_of_training_text(summary)
    if summary["expected"]:
        print(summary["expected"])
    print(f"picture: {run.path / 'loss.png'}")


def tell_of_training_text(summary: dict) -> None:
    if "training_text_loss" in summary:
        print("training loss over as much of the training text:"
              f" {summary['training_text_loss']:.4f} nats a token")
        if summary["easier"]:
            print(summary["easier"])
