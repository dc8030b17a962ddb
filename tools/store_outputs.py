"""Run chapters and store their outputs in the notebooks: text only, nothing that varies.

python tools/store_outputs.py [chapters/01_temperature.ipynb ...]   (all by default)
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

CHAPTERS = Path(__file__).parents[1] / "chapters"
HIDDEN = {"hide-cell", "hide-input", "remove-cell", "remove-input"}
HIDDEN = {"hide-cell", "hide-input", "remove-cell", "remove-input"}
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def text_only(output: NotebookNode) -> NotebookNode | None:
    """Return the output without all but its text, or None if it has none to keep."""
    if output.output_type == "stream":
        return output if output.name == "stdout" else None
    if output.output_type == "execute_result" and "text/plain" in output.data:
        output.data = {"text/plain": output.data["text/plain"]}
        return output
    return None


def store(path: Path) -> None:
    """Run a notebook in its folder and write it back with its text outputs."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in ("tags", "mystnb")}
        if HIDDEN & set(cell.metadata.get("tags", [])):  # JupyterLab folds what the page hides
            cell.metadata["jupyter"] = {"source_hidden": True}
    notebook.metadata = NotebookNode(KERNEL)
    NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": path.parent}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
            kept = [] if ignored else [text_only(output) for output in cell.outputs]
            cell.outputs = [output for output in kept if output]
    notebook.metadata = NotebookNode(KERNEL)
    nbformat.write(notebook, path)
    print(f"stored {path}")


if __name__ == "__main__":
    os.environ["TQDM_DISABLE"] = "1"
    os.environ.pop("LIVEFIGURES_BUILD", None)
    for name in sys.argv[1:] or sorted(CHAPTERS.glob("*.ipynb")):
        store(Path(name))
