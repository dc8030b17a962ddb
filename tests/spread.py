"""How the suite is spread over processes (pytest -n): what stays together, what starts first."""

import os
import re
import time
from collections import Counter
from collections.abc import Iterable

import pytest

# The parts, in the order in which they start: the longest single tests first, so that no process
# works on one of them alone at the end. A test belongs to the first part whose pattern it matches.
PARTS = {
    "build of the book": r"tests/book/test_built\.py",
    "live": r"tests/live/",
    "notebooks": r"chapters/|tests/notebooks/",
    "builds of small books": r"tests/book/test_(build|environments)\.py",
    "studies": r"tests/unit/test_(study_mnist|studies|comparison)\.py",
    "book pages": r"tests/book/",
    "livefigures": r"livefigures/",
    "unit": r"",
}
# Tests that are long and share nothing costly. Those that look at a page of the book, which is
# named in brackets, share its tabs. All others stay together by file (a notebook, which nbval runs
# in one kernel, is a file too).
ALONE = re.compile(r"tests/live/|tests/book/test_build\.py|test_a_slice_of_each_record")
PAGE = re.compile(r"tests/book/test_(?!firefox|build).*\[(?:.*-)?(chapters/\w+)")
LAST = re.compile(r"tests/book/test_accessible\.py")  # it unfolds all that is on the page


def part_of(nodeid: str) -> str:
    """The part of the suite that a test belongs to."""
    return next(part for part, pattern in PARTS.items() if re.match(pattern, nodeid))


def group_of(nodeid: str) -> str:
    """What stays in one process with this test, in its order."""
    if ALONE.search(nodeid):
        return nodeid
    page = PAGE.match(nodeid)
    return f"the page {page[1]}" if page else nodeid.partition("::")[0]


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The tests, part after part, and what stays together; as they are otherwise."""
    items, parts = list(items), list(PARTS)
    groups = {group: k for k, group in enumerate(dict.fromkeys(group_of(i.nodeid) for i in items))}

    def place(item: pytest.Item) -> tuple[int, int, bool]:
        name = item.nodeid
        return parts.index(part_of(name)), groups[group_of(name)], bool(LAST.match(name))

    return sorted(items, key=place)


def table(reports: Iterable[object], began: float, load: float) -> Iterable[str]:
    """How many tests each part has, and how long they took."""
    seconds, tests = Counter(), Counter()
    for report in reports:
        if isinstance(report, pytest.TestReport):
            seconds[part_of(report.nodeid)] += report.duration
            tests[part_of(report.nodeid)] += report.when == "call"
    for part in filter(seconds.__contains__, PARTS):
        yield f"{part:22} {tests[part]:5} tests {seconds[part]:7.1f} s"
    work, wall = sum(seconds.values()), time.time() - began
    yield f"{'all':22} {sum(tests.values()):5} tests {work:7.1f} s, in {wall:.1f} s by the clock"
    loads = f"{load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
    yield f"load {loads}; {os.cpu_count()} cores"
