"""Profiles, the `acceptance` mark, one thread a worker, the last table."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from threadpoolctl import threadpool_limits

from npgpt.files import write_atomically

EXAMPLES = {"dev": 50, "ci": 200, "acceptance": 200, "nightly": 5000, "gpu": 200}

for name, count in EXAMPLES.items():
    settings.register_profile(
        name, max_examples=count, deadline=None, derandomize=name == "ci",
        print_blob=True, phases=[phase for phase in Phase if phase is not Phase.explain],
        suppress_health_check=[HealthCheck.too_slow])


def pytest_configure(config):
    profile = config.getoption("--profile")
    settings.load_profile(profile)
    if not hasattr(config, "workerinput"):
        from parity_tests import report

        config.commit = report.commit()     # now: a tree may change under a long run
    config.left_out, config.parity_parts, config.began = {}, [], time.monotonic()
    config.addinivalue_line(
        "markers", "component: a check of one component; all that --candidate and gpu run")
    config.addinivalue_line(
        "markers", "acceptance: slow; runs only with --profile acceptance")
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        import torch

        torch.set_num_threads(1)
        threadpool_limits(1, user_api="blas")
        if profile == "gpu":
            from torchgpt.device import use_exact_arithmetic

            use_exact_arithmetic()


def pytest_collection_modifyitems(config, items):
    def leave_out(why, wrong):
        unwanted = [item for item in items if wrong(item)]
        if unwanted:
            items[:] = [item for item in items if item not in unwanted]
            config.hook.pytest_deselected(items=unwanted)
            config.left_out[why] = len(unwanted)

    profile, candidate = config.getoption("--profile"), config.getoption("--candidate")
    if candidate:
        from npgpt.checking.components import functions_of
        from npgpt.checking.implementations import lookup

        find = lookup(candidate)
        leave_out("checks of what is not offered", lambda item: "component" in getattr(
            item, "fixturenames", ()) and not all(
                map(find, functions_of(item.callspec.params["component"]))))
    if profile == "gpu" or candidate:
        leave_out("tests of what is not a component's",
                  lambda item: not item.get_closest_marker("component"))
    if profile != "acceptance":
        leave_out("slow tests: pytest --profile acceptance runs them",
                  lambda item: item.get_closest_marker("acceptance"))


def pytest_sessionfinish(session):
    from parity_tests import report, suite

    part = {**report.tallies_as_plain(suite.TALLIES, suite.MUTANTS), "fuzzed": suite.FUZZED}
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["parity"] = part
        session.config.workeroutput["left_out"] = session.config.left_out
    else:
        session.config.parity_parts.append(part)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    output = getattr(node, "workeroutput", {})
    if "parity" in output:
        node.config.parity_parts.append(output["parity"])
        node.config.left_out |= output["left_out"]


def pytest_terminal_summary(terminalreporter, config):
    from parity_tests import report

    for why, count in config.left_out.items():
        terminalreporter.write_line(f"left out: {count} {why}")
    merged = report.merge(config.parity_parts)
    fuzzed = report.merge_fuzzed(config.parity_parts)
    if config.getoption("--profile") == "acceptance" and report.is_whole_fuzz(fuzzed):
        record = report.as_fuzz_record(fuzzed, config.commit)
        write_atomically(report.FUZZ_RECORD, json.dumps(record, indent=1) + "\n")
        terminalreporter.write_line(f"written: {report.FUZZ_RECORD}")
    if config.getoption("--candidate"):
        print_verdicts(terminalreporter, config.getoption("--candidate"))
        return
    if not merged["components"]:
        return
    where = where_torch_computes(config)
    record = report.as_record(merged, config.getoption("--profile"), where, config.commit)
    terminalreporter.section("parity")
    for line in report.table(record):
        terminalreporter.write_line(line)
    complete = set(merged["components"]) == set(report.CASES)
    if config.getoption("--profile") == "gpu" and complete and str(where).startswith("cuda"):
        report.write(record, report.HERE, "gpu")
    if is_whole_acceptance_run(config):
        kept = report.as_acceptance(record, terminalreporter.stats, time.monotonic() - config.began)
        write_atomically(report.ACCEPTANCE_RECORD, json.dumps(kept, indent=1) + "\n")
        terminalreporter.write_line(f"written: {report.ACCEPTANCE_RECORD}")
    directory = config.getoption("--report")
    if directory is None and hasattr(config, "cache"):
        directory = config.cache.mkdir("parity")
    if directory is not None:
        report.write(record, directory)
        terminalreporter.write_line(f"written: {directory}/report.json, report.svg")


def is_whole_acceptance_run(config):
    """Not one of chosen files or names."""
    chosen = ("keyword", "markexpr", "lf", "deselect", "ignore", "ignore_glob")
    return (config.getoption("--profile") == "acceptance"
            and not any(config.getoption(option) for option in chosen)
            and {Path(each).resolve() for each in config.args} <= {
                config.rootpath, config.rootpath / "parity_tests"})


def print_verdicts(terminalreporter, package):
    """Which components of a candidate are right, wrong, or not offered."""
    from npgpt.checking.candidates import as_lines
    from npgpt.checking.components import CASES, functions_of
    from npgpt.checking.implementations import lookup

    find, stats = lookup(package), terminalreporter.stats
    offered = [name for name in CASES if all(map(find, functions_of(name)))]
    wrong = {}
    for report in stats.get("failed", []) + stats.get("error", []):
        wrong.setdefault(component_of(report), list(what_is_wrong(report.longreprtext)))
    held = {component_of(report) for report in stats.get("passed", [])} - set(wrong)
    terminalreporter.section(f"candidate {package}")
    found = {"right": [name for name in offered if name in held],
             "wrong": {name: wrong[name] for name in CASES if name in wrong},
             "not_offered": [name for component in CASES for name in functions_of(component)
                             if not find(name)]}
    for line in as_lines(found):
        terminalreporter.write_line(line)
    for name in offered:
        if name not in held and name not in wrong:
            terminalreporter.write_line(f"not tried    {name}")


def component_of(report):
    """test_components.py::test_it[layer_norm] -> layer_norm."""
    return report.nodeid.rpartition("[")[2].rstrip("]")


def what_is_wrong(text):
    """The finding and the step, out of a failure's text."""
    said = dict.fromkeys(line[1:].strip() for line in text.splitlines() if line.startswith("E "))
    for line in said:
        if line.startswith(("parity_tests.suite.Wrong", "replay", "first value", "it looks")):
            yield line.removeprefix("parity_tests.suite.Wrong: ")
        if line.startswith("it looks"):
            return


def where_torch_computes(config):
    default = "cuda" if config.getoption("--profile") == "gpu" else "cpu"
    return config.getoption("--device") or default


@pytest.fixture(scope="session")
def device(request):
    """Where torch computes: --device, cuda in the gpu profile, else the cpu."""
    from torchgpt.device import pick_device

    return str(pick_device(where_torch_computes(request.config)))


@pytest.fixture(scope="session")
def candidate(request):
    """The package of --candidate, or None."""
    return request.config.getoption("--candidate")
