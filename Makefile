# `make help` lists what there is. `make book` and `make test` need Python 3.11–3.13 and make, nothing else.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.ready
CHAPTERS := $(sort $(wildcard notebooks/[0-9]*.ipynb)) $(sort $(wildcard book/self_test_*.ipynb))
EXPERIMENTS := $(filter-out _% ledger,$(notdir $(basename $(sort $(wildcard experiments/*.py)))))
HTML := _build/html

# Quiet TensorFlow before it loads, and keep its sums in one order.
export TF_CPP_MIN_LOG_LEVEL := 3
export TF_ENABLE_ONEDNN_OPTS := 0
export KERAS_BACKEND := tensorflow
export PYTHONHASHSEED := 0
# Threads that wait must not spin: on a shared machine two spinning threads cost ten times the work they do.
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help book test lab serve notebooks experiments ledger bench dist lock clean assignments grade slides course-demo bubblewrap \
        check-lock check-style check-types check-spelling check-package check-notebooks check-site browser

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# --- setting up ---------------------------------------------------------------------------------

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"make: Python {v[0]}.{v[1]} found; the book needs 3.11, 3.12 or 3.13: make PYTHON=python3.12 ...")'
	@echo "== installing into $(VENV): about 3.5 GB on disk, two to five minutes"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# --- reading ------------------------------------------------------------------------------------

book: $(READY) ## Build the static book from the stored outputs
	@echo "== making the assignments' downloads"
	@$(BIN)/python -m assignments.release >/dev/null
	@echo "== building the book: about a minute"
	$(BIN)/jupyter-book build . -W -n --keep-going --all
	@$(BIN)/python -m assignments.slides --out $(HTML)/_static/slides >/dev/null
	@echo "The book stands in $(HTML). Open $(HTML)/index.html, or: make serve"

serve: ## Build the book and serve it on localhost:8000
	@test -e $(HTML)/index.html || $(MAKE) book
	@echo "http://localhost:8000  (Ctrl-C stops)"
	@cd $(HTML) && $(BIN)/python -m http.server 8000 --bind 127.0.0.1

lab: $(READY) ## Open the chapters in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=notebooks

dist: $(READY) book browser ## One PDF and an offline zip in dist/
	$(BIN)/python book/make_dist.py

# --- making -------------------------------------------------------------------------------------

notebooks: $(READY) ## Run every chapter and store its outputs (ONLY=notebooks/05_*.ipynb for one)
	$(BIN)/python book/run_notebooks.py $(or $(ONLY),$(CHAPTERS))

experiments: $(READY) ## Run what is stale or missing (ONLY=recall for one, SCHEDULER=tcp://… for a Dask cluster)
	@for script in $(or $(ONLY),$(EXPERIMENTS)); do echo "== experiments.$$script"; \
	  $(BIN)/python -m experiments.$$script --fresh $(if $(SCHEDULER),--scheduler $(SCHEDULER)) || exit 1; done

ledger: $(READY) ## Make the page of all claims from the stored runs
	$(BIN)/python -m experiments.ledger

bench: $(READY) ## Our layers against the libraries' own (wants a quiet machine)
	$(BIN)/python -m bench
	$(BIN)/python -m bench --training

lock: $(READY) ## Make requirements.txt anew from requirements.in
	$(BIN)/uv pip compile requirements.in --universal --python-version 3.11 --no-header --quiet -o requirements.txt

# --- teaching -----------------------------------------------------------------------------------

assignments: $(READY) ## Make the students' notebooks and assignments/assignments.zip to hand out
	$(BIN)/python -m assignments.release $(ONLY)

grade: $(READY) bubblewrap ## Grade a folder (SUBMISSIONS=folder, OUT=where to): marks.csv, feedback/, mistakes.html
	@test -n "$(SUBMISSIONS)" || { echo "make grade SUBMISSIONS=folder  (folder/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb)" >&2; exit 2; }
	$(BIN)/python -m assignments.grade $(SUBMISSIONS) $(if $(OUT),--out $(OUT)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(SANDBOX),--sandbox $(SANDBOX))

slides: $(READY) ## Make the slides of the sample lecture from its chapter (OUT=where to)
	$(BIN)/python -m assignments.slides $(if $(OUT),--out $(OUT))

course-demo: $(READY) bubblewrap ## See a simulated class graded (STUDENTS=200 for a large one)
	$(BIN)/python -m assignments.demo $(if $(STUDENTS),--students $(STUDENTS))

bubblewrap:
	@bash assignments/get_bubblewrap.sh

# --- checking -----------------------------------------------------------------------------------

test: $(READY) ## Everything CI runs
	@echo "== part 1 of 8: the lock";              $(MAKE) --no-print-directory check-lock
	@echo "== part 2 of 8: style";                 $(MAKE) --no-print-directory check-style
	@echo "== part 3 of 8: types";                 $(MAKE) --no-print-directory check-types
	@echo "== part 4 of 8: spelling";              $(MAKE) --no-print-directory check-spelling
	@echo "== part 5 of 8: the package";           $(MAKE) --no-print-directory check-package
	@echo "== part 6 of 8: the chapters, run and compared"; $(MAKE) --no-print-directory check-notebooks
	@echo "== part 7 of 8: building the book";     $(MAKE) --no-print-directory book
	@echo "== part 8 of 8: the site in a browser"; $(MAKE) --no-print-directory check-site
	@echo "== all parts passed"

check-lock: $(READY)
	$(BIN)/python tests/check_lock.py

check-style: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-types: $(READY)
	$(BIN)/mypy

check-spelling: $(READY)
	$(BIN)/python tests/check_spelling.py

check-package: $(READY) bubblewrap
	$(BIN)/python -m pytest tests --ignore=tests/site -q --durations=8

check-notebooks: $(READY)
	$(BIN)/python -m pytest -p no:cacheprovider --nbval $(CHAPTERS) -q -o addopts= --nbval-cell-timeout=600 --durations=4

check-site: $(READY) browser
	$(BIN)/python -m pytest tests/site -q --durations=4

browser:
	@bash tests/site/get_browser.sh $(BIN)

clean: ## Remove what was built, keep .venv
	rm -rf _build dist
