"""Answer questions over HTTP with a student (bridges/serve.py).

It answers POST /predict and GET /health, at this port. Chapter 15, "Deployment".

    python -m distill_lib serve student.npz 8000
"""

from __future__ import annotations

from commands.process import run_file

STOPPED = "The same command starts the service again."


def run(words: list[str]) -> int:
    """Hand on; ValueError where the packages are missing."""
    return run_file("bridges/serve.py", words, needs=("fastapi", "uvicorn"))
