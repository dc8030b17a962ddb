"""Find a Chromium for tests and benchmarks; as a program, get one if there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "These tests need Chromium. Install it with your package manager (apt-get install chromium), "
    "or run: .venv-test/bin/python -m playwright install --with-deps chromium; "
    "or name one in the variable CHROMIUM."
)


def find() -> str | None:
    """Return the path of a Chromium: the variable CHROMIUM, the system's, or Playwright's own."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    if on_path := next(filter(None, map(shutil.which, NAMES)), None):
        return on_path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def launch(playwright: Playwright, path: str) -> Browser:
    """Start the Chromium at this path; root has no sandbox."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = ["--no-sandbox"] if as_root else []
    return playwright.chromium.launch(executable_path=path, args=arguments)


def main() -> None:
    """Print where Chromium is, after trying to install it if need be."""
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        ways.insert(0, ["apt-get", "install", "-y", "-qq", "chromium"])
        ways.insert(0, ["apt-get", "update", "-qq"])
    for way in ways:
        if find():
            break
        print("Getting Chromium:", " ".join(way), flush=True)
        subprocess.run(way, check=False)
    print(f"Chromium: {find() or MISSING}")


if __name__ == "__main__":
    main()
