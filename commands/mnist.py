"""Fetch the files of MNIST once, and check them.

70,000 handwritten digits, 12 MB in four files, each known by its checksum. A download that broke
off, or was stopped, goes on. They are kept in a folder of the user's cache, or in the one that the
environment variable DISTILL_MNIST or --folder names. "The library", mnist.

    python -m distill_lib mnist
    python -m distill_lib mnist --folder data/mnist
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from distill_lib.mnist import home, mnist

STOPPED = "What has come is kept: the same command goes on there."


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("--folder", metavar="FOLDER", help="where they are, or shall be")


def run(asked: Namespace) -> None:
    """Fetch, check, say where."""
    print(mnist(asked.folder))
    print(f"The files are right, and in {home(asked.folder)}")
