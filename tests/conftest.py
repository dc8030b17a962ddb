"""What all tests share: the repository's places, a browser, and what to report at the end."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from spread import group_of, in_order, table

ROOT = Path(__file__).parent.parent
os.environ["TQDM_DISABLE"] = "1"  # a progress bar is not an output to compare
os.environ.pop("LIVEFIGURES_BUILD", None)
# As many processes as cores are at work: more threads than one in each would only wait for others.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

# In the background of a shell a process ignores Ctrl+C, and so would those that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MEASURED: list[str] = []
BEGAN, LOAD = time.time(), os.getloadavg()[0]


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Hand out the tests as `spread` says, in its order, whatever pytest's own options say."""
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = group_of
    return scheduler


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest start first."""
    items[:] = in_order(items)


@pytest.fixture(scope="session")
def report() -> list[str]:
    """Lines to print when all tests are done."""
    return MEASURED


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In one of several processes: hand over what was measured."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["measured"] = MEASURED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """In the process that gathers: take what another one has measured."""
    MEASURED.extend(getattr(node, "workeroutput", {}).get("measured", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests measured, and how long they took."""
    if MEASURED:
        terminalreporter.section("measured")
        for line in sorted(MEASURED):
            terminalreporter.write_line(line)
    terminalreporter.section("how long each part took")
    reports = [report for some in terminalreporter.stats.values() for report in some]
    for line in table(reports, BEGAN, LOAD):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def run_id(request: pytest.FixtureRequest) -> str:
    """What tells this run of the tests from others, in all of its processes."""
    workerinput = getattr(request.config, "workerinput", {})
    return workerinput.get("testrunuid", f"{os.getpid()}-{BEGAN}")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def config() -> dict:
    """The book's _config.yml."""
    return yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator:
    """Chromium, or a failure that says how to get it; one for all, for Playwright starts once."""
    from chromium import MISSING, find, launch
    from playwright.sync_api import sync_playwright

    if running := getattr(pytestconfig, "chromium", None):  # of livefigures/tests
        yield running
        return
    path = find() or pytest.fail(MISSING)
    with sync_playwright() as playwright:
        pytestconfig.chromium = launch(playwright, path)
        yield pytestconfig.chromium
        pytestconfig.chromium.close()
        del pytestconfig.chromium
