"""The place where chapters are run live: made again when what it is made from changes."""

import shutil
from pathlib import Path

import pytest
from lab import digest


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "livefigures/pyproject.toml",
        "requirements-run.lock",
        "binder/requirements.txt",
        "binder/runtime.txt",
    ],
)
def test_a_change_of_what_is_installed_makes_another_environment(
    root: Path, tmp_path: Path, name: str
) -> None:
    """Whatever pip reads counts, and the Python too."""
    shutil.copytree(root / "binder", tmp_path / "binder")
    (tmp_path / "livefigures").mkdir()
    for kept in ("pyproject.toml", "livefigures/pyproject.toml", "requirements-run.lock"):
        shutil.copy(root / kept, tmp_path / kept)
    before = digest(tmp_path, "python3.11")
    assert before == digest(tmp_path, "python3.11") != digest(tmp_path, "python3.12")
    with (tmp_path / name).open("a") as file:
        file.write("# another line")
    assert digest(tmp_path, "python3.11") != before
