from parity_tests.runs.conftest import corpus, no_pictures, npgpt, torchgpt

__all__ = ["corpus", "no_pictures", "npgpt", "torchgpt"]
