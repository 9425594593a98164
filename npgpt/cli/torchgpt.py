"""The `torchgpt` command's door: says what to install where there is no torch."""

from npgpt.cli.run import INSTALL, fail


def main() -> int:
    try:
        from torchgpt.cli.main import main as run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return fail(f"torch is not installed: {INSTALL['torch']}")
    return run()
