"""List what is recorded, and by which command.

Of each record: name, date, whether an older library made it, command. A record that an older
library made need not be wrong: `study NAME --check` repeats a slice of it. "The library", results.

    python -m distill_lib results
    python -m distill_lib results traditional
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from distill_lib.results import RESULTS, library_digest, recorded

STOPPED = "The same command begins anew."


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    text = "only those with this in their name"
    parser.add_argument("text", nargs="?", default="", metavar="TEXT", help=text)


def run(asked: Namespace) -> None:
    """Print a line for each; ValueError where there is none."""
    names = sorted(path.stem for path in RESULTS.glob("*.json") if asked.text in path.stem)
    if not names:
        raise ValueError(f"no record in {RESULTS} has {asked.text!r} in its name")
    today, width = library_digest(), max(map(len, names))
    for name in names:
        content = recorded(name)
        by = {today: "today's", None: "unknown"}.get(content.get("library"), "older")
        print(f"{name:{width}}  {content['date']}  library {by:7}  {content['command']}")
