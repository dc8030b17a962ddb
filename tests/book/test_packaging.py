"""The files that say what is installed, and where the book lives, agree with each other."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PLACES = ("*.md", "*.cff", "*.toml", "chapters/*.*", "distill_lib/*.py", "extensions/**/*.py")
PLACES += ("livefigures/*.*", "livefigures/src/**/*.py")


def requirements(path: Path) -> list[Requirement]:
    """Read a requirements file without its options, such as -e and -r."""
    lines = [line.split(" #")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def pins(path: Path) -> dict[str, str]:
    """The version of each package in a lock."""
    found = {}
    for requirement in requirements(path):
        (version,) = requirement.specifier
        assert version.operator == "==", requirement
        assert requirement.name not in found, f"two versions of {requirement.name}"
        found[requirement.name.lower()] = version.version
    return found


def test_locks_satisfy_requirements(root: Path) -> None:
    """Each lock pins all that its requirements name, within their ranges; the two locks agree."""
    reader, tests = pins(root / "requirements.lock"), pins(root / "requirements-test.lock")
    for requirement in requirements(root / "requirements.txt"):
        assert requirement.specifier.contains(reader[requirement.name.lower()]), requirement
    for requirement in requirements(root / "requirements-test.txt"):
        assert requirement.specifier.contains(tests[requirement.name.lower()]), requirement
    assert reader.items() <= tests.items()
    assert "torch" not in tests
    for lock in root.glob("requirements*.lock"):
        assert "://" not in lock.read_text("utf-8")


LIBRARIES = ("pyproject.toml", "livefigures/pyproject.toml")


def project(root: Path, path: str) -> dict:
    """What a library says of itself."""
    return tomllib.loads((root / path).read_text("utf-8"))["project"]


def dependencies(root: Path) -> list[Requirement]:
    """What the libraries need beside one another."""
    lines = [line for path in LIBRARIES for line in project(root, path)["dependencies"]]
    return [Requirement(line) for line in lines if line != "livefigures"]


def test_libraries_need_no_more_than_the_reader_installs(root: Path) -> None:
    """Each pyproject.toml asks for nothing that requirements.txt does not."""
    listed = {requirement.name for requirement in requirements(root / "requirements.txt")}
    assert {requirement.name for requirement in dependencies(root)} <= listed
    for path in LIBRARIES:
        assert project(root, path)["requires-python"] == ">=3.11"


@pytest.mark.parametrize("name", ["requirements.txt", "binder/requirements.txt"])
def test_both_libraries_are_installed_in_place_by_one_command(root: Path, name: str) -> None:
    """distill_lib needs livefigures, which is in no index: pip must be given both at once."""
    lines = (root / name).read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("-e")] == ["-e ./livefigures", "-e ."]
    for place in ("Makefile", "README.md"):
        text = (root / place).read_text("utf-8")
        assert "-e ." in text and not re.search(r"(?<!-e \./livefigures )-e \.(?!/)", text)


def test_a_notebook_opened_alone_finds_both_libraries(root: Path) -> None:
    """Its first cell fetches the repository and names the two folders, as on Colab."""
    for path in sorted((root / "chapters").glob("*.ipynb")):
        cells = [cell["source"] for cell in json.loads(path.read_text("utf-8"))["cells"]]
        (first,) = (text for text in map("".join, cells) if "    !git clone" in text)
        assert 'sys.path[:0] = ["book", "book/livefigures/src"]' in first, path
    assert (root / "livefigures/src/livefigures/__init__.py").exists()


def test_binder_installs_the_lock(root: Path) -> None:
    """repo2docker reads binder/: the lock, the library in place, and CI's Python."""
    lines = (root / "binder/requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if line and line[0] != "#"] == [
        "-r ../requirements.lock",
        "-e ./livefigures",
        "-e .",
    ]
    version = (root / "binder/runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    assert f"python{version}" in (root / ".ci/run").read_text("utf-8")


def test_one_repository(root: Path, config: dict) -> None:
    """Every link to the book's repository agrees with _config.yml."""
    url = config["repository"]["url"]
    name = re.escape(url.rsplit("/", 1)[1])
    places = [path for pattern in PLACES for path in root.glob(pattern)]
    for path in filter(Path.is_file, places):  # a reader who ran Jupyter has its folders too
        for link in re.findall(rf"https://github\.com/[\w.-]+/{name}\b", path.read_text("utf-8")):
            assert link == url, path


def test_the_lower_bounds_agree_and_have_what_the_library_uses(root: Path) -> None:
    """pyproject.toml and requirements.txt ask for the same; joblib had no generators before 1.4."""
    reader = {r.name: r.specifier for r in requirements(root / "requirements.txt")}
    for wanted in dependencies(root):
        assert wanted.specifier == reader[wanted.name], wanted
    assert not reader["joblib"].contains("1.3.2")
