"""What `finetune` prints, meanwhile and at its end."""

import sys

from npgpt.cli.progress import clock


def tell(summary: dict, run, began: int) -> None:
    """How the fine-tuning went. `began`: the step it started after."""
    print(f"{run.path}: steps {began + 1} to {summary['step']} in {clock(summary['seconds'])}")
    if summary["validation_loss"] is not None:
        print(f"validation loss at step {summary['validation_step']}:"
              f" {summary['validation_loss']:.4f} nats an answer's token")
    print(f"picture: {run.path / 'loss.png'}")


def reporting(progress):
    """Progress, and the answers to test questions as they come."""

    def report(record: dict) -> None:
        if "samples" not in record:
            return progress(record)
        for each in record["samples"].values():
            mark = "right" if each["right"] else "wrong"
            print(f"  {mark}: {each['question']} {each['answer']}", file=sys.stderr)

    return report
