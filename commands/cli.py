"""Reads a command line, runs the command, and says how that ended.

A command is a file of this folder: its docstring is the help, `arguments(parser)` says what it
takes, `run(asked)` does it, `STOPPED` says how to go on after Ctrl-C. Without `arguments`, `run`
gets the words as they are, and gives an exit code: it hands them on to a program with a help of
its own. A new command is a new file, and its name in `NAMES`.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

import commands

PROGRAM = "python -m distill_lib"
# In the order in which the help has them.
NAMES = (
    *("teach", "store", "distil", "predict", "export", "serve"),
    *("own", "study", "results", "mnist"),
)


def reader(modules: dict[str, ModuleType]) -> ArgumentParser:
    """What reads the words of these commands, and teaches them."""
    plain = RawDescriptionHelpFormatter
    parser = ArgumentParser(PROGRAM, description=commands.__doc__, formatter_class=plain)
    add = parser.add_subparsers(dest="command", metavar="COMMAND", required=True).add_parser
    for name, module in modules.items():
        text = module.__doc__ or ""
        one = add(name, help=text.split("\n")[0], description=text, formatter_class=plain)
        if hasattr(module, "arguments"):
            module.arguments(one)
    return parser


def main(given: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns 0: done; 1: it failed, and a line says why; 130: stopped, and a line says how to go on;
    or what a program ended with that it started. Wrong usage is argparse's affair: SystemExit, 2.
    """
    words = [*(sys.argv[1:] if given is None else given)] or ["--help"]
    modules = {name: import_module(f"commands.{name}") for name in NAMES}
    passed_on = words[0] in modules and not hasattr(modules[words[0]], "arguments")
    asked = None if passed_on else reader(modules).parse_args(words)
    module = modules[asked.command if asked else words[0]]
    try:
        code = module.run(asked or words[1:]) or 0
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"\nStopped. {module.STOPPED}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as of `| head`, which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"{PROGRAM} {words[0]}: {error}", file=sys.stderr)
        return 1
    return code
