"""The pages of the book, in reading order, from _toc.yml."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SUB_PATH = "/some/where"  # the served book is there as well


def pages() -> list[str]:
    """Return the names of all pages, such as chapters/01_temperature."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *(entry["file"] for entry in entries)]


def notebooks() -> list[str]:
    """Return the names of the pages that are notebooks with living figures."""
    files = ((page, ROOT / f"{page}.ipynb") for page in pages())
    return [page for page, file in files if file.exists() and "explore(" in file.read_text("utf-8")]
