"""Which Python make takes, and when it makes an environment: tried with Pythons that pretend."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = ("awk", "bash", "cat", "chmod", "cksum", "cmp", "cp", "grep", "make", "mkdir", "rm")
PROJECTS = ("pyproject.toml", "livefigures/pyproject.toml")
SOURCES = {
    "": ("requirements.lock", *PROJECTS),
    "-test": ("requirements-test.lock", *PROJECTS),
    "-torch": ("requirements-torch.txt", "requirements-test.lock", *PROJECTS),
}
# A Python of another version: runs the code of `-c`, makes environments with nothing but itself in
# them, notes what pip is asked for, and fails at that where there is a file "no-network".
PRETENDER = """#!{real} -IS
import os, shutil, sys
from pathlib import Path
sys.version_info = ({major}, {minor}, 0, "final", 0)
sys.hexversion = {major} << 24 | {minor} << 16
what = sys.argv[1:]
if what[0] == "-c":
    if {bare}:
        sys.modules["ensurepip"] = None
    sys.argv = ["-c", *what[2:]]
    exec(what[1])
elif what[:2] == ["-m", "venv"]:
    place = Path(what[-1])
    shutil.rmtree(place, ignore_errors=True)
    (place / "bin").mkdir(parents=True)
    shutil.copy(__file__, place / "bin/python")
else:
    assert what[:3] == ["-m", "pip", "install"], what
    with open("log", "a") as log:
        print({major}, {minor}, *what[what.index("-r") :], file=log)
    print("Collecting one\\nCollecting another")
    sys.exit(os.path.exists("no-network"))
"""


class Place:
    """A folder with the files that environments are made from, and a path with given Pythons."""

    def __init__(self, folder: Path, root: Path, pythons: dict[str, str]) -> None:
        self.folder, self.root, self.path = folder, root, folder / "path"
        self.path.mkdir()
        for name in TOOLS:
            (self.path / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is missing"))
        (folder / "livefigures").mkdir()
        for name in {name for names in SOURCES.values() for name in names}:
            shutil.copy(root / name, folder / name)
        for name, version in pythons.items():
            major, minor = version.removesuffix(" without venv").split(".")
            bare = version.endswith("venv")
            script = PRETENDER.format(real=sys.executable, major=major, minor=minor, bare=bare)
            (self.path / name).write_text(script)
            (self.path / name).chmod(0o755)

    def make(self, *arguments: str) -> tuple[bool, str]:
        """Run make; return whether it succeeded, and what it said."""
        env = {"PATH": str(self.path), "HOME": os.environ.get("HOME", "/")}
        command = ["make", "-f", str(self.root / "Makefile"), *arguments]
        done = subprocess.run(command, cwd=self.folder, env=env, text=True, capture_output=True)
        return done.returncode == 0, done.stdout + done.stderr

    def log(self) -> list[str]:
        """What pip was asked for, each with the version of its Python."""
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []


CHOICES = {
    "python3 is a tested one": ({"python3": "3.12", "python3.11": "3.11"}, "3.12", ""),
    "python3 is too new": ({"python3": "3.14", "python3.11": "3.11"}, "3.11", ""),
    "python3 is too old": ({"python3": "3.10", "python3.13": "3.13"}, "3.13", ""),
    "python3 has no venv": ({"python3": "3.13 without venv", "python3.11": "3.11"}, "3.11", ""),
    "only a newer one": ({"python3": "3.15"}, "3.15", "python3 is Python 3.15"),
    "a newer one beside an old one": (
        {"python3": "3.9", "python3.14": "3.14"}, "3.14", "python3.14 is Python 3.14"
    ),
}  # fmt: skip


@pytest.mark.parametrize("pythons, chosen, warning", CHOICES.values(), ids=CHOICES)
def test_make_prefers_a_tested_python(
    root: Path, tmp_path: Path, pythons: dict[str, str], chosen: str, warning: str
) -> None:
    """One that is not tested is taken where there is no other, with a word about it."""
    place = Place(tmp_path, root, pythons)
    succeeded, output = place.make(".venv/installed")
    assert succeeded, output
    assert place.log() == [f"{chosen.replace('.', ' ')} -r requirements.lock -e ./livefigures -e ."]
    assert warning in output
    assert ("not tested" in output) == bool(warning)


@pytest.mark.parametrize("pythons", [{"python3": "3.10"}, {"python3": "3.12 without venv"}, {}])
def test_without_a_python_make_says_what_it_needs(
    root: Path, tmp_path: Path, pythons: dict[str, str]
) -> None:
    """Python 3.11 or newer, and how to name one."""
    place = Place(tmp_path, root, pythons)
    succeeded, output = place.make(".venv/installed")
    assert not succeeded
    assert "Python 3.11 or newer, with its module venv" in output and "PYTHON=" in output
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_is_named_wins(root: Path, tmp_path: Path) -> None:
    """Also over a tested one; but not if it is too old."""
    pythons = {"python3": "3.11", "python3.14": "3.14", "python3.10": "3.10"}
    place = Place(tmp_path, root, pythons)
    succeeded, output = place.make("PYTHON=python3.14", ".venv/installed")
    assert succeeded and "not tested" in output
    assert place.log()[0].startswith("3 14 ")
    succeeded, output = place.make("PYTHON=python3.10", ".venv-test/installed")
    assert not succeeded
    assert "Python 3.11 or newer, and python3.10 is 3.10" in output


@pytest.mark.parametrize("kind", ["", "-test", "-torch"])
def test_an_environment_is_made_again_only_when_what_it_is_made_from_differs(
    root: Path, tmp_path: Path, kind: str
) -> None:
    """Newer files with the same words ask for nothing; each file that is read counts."""
    place = Place(tmp_path, root, {"python3": "3.11"})
    target = f".venv{kind}/installed"
    for _ in range(2):
        assert place.make(target)[0]
    assert len(place.log()) == 1
    for name in SOURCES[kind]:
        os.utime(tmp_path / name, (4_000_000_000, 4_000_000_000))
    assert place.make(target)[0]
    assert len(place.log()) == 1
    for number, name in enumerate(SOURCES[kind], 2):
        with (tmp_path / name).open("a") as file:
            file.write("# another line\n")
        os.utime(tmp_path / name, (4_000_000_000, 4_000_000_000))
        (tmp_path / f".venv{kind}/left").touch()
        assert place.make(target)[0]
        assert len(place.log()) == number
        assert not (tmp_path / f".venv{kind}/left").exists(), "what was there before must go"


def test_an_environment_that_could_not_be_made_is_not_taken_for_one(
    root: Path, tmp_path: Path
) -> None:
    """Make fails where pip fails, and tries again the next time."""
    place = Place(tmp_path, root, {"python3": "3.11"})
    (tmp_path / "no-network").touch()
    for tries in (1, 2):
        succeeded, _ = place.make(".venv/installed")
        assert not succeeded
        assert len(place.log()) == tries
    (tmp_path / "no-network").unlink()
    assert place.make(".venv/installed")[0]
