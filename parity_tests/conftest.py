"""Profiles, the `acceptance` mark, and one thread a worker."""

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

EXAMPLES = {"dev": 50, "ci": 200, "acceptance": 200, "nightly": 5000, "gpu": 200}

for name, count in EXAMPLES.items():
    settings.register_profile(
        name, max_examples=count, deadline=None, derandomize=name == "ci",
        print_blob=True, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure(config):
    settings.load_profile(config.getoption("--profile"))
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        import torch

        torch.set_num_threads(1)
        threadpool_limits(1, user_api="blas")
    config.addinivalue_line(
        "markers", "component: a check of one component; all that --candidate runs")
    config.addinivalue_line(
        "markers", "acceptance: slow; runs only with --profile acceptance")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--profile") == "acceptance":
        return
    slow = [item for item in items if item.get_closest_marker("acceptance")]
    if slow:
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)
        config.slow_count = len(slow)


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["slow_count"] = getattr(
            session.config, "slow_count", 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    config = node.config
    config.slow_count = max(getattr(config, "slow_count", 0),
                            getattr(node, "workeroutput", {}).get("slow_count", 0))


def pytest_terminal_summary(terminalreporter, config):
    slow = getattr(config, "slow_count", 0)
    if slow:
        terminalreporter.write_line(
            f"{slow} slow tests left out: pytest --profile acceptance runs them")


@pytest.fixture(scope="session")
def device(request):
    """Where torch computes: --device, cuda in the gpu profile, else the cpu."""
    default = "cuda" if request.config.getoption("--profile") == "gpu" else "cpu"
    return request.config.getoption("--device") or default


@pytest.fixture(scope="session")
def candidate(request):
    """The package of --candidate, or None."""
    return request.config.getoption("--candidate")
