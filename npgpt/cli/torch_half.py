"""The `torchgpt` command's door: says what to install where there is no torch."""

from npgpt.cli import common


def main() -> int:
    try:
        from torchgpt.cli.main import main as run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return common.fail(f"torch is not installed: {common.INSTALL['torch']}")
    return run()
