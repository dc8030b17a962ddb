"""Run notebooks side by side, each in a kernel of its own, and show how far they are."""

import asyncio
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from joblib import cpu_count
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from sphinx.util import logging
from tqdm import tqdm

logger = logging.getLogger(__name__)

# Explorers write there how many frames they have drawn, as tqdm does.
PROGRESS = "LIVEFIGURES_PROGRESS"
BAR = "{desc}: {bar:20} {n_fmt} of {total_fmt} cells, {elapsed}{postfix}"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

Store = Callable[[Path, NotebookNode], None]


def run(paths: Sequence[Path], store: Store, timeout: int | None, jobs: int = 0) -> dict[Path, str]:
    """Run notebooks in their folders, several at once.

    Args:
        paths: their files.
        store: is given each notebook with its outputs, as soon as it has run.
        timeout: seconds for a cell.
        jobs: how many at once; as many as there are cores by default.

    Returns:
        What went wrong, by notebook; the others have run and are stored.
    """
    # The loop has a thread of its own: in the main thread each notebook's client would take over
    # Ctrl+C, and only the last one would end its kernel.
    loop = asyncio.new_event_loop()
    task = loop.create_task(_run(paths, store, timeout, min(jobs or cpu_count(), len(paths))))
    with ThreadPoolExecutor(1) as pool:
        errors = pool.submit(loop.run_until_complete, task)
        try:
            return errors.result()
        except BaseException:  # Ctrl+C: every client ends its kernel
            loop.call_soon_threadsafe(task.cancel)
            raise


async def _run(
    paths: Sequence[Path], store: Store, timeout: int | None, jobs: int
) -> dict[Path, str]:
    """Run all, each in one of `jobs` slots."""
    threads = str(max(1, cpu_count() // jobs))
    environment = dict.fromkeys(THREADS, threads) | os.environ  # what the reader has set, stays
    slots: asyncio.Queue[int] = asyncio.Queue()
    for slot in range(jobs):
        slots.put_nowait(slot)
    errors: dict[Path, str] = {}
    done = 0

    async def in_a_slot(path: Path) -> None:
        nonlocal done
        slot = await slots.get()
        began = time.monotonic()
        try:
            store(path, await _run_one(path, timeout, environment, slot))
        except CellExecutionError as error:
            errors[path] = str(error)
        except Exception as error:
            errors[path] = f"{type(error).__name__}: {error}"
        finally:
            slots.put_nowait(slot)
        done += 1
        result = "FAILED after" if path in errors else "has run in"
        seconds = time.monotonic() - began
        _say(f"{path.stem} {result} {seconds:.0f} s ({done} of {len(paths)})")

    _say(f"to run, {jobs} at a time: {', '.join(path.stem for path in paths)}")
    await asyncio.gather(*map(in_a_slot, paths))
    return errors


async def _run_one(
    path: Path, timeout: int | None, environment: dict[str, str], slot: int
) -> NotebookNode:
    """Run a notebook; on a terminal, its bar stands in the line of its slot."""
    notebook = nbformat.read(path, as_version=4)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    with (
        TemporaryDirectory() as folder,
        tqdm(
            total=cells, desc=path.stem, position=slot, bar_format=BAR, leave=False, disable=None
        ) as bar,
    ):
        client = NotebookClient(
            notebook,
            timeout=timeout,
            startup_timeout=timeout or 600,
            shutdown_kernel="immediate",
            on_cell_executed=lambda **_: bar.update(),
        )
        frames = Path(folder, "frames")
        watching = asyncio.create_task(_show_frames(frames, bar))
        try:
            here = {PROGRESS: "" if bar.disable else str(frames)}
            await client.async_execute(cwd=str(path.parent), env=environment | here)
        finally:
            watching.cancel()
    return notebook


async def _show_frames(frames: Path, bar: tqdm) -> None:
    """Show the last count of an explorer's own progress beside the bar of its notebook."""
    while not bar.disable:
        await asyncio.sleep(0.2)
        with suppress(OSError):
            last = frames.read_text("utf-8").rpartition("\r")[2]
            counts = re.findall(r"\d+/\d+", last)
            bar.set_postfix_str(f"frames {counts[-1]}" if counts else "")


def _say(text: str) -> None:
    """Log a line above the bars."""
    with tqdm.external_write_mode():
        logger.info(text)
