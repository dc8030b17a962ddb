"""The local extension alone, without a build."""

import os
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest


@pytest.fixture
def progress(root: Path, monkeypatch: pytest.MonkeyPatch):
    """Set up the pages in a terminal; return where explorers show how far their frames are."""
    monkeypatch.syspath_prepend(root / "extensions")
    from distillation_book import pages

    monkeypatch.setenv("DISTILL_BOOK_PROGRESS", "")  # so that it is taken back afterwards
    monkeypatch.delenv("DISTILL_BOOK_PROGRESS")

    def set_up() -> str | None:
        monkeypatch.setattr(sys, "stderr", Mock())  # says yes when asked for a terminal
        pages.setup(Mock())
        return os.environ.get("DISTILL_BOOK_PROGRESS")

    return set_up


def test_progress_goes_to_the_terminal(progress, monkeypatch):
    monkeypatch.setattr(os, "ttyname", lambda number: "/dev/tty7", raising=False)
    assert progress() == "/dev/tty7"


def test_the_book_can_be_built_in_a_terminal_of_windows(progress, monkeypatch):
    monkeypatch.delattr(os, "ttyname", raising=False)  # Windows has none
    assert progress() is None
