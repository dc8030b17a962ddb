"""`python -m distill_lib COMMAND …`: the commands are in `commands/`, the folder beside this one.

They may use bridges and studies, which this library never does: it hands over, and knows no more.
"""

import sys
from importlib import import_module

MISSING = """distill_lib: the commands are in the book's repository, not in the library alone.
In a copy of it: pip install -e ./livefigures -e ."""

if __name__ == "__main__":
    try:
        main = import_module("commands.cli").main
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("commands"):
            raise
        sys.exit(MISSING)
    sys.exit(main())
