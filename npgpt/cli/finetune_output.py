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
        if "chosen" in record:
            print(f"  chosen over rejected: {record['chosen']:.1%} of the validation pairs",
                  file=sys.stderr)
        if record.get("step", 0) % 50 == 0 and "reward" in record:
            print(f"  mean reward of the last answers: {record['reward']:.2f}", file=sys.stderr)
        if not {"samples", "chosen", "reward"} & set(record):
            return progress(record)
        for each in record.get("samples", {}).values():
            mark = "right" if each["right"] else "wrong"
            print(f"  {mark}: {each['question']} {each['answer']}", file=sys.stderr)

    return report
