"""Options of the test command. They stand at the root, where pytest finds
them before it reads the rest of the line; the work is in parity_tests/plugin.py."""

import signal

pytest_plugins = ("parity_tests.plugin",)

PROFILES = {
    "dev": "50 examples a case (the default)",
    "ci": "200 examples, the same each time",
    "acceptance": "200 examples, and all that is slow",
    "nightly": "5,000 examples",
    "gpu": "200 examples on --device, first float32, then bfloat16",
}


# A shell starts what runs in its background with Ctrl-C ignored, and all that
# is started from there; some tests send Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    group = parser.getgroup("parity")
    listed = "; ".join(f"{name}: {what}" for name, what in PROFILES.items())
    group.addoption("--profile", default="dev", choices=PROFILES, help=listed)
    group.addoption("--device", default=None, help="where torch computes: cpu, cuda, mps")
    group.addoption("--candidate", default=None, metavar="PACKAGE",
                    help="check the functions of this package instead of ours")
    group.addoption("--report", default=None, metavar="DIR",
                    help="write report.json and report.svg here, not to pytest's cache")
