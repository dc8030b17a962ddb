"""The files that say what is installed, and where the book lives, agree with each other."""

import json
import os
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

# What runs notebooks, what builds pages from them, what tests all of it.
CHAIN = ("requirements-run", "requirements", "requirements-test")
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
SYSTEMS = {("posix", "linux"): "linux", ("posix", "darwin"): "macos", ("nt", "win32"): "windows"}
PLACES = ("*.md", "*.cff", "*.toml", "chapters/*.*", "distill_lib/*.py", "extensions/**/*.py")
PLACES += ("livefigures/*.*", "livefigures/src/**/*.py")


def options(path: Path) -> list[str]:
    """The lines of a requirements file that are options, such as -e and -r."""
    return [line for line in path.read_text("utf-8").splitlines() if line.startswith("-")]


def requirements(path: Path) -> list[Requirement]:
    """Read a requirements file without its options."""
    lines = [line.split(" #")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def pins(path: Path, python: str, system: tuple[str, str]) -> dict[str, str]:
    """The version of each package that a lock has for a Python and a system."""
    found = {}
    os_name, sys_platform = system
    environment = {"os_name": os_name, "sys_platform": sys_platform}
    environment |= {"python_version": python, "python_full_version": f"{python}.0"}
    for requirement in requirements(path):
        (version,) = requirement.specifier
        assert version.operator == "==", requirement
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert requirement.name not in found, f"two versions of {requirement.name}"
            found[requirement.name] = version.version
    return found


@pytest.mark.parametrize("system", SYSTEMS, ids=SYSTEMS.get)
@pytest.mark.parametrize("python", PYTHONS)
def test_locks_satisfy_requirements(root: Path, python: str, system: tuple[str, str]) -> None:
    """Each lock pins all that its requirements name, and agrees with the larger one."""
    smaller: dict[str, str] = {}
    for name in CHAIN:
        lock = pins(root / f"{name}.lock", python, system)
        for requirement in requirements(root / f"{name}.txt"):
            assert requirement.specifier.contains(lock[requirement.name]), requirement
        assert smaller.items() < lock.items()
        smaller = lock


def test_each_list_of_requirements_begins_with_the_smaller_one(root: Path) -> None:
    """What runs notebooks is part of what builds pages, and that of what runs tests."""
    assert "-e ." in options(root / f"{CHAIN[0]}.txt")
    for smaller, larger in pairwise(CHAIN):
        assert options(root / f"{larger}.txt") == [f"-r {smaller}.txt"]


def test_locks_name_no_place(root: Path) -> None:
    """A lock holds packages and versions, and nothing of the machine that made it."""
    locks = sorted(path.stem for path in root.glob("*.lock"))
    assert locks == sorted(CHAIN)
    for name in (*(f"{name}.lock" for name in CHAIN), "tests/npm/package-lock.json"):
        assert "://" not in (root / name).read_text("utf-8")


def test_what_runs_notebooks_builds_no_pages_and_tests_nothing(root: Path) -> None:
    """Nor does anybody get PyTorch who did not ask for it."""
    for name, foreign in (
        ("requirements-run", {"jupyter-book", "sphinx", "myst-nb", "nbval", "pytest", "torch"}),
        ("requirements", {"nbval", "pytest", "torch"}),
        ("requirements-test", {"torch"}),
    ):
        lock = {requirement.name for requirement in requirements(root / f"{name}.lock")}
        assert not lock & foreign


def test_pytorch_and_other_engines_are_extras(root: Path) -> None:
    """`make torch` takes from the lock what it has, pins the rest, and suits the extra of torch."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    (extra,) = map(Requirement, project["optional-dependencies"]["torch"])
    wanted = {r.name: r.specifier for r in requirements(root / "requirements-torch.txt")}
    (pin,) = wanted["torch"]
    assert extra.name == "torch" and extra.specifier.contains(pin.version)
    assert options(root / "requirements-torch.txt") == ["-c requirements-test.lock"]
    locked = {r.name for r in requirements(root / "requirements-test.lock")}
    for name, specifier in wanted.items():
        operators = [pin.operator for pin in specifier]
        assert operators == ([] if name in locked else ["=="]), name
    assert "torch" not in locked


LIBRARIES = ("pyproject.toml", "livefigures/pyproject.toml")


def project(root: Path, path: str) -> dict:
    """What a library says of itself."""
    return tomllib.loads((root / path).read_text("utf-8"))["project"]


def dependencies(root: Path) -> list[Requirement]:
    """What the libraries need beside one another."""
    lines = [line for path in LIBRARIES for line in project(root, path)["dependencies"]]
    return [Requirement(line) for line in lines if line != "livefigures"]


def test_libraries_need_no_more_than_the_reader_installs(root: Path) -> None:
    """Each pyproject.toml asks for nothing that requirements-run.txt does not."""
    listed = {requirement.name for requirement in requirements(root / "requirements-run.txt")}
    assert {requirement.name for requirement in dependencies(root)} <= listed
    for path in LIBRARIES:
        assert project(root, path)["requires-python"] == ">=3.11"


@pytest.mark.parametrize("name", ["requirements-run.txt", "binder/requirements.txt"])
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
    """repo2docker reads binder/: the smallest lock, both libraries in place, and CI's Python."""
    assert options(root / "binder/requirements.txt") == [
        "-r ../requirements-run.lock",
        "-e ./livefigures",
        "-e .",
    ]
    assert requirements(root / "binder/requirements.txt") == []
    version = (root / "binder/runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    assert f"python{version}" in (root / ".ci/run").read_text("utf-8")
    assert version == preferred(root)[0]


def test_one_repository(root: Path, config: dict) -> None:
    """Every link to the book's repository agrees with _config.yml."""
    url = config["repository"]["url"]
    name = re.escape(url.rsplit("/", 1)[1])
    places = [path for pattern in PLACES for path in root.glob(pattern)]
    for path in filter(Path.is_file, places):  # a reader who ran Jupyter has its folders too
        for link in re.findall(rf"https://github\.com/[\w.-]+/{name}\b", path.read_text("utf-8")):
            assert link == url, path


def test_the_lower_bounds_agree_and_have_what_the_library_uses(root: Path) -> None:
    """Each pyproject.toml and the requirements agree; joblib had no generators before 1.4."""
    reader = {r.name: r.specifier for r in requirements(root / "requirements-run.txt")}
    for wanted in dependencies(root):
        assert wanted.specifier == reader[wanted.name], wanted
    assert not reader["joblib"].contains("1.3.2")


def preferred(root: Path) -> list[str]:
    """The Pythons that the Makefile prefers."""
    return re.search(r"^TESTED := (.+)$", (root / "Makefile").read_text("utf-8"), re.M)[1].split()


def test_the_readme_names_the_pythons_that_make_prefers(root: Path) -> None:
    """And continuous integration runs one of them."""
    *most, last = preferred(root)
    assert f"Python {', '.join(most)} or {last}" in (root / "README.md").read_text("utf-8")


FORMS = ("bug", "erratum", "idea")
FIELDS = {"input", "textarea", "dropdown", "checkboxes", "markdown"}


@pytest.mark.parametrize("name", FORMS)
def test_an_issue_form_is_one_that_github_reads(root: Path, name: str) -> None:
    """A form has a name, what it is for, and fields with labels; at least one must be filled in."""
    form = yaml.safe_load((root / f".github/ISSUE_TEMPLATE/{name}.yml").read_text("utf-8"))
    assert set(form) == {"name", "description", "title", "labels", "body"}
    assert all(isinstance(form[key], str) and form[key] for key in ("name", "description", "title"))
    fields = [field["id"] for field in form["body"]]
    assert len(fields) == len(set(fields))
    for field in form["body"]:
        assert field["type"] in FIELDS and field["attributes"]["label"]
        assert field["type"] != "dropdown" or field["attributes"]["options"]
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_issues_without_a_form_stay_open(root: Path) -> None:
    """The pages' own issue button makes one; and there are no forms but those that are tested."""
    folder = root / ".github/ISSUE_TEMPLATE"
    assert {path.stem for path in folder.iterdir()} == {*FORMS, "config"}
    assert yaml.safe_load((folder / "config.yml").read_text("utf-8"))["blank_issues_enabled"]


def test_the_workflow_runs_what_continuous_integration_runs(root: Path) -> None:
    """It brings the Python of .ci/run, runs that, and takes actions by their major version."""
    workflow = yaml.safe_load((root / ".github/workflows/tests.yml").read_text("utf-8"))
    steps = workflow["jobs"]["tests"]["steps"]
    assert steps[-1] == {"run": ".ci/run"}
    assert os.access(root / ".ci/run", os.X_OK)
    for step in steps[:-1]:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
    assert steps[1]["with"]["python-version"] == preferred(root)[0]
    assert {"push", "pull_request"} == set(workflow[True])  # YAML reads the key `on` as true


def test_continuous_integration_runs_every_test(root: Path) -> None:
    """PyTorch's too, which `make test` leaves to an environment that has it."""
    commands = (root / ".ci/run").read_text("utf-8").splitlines()
    for target in ("make test", "make torch"):
        assert f'part "{target}" {target}' in commands


def test_hooks_run_programs_that_make_test_brings(root: Path) -> None:
    """Nothing is fetched for a commit: each hook is local and starts what .venv-test has."""
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text("utf-8"))
    (local,) = config["repos"]
    assert local["repo"] == "local"
    for hook in local["hooks"]:
        assert hook["language"] == "system"
        assert re.match(r"(\.venv-test/bin/|make )", hook["entry"]), hook["entry"]
