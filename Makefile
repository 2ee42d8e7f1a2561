# Every target makes its own environment first: a fresh clone needs Python >= 3.11 and make, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
# The first Python on the path that is new enough (PYTHON=... overrides).
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)

.PHONY: help demo test test-crash test-sweep check lab format clean chromium live-check bench-adherence bench-scale test-wheel test-lowest test-binder test-matrix install-size badge

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/.base: pyproject.toml
	@test -n "$(PYTHON)" || { echo "refvideo_nb needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python"; exit 1; }
	@echo "making the environment in $(VENV); it takes about a minute"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@

$(BIN)/.all: $(BIN)/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]'
	@touch $@

$(BIN)/.dev: $(BIN)/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# The older kernel that many hubs still run, beside the newest one: only ipykernel itself differs.
$(VENV)/ipykernel6/.done: $(BIN)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/ipykernel6 'ipykernel==6.31.*'
	@touch $@

chromium:
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the browser tests"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else echo "the browser tests need Chromium: install the package 'chromium', then run make test again"; exit 1; fi; fi

demo: $(BIN)/.base ## run the quickstart against the simulator; leaves demo/quickstart.html, .ipynb and the MP4s
	$(BIN)/python -m refvideo_nb demo --notebook notebooks/01_quickstart.ipynb --to demo

test: $(BIN)/.dev $(VENV)/ipykernel6/.done chromium ## run every test
	$(BIN)/python tests/again.py $(ARGS)

test-crash: $(BIN)/.dev ## kill a process at 200 random moments, and resume
	REFVIDEO_CRASHES=200 $(BIN)/python -m pytest tests/crash/test_crash.py -s

# The package as people get it: built, installed elsewhere, and tried from a folder in which its source is not.
WHEEL ?= .wheel

.PHONY: wheel
wheel:
	rm -rf $(WHEEL) && mkdir -p $(WHEEL)/place
	$(PYTHON) -m venv $(WHEEL)/env
	$(WHEEL)/env/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(WHEEL)/env/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEEL) .
	$(WHEEL)/env/bin/python -m pip install --quiet --disable-pip-version-check $(EXTRA) "$$(ls $(WHEEL)/refvideo_nb-*.whl)[dev]"
	$(WHEEL)/env/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(WHEEL)/env/ipykernel6 'ipykernel==6.31.*'
	cp -r tests benchmarks notebooks binder docs *.md pyproject.toml Makefile $(WHEEL)/place/

test-wheel: wheel chromium ## build the wheel and run the tests against it, with another Python too: make test-wheel PYTHON=python3.13
	cd $(WHEEL)/place && ../env/bin/python -m pytest --override-ini testpaths=tests $(ARGS)

test-lowest: ## the same with the lowest versions that the package allows (Python 3.11)
	$(PYTHON) -m pip --version >/dev/null
	$(MAKE) .wheel-constraints
	@# What is old warns beside what is new and not ours.
	$(MAKE) test-wheel EXTRA="--constraint .wheel-constraints" ARGS="-W ignore::DeprecationWarning $(ARGS)"

.wheel-constraints: pyproject.toml tests/package/lowest.py $(BIN)/.dev
	$(BIN)/python tests/package/lowest.py > $@

test-binder: $(BIN)/.dev ## the steps of Binder in an empty environment, and two notebooks in 1 GB (Python 3.12)
	$(BIN)/python tests/package/binder.py

badge: ## print Binder's badge for the place where this checkout was published
	@$(PYTHON) tests/package/badge.py

test-matrix: $(BIN)/.dev $(VENV)/ipykernel6/.done chromium ## the quickstart in every front end and both kernels: docs/compatibility.md, 7 minutes
	$(BIN)/python -m tests.matrix --to docs/compatibility.md

install-size: $(BIN)/.dev ## what an installation fetches beyond Jupyter's own, wheel by wheel: docs/install-size.md
	$(BIN)/python tests/package/size.py --to docs/install-size.md

live-check: $(BIN)/.dev ## with REFVIDEO_LIVE=1 and a key: one real, paid job (about USD 0.50 at most), and what it shows of the simulator
	$(BIN)/python -m tests.live.check

bench-adherence: $(BIN)/.dev ## measure the measuring: docs/adherence-benchmark.md, 10 minutes
	$(BIN)/python benchmarks/adherence --to docs/adherence-benchmark.md

bench-scale: $(BIN)/.dev ## what planning, keeping, drawing and summing up a sweep costs, for 10 to 10,000 cells
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/results.py

test-sweep: $(BIN)/.dev ## a sweep of 10,000 jobs with random faults, killed three times: four minutes
	REFVIDEO_SWEEP_JOBS=10000 REFVIDEO_SWEEP_KILLS=3 $(BIN)/python -m pytest tests/crash/test_sweep.py -s

# Others that a user might pick, in an environment of their own: the package never needs them.
.venv-bench/.done: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -e '.[lab]' \
	  fal-client mediapy openrouter playwright
	@touch $@

.PHONY: bench ffmpeg
ffmpeg: # mediapy, beside which showing is measured, runs it
	@if ! command -v ffmpeg >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing ffmpeg for the row of showing"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq ffmpeg >/dev/null; \
	  else echo "mediapy needs ffmpeg: install the package 'ffmpeg', then run make bench again"; exit 1; fi; fi

bench: .venv-bench/.done chromium ffmpeg ## measure everything beside other clients, and write docs/benchmarks.md
	.venv-bench/bin/python tests/bench --write docs/benchmarks.md $(ARGS)

check: $(BIN)/.dev ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(BIN)/.dev ## let ruff lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: $(BIN)/.all ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab --ServerApp.root_dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

clean: ## remove the environment and what the demo left
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache
