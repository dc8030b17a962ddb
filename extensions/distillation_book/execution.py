"""Run a chapter again when the library, a study or a recorded result has changed.

The execution cache knows a notebook by its code, and Sphinx by its file; neither sees what a
notebook imports or reads. So the cache's folder carries a digest of all that: a change gives an
empty cache and, because the folder is a configuration value, a fresh reading of every page.
"""

import hashlib
import os
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

SOURCES = (
    "distill_lib/**/*.py",
    "livefigures/src/**/*.py",
    "pictures/*.py",
    "studies/*.py",
    "results/**/*.json",
    "requirements.lock",
)


def digest(root: Path) -> str:
    """Return a digest of the files that chapters depend on."""
    total = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in root.glob(pattern)):
        total.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    """Point the execution cache at the folder of the library's digest, and drop older ones."""
    caches = Path(app.outdir).parent / ".jupyter_cache"
    current = caches / digest(Path(app.srcdir))
    for old in caches.glob("*"):
        if old != current:
            shutil.rmtree(old)
    config.nb_execution_cache_path = str(current)


def isolate_kernels(app: Sphinx) -> None:
    """Keep the reader's IPython settings out of the book, and kernels' warnings off the screen."""
    settings = Path(app.outdir).parent / ".ipython/profile_default"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "ipython_kernel_config.py").write_text(
        "get_config().IPKernelApp.log_level = 'ERROR'"
    )
    os.environ["IPYTHONDIR"] = str(settings.parent)


def setup(app: Sphinx) -> None:
    """Choose the cache before the environment compares the configuration with its last one."""
    app.connect("config-inited", choose_cache)
    app.connect("builder-inited", isolate_kernels)
