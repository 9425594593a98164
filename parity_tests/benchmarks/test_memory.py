"""npgpt bench memory, and that a long run takes no more memory than a short one."""

import json
import subprocess
import sys

import pytest

from npgpt.benchmarks import memory, step
from npgpt.cli.main import main

STEPS = 2000


def test_memory_gives_each_process_s_peaks_a_picture_and_a_record(
        capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CHILD", """
import sys
context = eval(sys.argv[2])[3]
print(1_000_000 * context)
print(2_000_000 * context)
""")
    picture, record = tmp_path / "memory.png", tmp_path / "memory.json"
    status = main(["bench", "memory", "--context-lengths", "16,8", "--steps", "2",
                   "--plot", str(picture), "--record", str(record)])
    out = capsys.readouterr().out
    assert status == 0 and "16 MB" in out and "32 MB" in out
    peaks = json.loads(record.read_text())["peak_bytes"]
    assert peaks["npgpt"] == peaks["torchgpt.GPT"] == {
        "16": [16_000_000, 32_000_000], "8": [8_000_000, 16_000_000]}
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_process_of_memory_that_ends_early(capsys, monkeypatch):
    for code, words in (("raise MemoryError('none left')", "none left"),
                        ("import os; os.kill(os.getpid(), 9)", "memory may be short")):
        monkeypatch.setattr(memory, "CHILD", code)
        assert main(["bench", "memory", "--context-lengths", "8"]) == 2
        err = capsys.readouterr().err
        assert err.startswith("error: npgpt with context 8 ended") and words in err
        assert err.count("\n") == 1


@pytest.mark.acceptance
@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage, which Windows lacks")
def test_memory_stays_flat():
    """The peak of 200 steps is, within 3 %, that of 2,000."""
    size = step.SIZES["S"][0]
    done = subprocess.run(
        [sys.executable, "-c", memory.CHILD, "npgpt", json.dumps(size), str(STEPS)],
        check=True, capture_output=True, text=True, timeout=900)
    peaks = [int(line) for line in done.stdout.split()]
    assert len(peaks) == STEPS
    assert peaks[-1] <= 1.03 * peaks[199], (peaks[199], peaks[-1])
