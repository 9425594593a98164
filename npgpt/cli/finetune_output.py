"""What npgpt finetune shows while it trains."""

import sys


def engine_of(params, run):
    """What answers test questions meanwhile, in NumPy."""
    from npgpt.generation import Engine
    from npgpt.models import BY_TYPE

    return Engine(BY_TYPE[run.model.FILES["model_type"]], params, run.config,
                  run.data.tokenizer)


def reporting(progress):
    """Progress, and the answers to test questions as they come."""

    def report(record: dict) -> None:
        if "samples" not in record:
            return progress(record)
        for each in record["samples"].values():
            mark = "right" if each["right"] else "wrong"
            print(f"  {mark}: {each['question']} {each['answer']}", file=sys.stderr)

    return report
