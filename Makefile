# make book   build the book           make serve  open it on localhost
# make check  the quick checks         make lab    open the chapters in JupyterLab
# make test   run every test
# PYTHON=/path/to/python3.12 make ...  chooses the Python (3.11 or newer)

# Continuous integration runs the first; the others are tried when the locks change. One of these,
# `python3` before all, is taken before any other that is new enough.
TESTED := 3.11 3.12 3.13
LOCKED := $(TESTED) 3.14 3.15
those = $(shell for p in $(2); do $$p -c 'import ensurepip, sys; sys.exit(not ($(1)))' \
	2>/dev/null && echo $$p; done; true)
PYTHON ?= $(firstword \
	$(call those,"%d.%d" % sys.version_info[:2] in "$(TESTED)".split(),python3 $(TESTED:%=python%)) \
	$(call those,sys.hexversion >= 0x30b0000,python3 $(LOCKED:%=python%)))
PORT ?= 8000
BOOK := .venv/bin
TEST := .venv-test/bin
TORCH := .venv-torch/bin
SHELL := bash -o pipefail

.PHONY: book serve lab check test torch outputs comparison lint lock upgrade wheels clean

# After a failure every page is read again: Sphinx would find no fault in pages it has read already.
book: .venv/installed
	$(BOOK)/jupyter-book build . -W -n --keep-going || { rm -rf _build/.doctrees; exit 1; }
	@echo
	@echo "The book is at file://$(CURDIR)/_build/html/index.html"
	@echo "Open that in a browser, or run: make serve"

serve: book
	@echo "The book is at http://localhost:$(PORT)/ (Ctrl+C stops the server)"
	@$(BOOK)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: .venv/installed
	$(BOOK)/jupyter lab --notebook-dir=. chapters

check: .venv-test/installed  # what holds formulas and contracts: at each edit, 90 seconds or less
	$(STYLE)
	$(PYTEST) tests/unit tests/notebooks tests/book/test_packaging.py livefigures/tests -m "not slow and not browser" -q

test: .venv-test/installed .venv/installed
	$(STYLE)
	@$(TEST)/python tools/chromium.py
	@$(TEST)/python tools/axe.py
	@$(TEST)/python tools/lab.py & \
	$(TEST)/python livefigures/tests/test_book.py; made=$$?; wait $$! && exit $$made
	$(PYTEST) tests livefigures/tests chapters --nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/sanitize.cfg

torch: .venv-torch/installed # the library beside PyTorch, and the bridges to other engines
	@$(TORCH)/python -c 'import torch; print("PyTorch", torch.__version__)'  # without it pytest would skip
	$(TORCH)/python -m pytest -n logical tests/unit/test_against_torch.py tests/unit/test_bridge_*.py \
		tests/unit/test_study_tuning.py "tests/unit/test_cli.py::test_export_writes_a_file_that_answers_the_same"

STYLE = $(TEST)/ruff check . && $(TEST)/ruff format --check . && $(TEST)/mypy
PYTEST = $(TEST)/python -m pytest -n logical

lint: .venv-test/installed
	$(TEST)/ruff check --fix .
	$(TEST)/ruff format .

outputs: .venv/installed     # run the chapters and store their text outputs
	$(BOOK)/python tools/store_outputs.py

comparison: .venv/installed  # the long run of chapter 7, 15 to 35 minutes; goes on where it stopped
	$(BOOK)/python studies/comparison.py

lock: $(TEST)/uv             # what requirements*.txt ask for, at the versions locked before
	$(COMPILE) requirements-test.txt -o requirements-test.lock
	$(COMPILE) requirements.txt -c requirements-test.lock -o requirements.lock
	$(COMPILE) requirements-run.txt -c requirements.lock -o requirements-run.lock
	@$(MAKE) --no-print-directory -o .venv-test/installed wheels
upgrade: UPGRADE := --upgrade
upgrade: lock                # the same, at the newest versions that they allow
	$(TEST)/python tools/axe.py --upgrade
COMPILE = $(TEST)/uv pip compile --universal --python-version 3.11 --only-binary :all: \
	--fork-strategy fewest $(UPGRADE) --quiet --no-annotate --no-emit-index-url \
	--no-emit-package distill-lib --no-emit-package livefigures --custom-compile-command "make lock"

# The other locks hold nothing that requirements-test.lock does not.
wheels: $(TEST)/uv           # for every Python and system, all locked packages are there, built
	@for v in $(LOCKED); do for system in $(SYSTEMS); do echo "Wheels for Python $$v, $$system"; \
		$(TEST)/uv pip install --dry-run --quiet --only-binary :all: --target _build/none \
		--python-version $$v --python-platform $$system -r requirements-test.lock || exit 1; \
	done; done
$(TEST)/uv: | .venv-test/installed
	$(TEST)/python -m pip install --quiet uv
SYSTEMS := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin x86_64-pc-windows-msvc

clean:
	rm -rf _build .venv .venv-test .venv-torch

# An environment is made once, and again when what it is made from has other words in it: a file
# that is only newer, as after a checkout, changes nothing, and no network is asked for.
PROJECTS := pyproject.toml livefigures/pyproject.toml
PACKAGES := -e ./livefigures -e .
.venv/installed: requirements.lock $(PROJECTS)
.venv-test/installed: requirements-test.lock $(PROJECTS)
.venv-torch/installed: requirements-torch.txt requirements-test.lock $(PROJECTS)
.venv/installed .venv-test/installed .venv-torch/installed:
	@cat $^ | cksum | cmp -s - $@ || { python="$(PYTHON)"; \
	test -n "$$python" || { echo "The book needs Python 3.11 or newer, with its module venv:" \
		"install it, or say PYTHON=/path/to/python3 make ..."; exit 1; }; \
	"$$python" -c "$$GREETING" "$$python" $(TESTED) && "$$python" -m venv --clear $(@D) && \
	echo "Installing what $< names into $(@D), which may take some minutes:" && \
	$(@D)/bin/python -m pip install --disable-pip-version-check --no-compile -r $< $(PACKAGES) | awk \
		-v of="$(if $(filter %.lock,$<), of $$(grep -c == $<))" \
		'/^(Collecting|Processing)/ { printf "\r%d%s", ++n, of; fflush() } END { print "" }'; }
	@cat $^ | cksum >$@

define GREETING
import sys
path, *tested = sys.argv[1:]
version = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 11):
    sys.exit(f"The book needs Python 3.11 or newer, and {path} is {version}.")
if version not in tested:
    print(f"{path} is Python {version}, with which this book is not tested. It goes on with it;")
    print(f"should it fail, install one of {', '.join(tested)}, or say PYTHON=/path/to/it make ...")
endef
export GREETING
