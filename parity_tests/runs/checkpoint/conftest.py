import pytest

from npgpt.runs.checkpoint import save_checkpoint
from npgpt.training import adamw_init
from parity_tests.runs.checkpoint.checkpoint_checks import make


@pytest.fixture
def saved(tmp_path):
    config, params, tokenizer = make(True)
    save_checkpoint(tmp_path / "run", config, params, tokenizer,
                    {"step": 1, "best": None, "optimizer": adamw_init(params)})
    return tmp_path / "run", params
