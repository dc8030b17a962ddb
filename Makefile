# make book   build the book           make serve  open it on localhost
# make check  the quick checks         make lab    open the chapters in JupyterLab
# make test   run every test
# PYTHON=/path/to/python3.12 make ...  chooses the Python (3.11 or newer)

PYTHON ?= $(firstword $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p; done))
PORT ?= 8000
BOOK := .venv/bin
TEST := .venv-test/bin
SHELL := bash -o pipefail

.PHONY: book serve lab check test outputs comparison lint lock clean

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
	$(PYTEST) tests/unit tests/notebooks tests/book/test_packaging.py -m "not slow and not browser" -q

test: .venv-test/installed .venv/installed
	$(STYLE)
	@$(TEST)/python tools/chromium.py
	@$(TEST)/python tools/lab.py
	$(PYTEST) tests chapters --nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/sanitize.cfg

STYLE = $(TEST)/ruff check . && $(TEST)/ruff format --check . && $(TEST)/mypy
PYTEST = $(TEST)/python -m pytest -n logical

lint: .venv-test/installed
	$(TEST)/ruff check --fix .
	$(TEST)/ruff format .

outputs: .venv/installed     # run the chapters and store their text outputs
	$(BOOK)/python tools/store_outputs.py

comparison: .venv/installed  # the long run of chapter 6, 15 to 35 minutes; goes on where it stopped
	$(BOOK)/python studies/comparison.py

lock: .venv-test/installed   # newest versions that requirements*.txt allow
	$(TEST)/python -m pip install --quiet uv
	$(UV) requirements.txt -o requirements.lock
	$(UV) requirements.txt requirements-test.txt -c requirements.lock -o requirements-test.lock
UV = $(TEST)/uv pip compile --universal --python-version 3.11 --fork-strategy fewest --upgrade --quiet \
	--no-annotate --no-emit-index-url --no-emit-package distill-lib --custom-compile-command "make lock"

clean:
	rm -rf _build .venv .venv-test

# An environment is made once, and again when its lock changes.
.venv/installed: requirements.lock pyproject.toml
.venv-test/installed: requirements-test.lock pyproject.toml
.venv/installed .venv-test/installed:
	@test -n "$(PYTHON)" || { echo "The book needs Python 3.11 or newer: install it, or say PYTHON=/path/to/python3 make ..."; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"The book needs Python 3.11 or newer, and $(PYTHON) is {v.major}.{v.minor}")'
	$(PYTHON) -m venv $(@D)
	@echo "Installing the packages of $< into $(@D), which may take some minutes:"
	@$(@D)/bin/python -m pip install --disable-pip-version-check -r $< -e . | awk \
		-v all=$$(grep -c == $<) '/^(Collecting|Processing)/ { printf "\r%d of %d", ++n, all; fflush() } END { print "" }'
	@touch $@
