"""The newest axe-core, from npm; as a program, install it if npm is there, and say which it is.

    python tools/axe.py [--upgrade]

Which one is newest stands in tests/npm/package-lock.json, and `--upgrade` (in `make upgrade`) looks
for a newer one. Without npm the tests do with the older axe-core that comes with their packages;
the program and the tests' report say so.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from exclusive import exclusive

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "tests/npm"
PLACE = ROOT / "_build/npm"
SCRIPT = PLACE / "node_modules/axe-core/axe.min.js"
OLDER = (
    "{why}: the pages are tested with axe-core {packaged}, which finds less than {newest}, the one "
    "in tests/npm/package-lock.json. Install npm (apt-get install npm), then: python tools/axe.py"
)


def newest() -> str:
    """The version that the lock names."""
    lock = json.loads((LISTS / "package-lock.json").read_text("utf-8"))
    return lock["packages"]["node_modules/axe-core"]["version"]


def find() -> Path | None:
    """The script of that version, if it is installed."""
    about = SCRIPT.with_name("package.json")
    there = about.exists() and json.loads(about.read_text("utf-8"))["version"] == newest()
    return SCRIPT if there else None


def describe() -> str:
    """Which axe-core tests the pages, and why it is not the newest where it is not."""
    if find():
        return f"axe-core {newest()}, from npm"
    from axe_playwright_python.base import AXE_SCRIPT

    packaged = AXE_SCRIPT[:99].partition(" v")[2].split()[0]
    why = "axe-core is not installed from npm" if shutil.which("npm") else "npm is not here"
    return OLDER.format(why=why, packaged=packaged, newest=newest())


def install() -> None:
    """Install what the lock names into _build/npm, unless it is there or there is no npm."""
    with exclusive(PLACE.parent / "npm.lock"):
        if find() or not shutil.which("npm"):
            return
        shutil.rmtree(PLACE, ignore_errors=True)
        shutil.copytree(LISTS, PLACE)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=PLACE, check=False)


def main() -> None:
    """Install or upgrade, and print what there is."""
    if "--upgrade" in sys.argv[1:] and shutil.which("npm"):
        command = ["npm", "install", "--package-lock-only", "--silent", "--save-dev"]
        subprocess.run([*command, "axe-core@latest"], cwd=LISTS, check=True)
    install()
    print(describe())


if __name__ == "__main__":
    main()
