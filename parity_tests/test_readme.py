"""What the README says is what the source, the records and the commands say."""

import inspect
import json
import re
from pathlib import Path

import npgpt.layers
import torchgpt.layers
from npgpt.benchmarks import step
from npgpt.cli.main import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_pair_is_the_source():
    for half in (npgpt.layers, torchgpt.layers):
        both = (half.layer_norm, half.layer_norm_backward)
        assert "\n\n\n".join(inspect.getsource(f).rstrip() for f in both) in README


def test_the_table_is_the_records():
    records = [json.loads((ROOT / "docs/records" / f"{name}.json").read_text(encoding="utf-8"))
               for name in ("step-emerald-rapids-avx2", "step-emerald-rapids-avx512")]
    assert step.short_markdown(records) in README


def test_commands_and_links_exist():
    commands = {c.name for c in app.registered_commands} | {
        g.name for g in app.registered_groups}
    assert set(re.findall(r"`npgpt (\w+)", README)) <= commands
    for link in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / link).exists(), link
